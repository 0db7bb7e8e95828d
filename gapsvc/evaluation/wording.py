"""The words of gap results: tables from coded reasons to sentences that a nurse reads.

Reason codes of `Discounted` are set by the measures' common CQL (measures/common/*.cql).
"""

from datetime import date

# why a resource that was looked at does not count
DISCOUNTED = {
    "entered-in-error": "entered in error",
    "not-finished": "the visit is not finished",
    "inpatient": "a hospital stay, not an outpatient visit",
    "emergency": "an emergency visit",
    "telehealth": "a telehealth visit",
    "imprecise-date": "the day is not known",
    "future": "dated after today",
    "before-window": "before the first day that counts",
    "after-window": "after the last day that counts",
    "same-day": "another one on the same day counts",
    "too-close": "too soon after the last visit that counts",
    "not-a-well-visit": "not a well-child visit",
    "laboratory": "billed by a laboratory, not a visit",
    "not-billed": "an estimate, a draft or a cancelled claim",
    # doses, diseases, tests and services (measures/common/Immunizations.cql, Services.cql)
    "not-given": "not given or not completed",
    "refuted": "the diagnosis was refuted",
    "not-all-diseases": "only measles, mumps and rubella together stand in for the vaccine",
    "live-vaccine-too-young": "live influenza vaccine counts on the second birthday only",
    "not-at-birth": "not within seven days of birth",
    "second-birth-dose": "another birth dose counts",
    "no-result": "a test without a result",
    "not-final": "a result that is not final",
    "autism-screen": "a screen for autism, not for development as a whole",
    # visits and services under the visit schedule (gapsvc/schedule/visits)
    "slot-filled": "another visit is the one for this age",
    "not-scheduled": "the schedule asks for none at this age",
    "too-soon": "too soon after the last one",
}

# why a person of the initial population is not in the numerator's race
EXCLUDED = {
    "deceased": "deceased",
    "hospice": "in hospice care during the period",
    "vaccine-exclusion": "a condition that rules out some of the vaccines",
    # of the population "plan" (measures/common/Enrolment.cql)
    "never-enrolled": "no enrolment with a plan is known",
    "not-yet-enrolled": "not enrolled with a plan yet",
    "enrolment-gap-too-long": "enrolment with a plan was interrupted for too long",
    "enrolment-second-gap": "enrolment with a plan was interrupted more than once",
    "not-enrolled-on-the-day": "not enrolled with a plan on the day that decides",
    # of a measure without gap defines
    "denominator-exclusion": "excluded from the denominator",
    "denominator-exception": "an exception to the denominator",
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date) -> str:
    """As a nurse in the US reads it, whatever the machine's locale: `Mar 7, 2026`."""
    return f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"


def discounted(code: str) -> str:
    """Words for a discount reason; an unknown code (of a measure brought by a user) is shown as it is."""
    return DISCOUNTED.get(code, code.replace("-", " "))


def not_counted(code: str | None) -> str:
    """The reason of a gap that is closed because the person is excluded, in words."""
    return f"not counted: {excluded(code)}"


def excluded(code: str | None) -> str:
    if code is None:
        return "not in the denominator"
    return EXCLUDED.get(code, code.replace("-", " "))
