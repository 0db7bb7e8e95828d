"""Race and ethnicity of a person: US Core's extensions read into the categories of a table.

Sources: US Core 6.1 Patient (us-core-race, us-core-ethnicity), CDC Race and Ethnicity Code Set 1.0, HL7 NullFlavor.
Detailed codes count for the category that they are under. Kept apart are: more than one race, asked but not answered
(ASKU), not known (UNK), and what was imputed. Imputed values stand in extensions of their own (`imputed-race` and
`imputed-ethnicity`, shaped like US Core's), so that nobody takes them for an answer; they count only where the person
was not asked. A refusal to answer stays one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from gapsvc.evaluation.result import Coding
from gapsvc.evaluation.rollup import Category
from gapsvc.evaluation.stratification import CDC_RACE_ETHNICITY, TWO_OR_MORE, Answer, RaceTable
from gapsvc.records.record import JsonObject
from gapsvc.records.references import objects

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
IMPUTED = "/imputed-"  # any base: the extensions of ours are published under a configured one
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
ASKED, UNKNOWN = "ASKU", "UNK"
_NULL_FLAVORS = frozenset({"ASKU", "UNK", "NASK", "NI", "NAV", "OTH", "NA", "MSK", "NAVU"})
_ASKED_ABSENT = frozenset({"asked-declined", "asked-unknown"})
_ASKED_WORDS = frozenset(
    (
        "asked but no answer",
        "asked but unknown",
        "asked, but unknown",
        "choose not to disclose",
        "chose not to disclose",
        "decline to answer",
        "declined",
        "declined to answer",
        "declined to specify",
        "declined to state",
        "patient declined",
        "patient refused",
        "prefer not to answer",
        "prefer not to say",
        "refused",
        "refused to answer",
    )
)
Kind = Literal["race", "ethnicity"]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one extension says: categories met, whether an answer was refused, and the codes as recorded."""

    answers: frozenset[str]
    asked: bool = False
    detail: tuple[Coding, ...] = ()


def race_and_ethnicity(patients: Sequence[JsonObject], table: RaceTable) -> dict[str, Category]:
    """The person's `race`, `ethnicity`, `race_detail` and `ethnicity_detail`.

    Of several Patients of one person the first that gives an answer counts, whole: two charts that disagree don't
    make a person of two races.
    """
    direct: Mapping[Kind, _Said] = {kind: _first(patients, kind, table, imputed=False) for kind in _KINDS}
    imputed: Mapping[Kind, _Said] = {kind: _first(patients, kind, table, imputed=True) for kind in _KINDS}
    said = {"race": (_combined(direct, table), _combined(imputed, table))}
    said["ethnicity"] = (direct["ethnicity"], imputed["ethnicity"])
    race = _category("race", *said["race"], table.race, table.two_or_more)
    ethnicity = _category("ethnicity", *said["ethnicity"], table.ethnicity, "")
    return {
        "race": race,
        "ethnicity": ethnicity,
        "race_detail": _detail(race, *said["race"]),
        "ethnicity_detail": _detail(ethnicity, *said["ethnicity"]),
    }


_EMPTY: JsonObject = MappingProxyType({})
_KINDS: tuple[Kind, ...] = ("race", "ethnicity")


def _combined(said: Mapping[Kind, _Said], table: RaceTable) -> _Said:
    """What counts as race: where the table has one question, with the ethnicity that it lists."""
    race, ethnicity = said["race"], said["ethnicity"]
    if not table.combined:
        return race
    listed = {one.code for one in table.race}
    detail = tuple(one for one in ethnicity.detail if any(answer.holds(one.code) for answer in table.race))
    return _Said(race.answers | (ethnicity.answers & listed), race.asked or ethnicity.asked, race.detail + detail)


def _category(dimension: str, direct: _Said, imputed: _Said, answers: Sequence[Answer], two_or_more: str) -> Category:
    for said, source in ((direct, "direct"), (imputed, "imputed")):
        met = _counting(said.answers, answers)
        if len(met) > 1 and not two_or_more:  # ethnicity has no such category; one yes is a yes
            met = met[:1]
        if len(met) > 1 or (met and met[0].code == TWO_OR_MORE):
            return Category(dimension, TWO_OR_MORE, two_or_more, source)
        if met:
            coding = Coding(CDC_RACE_ETHNICITY, met[0].code, met[0].text)
            return Category(dimension, met[0].code, met[0].text, source, coding)
        if said.asked:  # an answer that was refused is not imputed
            return _asked(dimension)
    return unknown(dimension)


