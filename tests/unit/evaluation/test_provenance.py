"""A result keeps who reported its evidence, and tells a repeat of another source as what it is."""

from dataclasses import replace
from datetime import date

from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.provenance import EvidenceSources, told_twice
from gapsvc.evaluation.result import (
    Basis,
    Counted,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    Outlook,
)
from gapsvc.evaluation.serialize import from_json, to_json
from gapsvc.records.assemble import Sourced, assemble

DAY = date(2026, 3, 14)
SAME_DAY = "another one on the same day counts"
GAP = GapRecord(
    status=GapStatus.OPEN,
    need=None,
    needed=3,
    done=1,
    due_from=None,
    due_by=None,
    last_day=None,
    outlook=Outlook.ON_TRACK,
    reasons=(),
    counted=(Counted("Encounter/visit", DAY),),
    discounted=(
        Discounted("Encounter/claim", DAY, "same-day", SAME_DAY),
        Discounted("Encounter/twin", DAY, "same-day", SAME_DAY),
        Discounted("Encounter/early", date(2026, 1, 1), "before-window", "before the first day that counts"),
    ),
    changes_on=None,
    basis=Basis("m|1", "gapsvc", None, {}),
)
GROUP = GroupResult("g", "G", {}, GAP)
SOURCES = {
    "Patient/p": "clinic",
    "Encounter/visit": "clinic",
    "Encounter/claim": "health-plan",
    "Encounter/twin": "clinic",
    "Encounter/never-looked-at": "clinic",
}


def test_a_visit_that_a_claim_reports_too_is_told_with_its_source_and_the_clinics_own_double_is_not() -> None:
    told = told_twice((GROUP,), SOURCES)

    text = "reported twice: the same visit as Encounter/visit from clinic"
    claim = Discounted("Encounter/claim", DAY, "same-day", text)
    assert told == (replace(GROUP, gap=replace(GAP, discounted=(claim, *GAP.discounted[1:]))),)


def test_without_sources_nothing_is_told_otherwise() -> None:
    assert told_twice((GROUP,), {}) == (GROUP,)


def test_nothing_to_tell_gives_the_groups_themselves() -> None:
    groups = (replace(GROUP, gap=replace(GAP, discounted=())),)
    assert told_twice(groups, SOURCES) is groups


def test_a_result_says_the_sources_of_what_was_looked_at_and_of_nothing_else() -> None:
    sources = EvidenceSources({"Patient/p": (), "Encounter/claim": (), "Encounter/unknown": ()}, SOURCES)

    assert sources == {"Patient/p": "clinic", "Encounter/claim": "health-plan"}
    assert len(sources) == 2
    assert sources.get("Encounter/never-looked-at") is None
    assert sources.get("Encounter/unknown") is None


def test_an_evaluated_record_of_two_sources_keeps_who_reported_what_through_the_store() -> None:
    def visit(name: str) -> dict[str, object]:
        return {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99391"}]}],
            "subject": {"reference": "Patient/p"},
            "period": {"start": "2026-03-14"},
        }

    patient = {"resourceType": "Patient", "id": "p", "birthDate": "2026-01-10"}
    plan = {**patient, "id": "zz"}
    record = assemble(
        "p",
        [
            Sourced("clinic", patient),
            Sourced("health-plan", plan),
            Sourced("clinic", visit("a")),
            Sourced("health-plan", visit("z")),
        ],
    )
    assert record is not None
    (evaluator,) = evaluators(["three-by-120"]).values()

    result = evaluator.evaluate(record, date(2026, 1, 1), date(2026, 12, 31), date(2026, 4, 1))

    assert result.sources == {"Patient/p": "clinic", "Encounter/a": "clinic", "Encounter/z": "health-plan"}
    gap = result.groups[0].gap
    assert [item.reference for item in gap.counted] == ["Encounter/a"]
    assert [(item.reference, item.text) for item in gap.discounted] == [
        ("Encounter/z", "reported twice: the same visit as Encounter/a from clinic")
    ]
    assert from_json(to_json(result)) == result
