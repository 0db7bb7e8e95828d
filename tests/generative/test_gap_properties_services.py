"""The properties of a gap record (design/gaps.md), held over random persons, doses, tests and services: the measures
that count something else than well-child visits of infants (those are in test_gap_properties.py).

Each measure has its own persons: born around its ages, with what it counts (and what it doesn't) around its windows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import GapRecord, GapStatus, MeasureResult, Outlook
from gapsvc.measures import catalog
from gapsvc.records.record import PatientRecord

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
DAY = timedelta(days=1)
CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"
CDT = "http://www.ada.org/cdt"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"

Resource = dict[str, Any]
Make = Callable[[str, str, str], Resource]  # id, day, status
REFERENCE = {"reference": "Patient/child"}


def code(system: str, value: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": value}]}


def dose(cvx: str) -> Make:
    return lambda name, on, status: {
        "resourceType": "Immunization",
        "id": name,
        "status": status,
        "vaccineCode": code(CVX, cvx),
        "patient": REFERENCE,
        "occurrenceDateTime": on,
    }


def procedure(system: str, value: str) -> Make:
    return lambda name, on, status: {
        "resourceType": "Procedure",
        "id": name,
        "status": status,
        "code": code(system, value),
        "subject": REFERENCE,
        "performedDateTime": on,
    }


def lead(name: str, on: str, status: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": {"completed": "final"}.get(status, status),
        "code": code(LOINC, "77307-7"),
        "subject": REFERENCE,
        "effectiveDateTime": on,
        "valueQuantity": {"value": 1.2},
    }


def disease(snomed: str) -> Make:
    return lambda name, on, status: {
        "resourceType": "Condition",
        "id": name,
        "code": code(SNOMED, snomed),
        "subject": REFERENCE,
        "onsetDateTime": on,
        "verificationStatus": {"coding": [{"code": "confirmed" if status == "completed" else "entered-in-error"}]},
    }


def visit(name: str, on: str, status: str) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": name,
        "status": {"completed": "finished"}.get(status, status),
        "class": {"code": "AMB"},
        "type": [code(CPT, "99393")],
        "subject": REFERENCE,
        "period": {"start": on},
    }


@dataclass(frozen=True)
class Kind:
    """How persons of a measure are made: birth days, the days (after birth) and kinds of what was done."""

    born: tuple[date, date]
    days: st.SearchStrategy[int]
    makes: tuple[Make, ...]
    most: int
    closes: Mapping[str, Make]  # what closes or advances a group's gap


CHILDHOOD = ("20", "120", "110", "10", "94", "48", "08", "21", "133", "83", "119", "116", "150", "149")
KINDS: Mapping[str, Kind] = {
    "cis": Kind(
        born=(date(2023, 12, 1), date(2025, 1, 31)),
        days=st.integers(-2, 250) | st.integers(-2, 760),
        makes=(
            *(dose(one) for one in CHILDHOOD),
            procedure(CPT, "90700"),
            procedure("http://hl7.org/fhir/sid/icd-10-pcs", "3E0234Z"),
            disease("14189004"),
            disease("36989005"),
            disease("36653000"),
            disease("428281000124107"),
            disease("31323000"),
        ),
        most=22,
        closes={
            "dtap": dose("20"),
            "ipv": dose("10"),
            "mmr": dose("03"),
            "hib": dose("48"),
            "hepb": dose("08"),
            "vzv": dose("21"),
            "pcv": dose("133"),
            "hepa": dose("83"),
            "rotavirus": dose("119"),  # another product may raise what is needed
            "influenza": dose("150"),
        },
    ),
    "ima": Kind(
        born=(date(2012, 12, 1), date(2014, 1, 31)),
        days=st.integers(9 * 365, 9 * 365 + 8) | st.integers(10 * 365, 13 * 365 + 10),
        makes=(*(dose(one) for one in ("114", "115", "165", "165", "62")), disease("428241000124101")),
        most=7,
        closes={"meningococcal": dose("114"), "tdap": dose("115"), "hpv": dose("165")},
    ),
    "lsc": Kind(
        born=(date(2023, 12, 1), date(2025, 1, 31)),
        days=st.integers(-2, 860),
        makes=(lead, lead, procedure(CPT, "83655")),
        most=5,
        closes={"by-second-birthday": lead, "medi-cal-12-24-months": lead},
    ),
    "dev": Kind(
        born=(date(2022, 12, 1), date(2026, 1, 31)),
        days=st.integers(-2, 1110),
        makes=(procedure(CPT, "96110"),),
        most=5,
        closes=dict.fromkeys(
            ("first-birthday", "second-birthday", "third-birthday", "combined"), procedure(CPT, "96110")
        ),
    ),
    "tfl": Kind(
        born=(date(2005, 11, 1), date(2026, 1, 31)),
        days=st.integers(-2, 7600),
        makes=(procedure(CDT, "D1206"), procedure(CDT, "D1208"), procedure(CPT, "99188")),
        most=6,
        closes={
            "dental-or-oral-health": procedure(CDT, "D1206"),
            "dental": procedure(CDT, "D1206"),
            "oral-health": procedure(CPT, "99188"),
        },
    ),
    "wcv": Kind(
        born=(date(2004, 11, 1), date(2024, 2, 1)),
        days=st.integers(-2, 7800),
        makes=(visit,),
        most=6,
        closes=dict.fromkeys(("3-11-years", "12-17-years", "18-21-years", "total"), visit),
    ),
}
# Services of a year lie in and around it rather than at an age.
YEARLY = ("tfl", "wcv")
AS_OF = st.dates(date(2025, 10, 1), date(2027, 4, 1))
EXAMPLES = settings(max_examples=60, deadline=None)
each_measure = pytest.mark.parametrize("measure", KINDS)


@cache
def evaluator(measure: str) -> Evaluator:
    return Evaluator(catalog()[measure], software="test")


@st.composite
def persons(draw: st.DrawFn, measure: str) -> list[Resource]:
    kind = KINDS[measure]
    born = draw(st.dates(*kind.born))
    patient: Resource = {"resourceType": "Patient", "id": "child", "birthDate": born.isoformat()}
    if draw(st.integers(0, 11)) == 0:
        patient["deceasedDateTime"] = draw(st.dates(date(2025, 6, 1), date(2027, 6, 1))).isoformat()
    days = st.dates(date(2025, 6, 1), date(2027, 2, 1)) if measure in YEARLY else None
    return [
        patient,
        *(
            draw(st.sampled_from(kind.makes))(
                f"s{number}",
                (draw(days) if days is not None else born + timedelta(days=draw(kind.days))).isoformat(),
                draw(st.sampled_from(["completed"] * 7 + ["not-done", "entered-in-error"])),
            )
            for number in range(draw(st.integers(0, kind.most)))
        ),
    ]


def evaluated(measure: str, resources: list[Resource], as_of: date) -> MeasureResult:
    return evaluator(measure).evaluate(PatientRecord.of(resources), *PERIOD, as_of)


def states(result: MeasureResult) -> Mapping[str, tuple[Any, ...]]:
    """All that may change with time: the whole record but the day of the next change itself."""
    return {
        group.id: (tuple(group.populations.items()), replace(group.gap, changes_on=None)) for group in result.groups
    }


def gaps(result: MeasureResult) -> Mapping[str, GapRecord]:
    return {group.id: group.gap for group in result.groups}


def day_of(resource: Resource) -> date:
    keys = ("occurrenceDateTime", "performedDateTime", "effectiveDateTime", "onsetDateTime")
    on = next((resource[key] for key in keys if key in resource), None)
    return date.fromisoformat(on or resource["period"]["start"])


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF, ahead=st.integers(1, 400))
def test_until_changes_on_the_record_is_the_same(measure: str, data: st.DataObject, as_of: date, ahead: int) -> None:
    person = data.draw(persons(measure))
    before = evaluated(measure, person, as_of)
    for group, gap in gaps(before).items():
        later = as_of + timedelta(days=ahead)
        if gap.changes_on is not None:
            later = min(later, gap.changes_on - DAY)
        for day in {later, as_of + (later - as_of) // 2}:
            after = evaluated(measure, person, day)
            assert states(after)[group] == states(before)[group], f"as of {day}"
            assert gaps(after)[group].changes_on == gap.changes_on


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_on_changes_on_something_differs(measure: str, data: st.DataObject, as_of: date) -> None:
    person = data.draw(persons(measure))
    before = evaluated(measure, person, as_of)
    for group, gap in gaps(before).items():
        if gap.changes_on is not None:
            assert gap.changes_on > as_of
            assert states(evaluated(measure, person, gap.changes_on))[group] != states(before)[group]


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_the_needed_service_counts_exactly_from_due_from_to_last_day(
    measure: str, data: st.DataObject, as_of: date
) -> None:
    """It is given, and looked at, when nothing else lies in the future. On those days it leaves fewer to give."""
    person = [
        one
        for one in data.draw(persons(measure))
        if one["resourceType"] == "Patient" or (day_of(one) <= as_of and one["resourceType"] != "Condition")
    ]
    person[0].pop("deceasedDateTime", None)
    for group, gap in gaps(evaluated(measure, person, as_of)).items():
        make = KINDS[measure].closes.get(group)
        if make is None or gap.due_from is None or gap.last_day is None or gap.due_from > gap.last_day:
            continue
        then = max(as_of, gap.last_day + DAY)

        def missing(day: date | None, group: str = group, make: Make = make, then: date = then) -> int:
            given = [] if day is None else [make("given", day.isoformat(), "completed")]
            said = gaps(evaluated(measure, [*person, *given], then))[group]
            assert said.needed is not None and said.done is not None
            return max(0, said.needed - said.done)

        base = missing(None)
        inside = data.draw(st.dates(gap.due_from, gap.last_day))
        for day in (inside, gap.due_from, gap.last_day):
            assert missing(day) < base, f"given on {day}"
        if group != "rotavirus":  # two products on one day may complete the series of the one
            assert missing(gap.due_from - DAY) == base
        if group != "medi-cal-12-24-months":  # the day after the first test's last day is the second test's first
            assert missing(gap.last_day + DAY) == base


IRRELEVANT = {
    "resourceType": "Observation",
    "id": "weight",
    "status": "final",
    "code": code(LOINC, "29463-7"),
    "subject": REFERENCE,
    "effectiveDateTime": "2026-03-01",
}


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_an_irrelevant_resource_changes_nothing(measure: str, data: st.DataObject, as_of: date) -> None:
    person = data.draw(persons(measure))
    assert evaluated(measure, [*person, IRRELEVANT], as_of) == evaluated(measure, person, as_of)


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_a_duplicate_of_what_counts_changes_only_the_evidence(measure: str, data: st.DataObject, as_of: date) -> None:
    person = data.draw(persons(measure))
    for group, gap in gaps(evaluated(measure, person, as_of)).items():
        if not gap.counted:
            continue
        original = data.draw(st.sampled_from(gap.counted)).reference.partition("/")[2]
        twin = {**next(one for one in person if one["id"] == original), "id": f"{original}-twin"}
        after = gaps(evaluated(measure, [*person, twin], as_of))[group]
        assert replace(after, counted=(), discounted=()) == replace(gap, counted=(), discounted=())
        assert {item.reference for item in gap.counted} <= {item.reference for item in after.counted}


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF, ahead=st.integers(1, 500))
def test_a_closed_gap_reopens_only_if_changes_on_said_so(
    measure: str, data: st.DataObject, as_of: date, ahead: int
) -> None:
    person, later = data.draw(persons(measure)), as_of + timedelta(days=ahead)
    for group, gap in gaps(evaluated(measure, person, as_of)).items():
        if gap.status is GapStatus.CLOSED:
            after = gaps(evaluated(measure, person, later))[group]
            said_so = gap.changes_on is not None and gap.changes_on <= later
            assert after.status is GapStatus.CLOSED or said_so


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_every_gap_that_is_not_closed_says_why(measure: str, data: st.DataObject, as_of: date) -> None:
    result = evaluated(measure, data.draw(persons(measure)), as_of)
    for group in result.groups:
        gap = group.gap
        if gap.status in (GapStatus.OPEN, GapStatus.PROSPECTIVE):
            assert gap.reasons
            assert gap.need is not None
            looked_at = {item.reference for item in (*gap.counted, *gap.discounted)}
            assert looked_at | {"Patient/child"} <= result.evaluated.keys()
            assert gap.needed is not None and gap.done is not None and gap.done < gap.needed
            assert None not in (gap.due_from, gap.due_by, gap.last_day)
            assert (gap.outlook is Outlook.MISSED) or any(reason.requirement for reason in gap.reasons)


@each_measure
@EXAMPLES
@given(data=st.data(), as_of=AS_OF)
def test_both_evaluators_say_the_same(measure: str, data: st.DataObject, as_of: date) -> None:
    person = data.draw(persons(measure))
    assert reference(measure).evaluate(PatientRecord.of(person), *PERIOD, as_of) == evaluated(measure, person, as_of)


@cache
def reference(measure: str) -> Evaluator:
    return Evaluator(catalog()[measure], software="test", engine="reference")