def _counting(met: frozenset[str], answers: Sequence[Answer]) -> list[Answer]:
    found = [one for one in answers if one.code in met]
    return [one for one in found if not one.only_alone] or found


def _detail(whole: Category, direct: _Said, imputed: _Said) -> Category:
    """The codes as recorded, all of them, of one whose category is `whole`; where there are none, that."""
    dimension = f"{whole.dimension}_detail"
    said = {"direct": direct, "imputed": imputed}.get(whole.source)
    codes = {one.code: one for one in said.detail} if said else {}
    if not codes:
        return replace(whole, dimension=dimension)
    ordered = [codes[code] for code in sorted(codes)]
    text = ", ".join(one.display or one.code for one in ordered)
    coding = ordered[0] if len(ordered) == 1 else None
    return Category(dimension, "+".join(sorted(codes)), text, whole.source, coding)


def _asked(dimension: str) -> Category:
    return Category(dimension, ASKED, "Asked but no answer", "direct", Coding(NULL_FLAVOR, ASKED, "asked but unknown"))


def unknown(dimension: str) -> Category:
    """The category of those of whom it is not known."""
    return Category(dimension, UNKNOWN, "Unknown", "", Coding(NULL_FLAVOR, UNKNOWN, "unknown"))


def _first(patients: Iterable[JsonObject], kind: Kind, table: RaceTable, *, imputed: bool) -> _Said:
    """The first Patient's that says something; of those that say nothing, whether one was asked."""
    found = [_read(part, kind, table) for patient in patients for part in _extensions(patient, kind, imputed)]
    told = next((one for one in found if one.answers or one.detail), None)
    return told or _Said(frozenset(), any(one.asked for one in found))


def _extensions(patient: JsonObject, kind: Kind, imputed: bool) -> Iterator[JsonObject]:
    for one in objects(patient.get("extension")):
        url = str(one.get("url", ""))
        if url.endswith(f"{IMPUTED}{kind}") if imputed else url == f"{US_CORE}{kind}":
            yield one


def _read(extension: JsonObject, kind: Kind, table: RaceTable) -> _Said:
    known = table.race if kind == "race" else table.ethnicity
    answers: set[str] = set()
    asked = _absent(extension)
    recorded: dict[str, list[Coding]] = {"ombCategory": [], "detailed": []}
    words: list[str] = []
    for part in objects(extension.get("extension")):
        asked = asked or _absent(part)
        coding = element(part.get("valueCoding"))
        code = coding.get("code")
        if isinstance(code, str):
            if code in _NULL_FLAVORS:
                asked = asked or code == ASKED
            else:
                met = {one.code for one in known if one.holds(code)}
                answers |= met
                if met and part.get("url") in recorded:
                    name = next((one.text for one in known if one.code == code), None)
                    recorded[part["url"]].append(Coding(CDC_RACE_ETHNICITY, code, name or _text(coding.get("display"))))
        elif isinstance(part.get("valueString"), str):
            words.append(" ".join(part["valueString"].split()).casefold())
    if not answers and not asked:  # text says it again where there are codes
        answers |= {one.code for one in known for word in words if word in one.words}
        asked = not answers and any(word in _ASKED_WORDS for word in words)
    return _Said(frozenset(answers), asked and not answers, tuple(recorded["detailed"] or recorded["ombCategory"]))


def _absent(part: JsonObject) -> bool:
    holders = (part, *(element(part[name]) for name in ("_valueCoding", "_valueString") if name in part))
    return any(
        one.get("url") == ABSENT and one.get("valueCode") in _ASKED_ABSENT
        for holder in holders
        if "extension" in holder
        for one in objects(holder["extension"])
    )


def element(value: Any) -> JsonObject:
    """A JSON object, or an empty one in place of what is none."""
    return next(objects(value), _EMPTY)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
