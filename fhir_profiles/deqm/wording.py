"""A gap in the words of a nurse: what is needed, by when, what counted, what did not and why.

One wording serves DetectedIssue.detail, the narratives and the guidance note, so that they cannot disagree.
"""

from datetime import date
from typing import Any, Final

from fhir_profiles.inputs import GapLike, GroupLike, ResultLike
from fhir_profiles.plain import JsonMapping, clean, words

STATUS_WORDS: Final = {
    "open-gap": "Open",
    "prospective-gap": "Coming up",
    "closed-gap": "Closed",
    "not-applicable": "Does not apply",
}

OUTLOOK_WORDS: Final = {
    "met": "met",
    "on track": "on track",
    "at risk": "at risk (overdue, or few chances are left)",
    "missed": "missed (it can no longer be met in this period)",
    "unknown": "not known",
}


def headline(group: GroupLike) -> str:
    """Status and subject in one line: `Open: third well-child visit (1 of 3 done).`"""
    gap = group.gap
    what = gap.need.text if gap.need and gap.status != "closed-gap" else group.description
    return f"{STATUS_WORDS.get(gap.status, gap.status)}: {clean(what)}{_progress(gap)}."


def _progress(gap: GapLike) -> str:
    if gap.needed is None or gap.done is None:
        return ""
    return f" ({gap.done} of {gap.needed} done)"


def window(gap: GapLike) -> str | None:
    """When the next service may be given, should be, and still counts; None when nothing is known of it."""
    said = [
        f"{label} {words(day)}"
        for label, day in (
            ("may be done from", gap.due_from),
            ("wanted by", gap.due_by),
            ("last day that counts", gap.last_day),
        )
        if day is not None
    ]
    if not said:
        return None
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def outlook(gap: GapLike) -> str | None:
    """The outlook of a gap that is not settled; None for met, closed and inapplicable ones."""
    if gap.status in ("closed-gap", "not-applicable") or gap.outlook == "unknown":
        return None
    return f"Outlook: {OUTLOOK_WORDS.get(gap.outlook, gap.outlook)}."


def reasons(gap: GapLike) -> list[str]:
    """The worded reasons, once each, in their order."""
    return list(dict.fromkeys(clean(reason.text) for reason in gap.reasons))


def counted(gap: GapLike) -> list[str]:
    """One line for each resource that counts."""
    return [_dated(item.reference, item.on) + ": counts." for item in gap.counted]


def discounted(gap: GapLike) -> list[str]:
    """One line for each resource that was looked at and does not count, with why not."""
    return [f"{_dated(item.reference, item.on)}: does not count, {clean(item.text)}." for item in gap.discounted]


def _dated(reference: str, on: date | None) -> str:
    kind = kind_words(reference)
    return f"{kind} of {words(on)}" if on is not None else f"{kind} without a usable date"


def kind_words(reference: str) -> str:
    """What a referenced resource is, in words: `Visit` for an Encounter."""
    kind = reference.split("/", 1)[0]
    return _KIND_WORDS.get(kind, kind)


_KIND_WORDS: Final = {
    "Encounter": "Visit",
    "Immunization": "Vaccination",
    "Observation": "Result or observation",
    "Procedure": "Procedure",
    "Condition": "Condition",
    "Patient": "Patient record",
    "MedicationRequest": "Prescription",
    "ServiceRequest": "Order",
    "Coverage": "Coverage",
}


def detail(group: GroupLike) -> str:
    """The whole gap in one paragraph (DetectedIssue.detail)."""
    gap = group.gap
    said = [headline(group)]
    said.extend(line for line in (window(gap), outlook(gap)) if line)
    why = reasons(gap)
    if why:
        said.append(f"Why: {'; '.join(text.rstrip('.') for text in why)}.")
    if gap.counted:
        said.append(f"Counted: {len(gap.counted)}.")
    said.extend(discounted(gap))
    if gap.changes_on is not None:
        said.append(f"This can change on {words(gap.changes_on)} without anything being done.")
    return " ".join(said)


def period(result: ResultLike) -> str:
    """The measurement period in words, both days included."""
    return f"{words(result.period_start)} through {words(result.period_end)}"


def person(patient: JsonMapping | None) -> str | None:
    """The child's name and birth date as recorded, for the document's own narrative; None if neither is."""
    if patient is None:
        return None
    names: list[dict[str, Any]] = patient.get("name") or []
    # The official name, else the usual one, else any that is not out of use.
    rank = {"official": 0, "usual": 1, "old": 9}
    ranked = sorted(names, key=lambda each: rank.get(each.get("use", ""), 2))
    name: dict[str, Any] = ranked[0] if ranked else {}
    given: list[str] = [*(name.get("given") or []), name.get("family") or ""]
    called = " ".join(part for part in given if part) or name.get("text") or ""
    born = patient.get("birthDate")
    if not called and not born:
        return None
    return clean(f"{called or 'Name not recorded'}, born {born}" if born else called)
