"""A result keeps who reported its evidence, and tells a repeat of another source as what it is."""

from dataclasses import replace
from datetime import date

from gapsvc.evaluation.provenance import with_sources
from gapsvc.evaluation.result import (
    Basis,
    Counted,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    MeasureResult,
    Outlook,
)
from gapsvc.records.record import PatientRecord

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
RESULT = MeasureResult(
    subject="Patient/p",
    measure_id="m",
    measure_url="m",
    measure_version="1",
    measure_title="M",
    scoring="proportion",
    improvement_notation="increase",
    period_start=date(2026, 1, 1),
    period_end=date(2026, 12, 31),
    as_of=date(2026, 6, 1),
    groups=(GroupResult("g", "G", {}, GAP),),
    evaluated=dict.fromkeys(("Patient/p", "Encounter/visit", "Encounter/claim", "Encounter/twin"), ()),
)
PATIENT = {"resourceType": "Patient", "id": "p"}


def test_a_visit_that_a_claim_reports_too_is_told_with_its_source_and_the_clinics_own_double_is_not() -> None:
    sources = {
        "Patient/p": "clinic",
        "Encounter/visit": "clinic",
        "Encounter/claim": "health-plan",
        "Encounter/twin": "clinic",
        "Encounter/early": "clinic",
        "Encounter/never-looked-at": "clinic",
    }

    told = with_sources(RESULT, PatientRecord.of([PATIENT], sources=sources))

    assert told.sources == {name: sources[name] for name in RESULT.evaluated}
    assert told.groups[0].gap == replace(
        GAP,
        discounted=(
            Discounted(
                "Encounter/claim",
                DAY,
                "same-day",
                "reported twice: the same visit as Encounter/visit from clinic",
            ),
            *GAP.discounted[1:],
        ),
    )


def test_a_record_that_names_no_sources_changes_nothing() -> None:
    assert with_sources(RESULT, PatientRecord.of([PATIENT])) is RESULT
