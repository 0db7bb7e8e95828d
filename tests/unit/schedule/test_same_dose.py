"""A dose that the clinic, a claim and a registry all report is one dose; none of its records is called invalid."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from gapsvc.evaluation.vaccines import DoseRemark, InvalidDose, vaccines
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import Schedule
from gapsvc.schedule.immunizations.history import GivenDose
from gapsvc.schedule.immunizations.same_dose import RecordedDose, told_once

DAY, NEXT = date(2026, 3, 14), date(2026, 3, 15)


def told(schedule: Schedule, *records: RecordedDose) -> tuple[list[str], dict[str, str]]:
    """(references that stand for a dose, repeat -> what it repeats); the same whatever the order of the records."""
    answers = []
    for order in permutations(records):
        stands, repeats = told_once(schedule, order)
        answers.append((sorted(one.reference for one in stands), {r.record.reference: r.of.reference for r in repeats}))
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def dose(
    reference: str, cvx: str | None, source: str = "clinic", *, on: date | None = DAY, **more: Any
) -> RecordedDose:
    historical = more.pop("historical", False)
    return RecordedDose(GivenDose(on, cvx, **more), reference, source, historical)


@pytest.mark.parametrize(
    ("records", "stands", "repeats"),
    [
        pytest.param(
            [dose("ehr", "20"), dose("registry", "20", "cair", historical=True)],
            ["ehr"],
            {"registry": "ehr"},
            id="one code, two sources: who gave it stands",
        ),
        pytest.param(
            [dose("ehr", "20"), dose("claim", "106", "plan")],
            ["claim"],
            {"ehr": "claim"},
            id="two products of one vaccine on a day: one dose, the choice doesn't depend on the order",
        ),
        pytest.param(
            [dose("ehr", "107"), dose("registry", "106", "cair", historical=True)],
            ["registry"],
            {"ehr": "registry"},
            id="the named product stands for the unspecified one, even where it is only reported",
        ),
        pytest.param(
            [dose("ehr", "110"), dose("a", "20", "cair"), dose("b", "08", "cair"), dose("c", "10", "cair")],
            ["ehr"],
            {"a": "ehr", "b": "ehr", "c": "ehr"},
            id="a registry that takes a combination vaccine apart",
        ),
        pytest.param(
            [dose("mcv4", "114"), dose("vague", "167", "cair")],
            ["mcv4"],
            {"vague": "mcv4"},
            id="unknown serogroups may hold more antigens, and say less",
        ),
        pytest.param(
            [dose("ehr", "133"), dose("registry", "33", "cair")],
            ["ehr", "registry"],
            {},
            id="conjugate and polysaccharide pneumococcal vaccines are two doses",
        ),
        pytest.param(
            [dose("ehr", "10"), dose("other", "02", "cair")], ["ehr", "other"], {}, id="oral and inactivated polio"
        ),
        pytest.param([dose("a", "20"), dose("b", "10")], ["a", "b"], {}, id="different vaccines on one day"),
        pytest.param(
            [dose("a", "20"), dose("b", "20", "cair", on=date(2026, 3, 16))], ["a", "b"], {}, id="two days apart: two"
        ),
        pytest.param(
            [dose("a", "20"), dose("b", "107", "cair", on=NEXT, historical=True)],
            ["a"],
            {"b": "a"},
            id="two sources, a day apart: one dose, on the day of who gave it",
        ),
        pytest.param(
            [dose("a", "20"), dose("b", "20", on=NEXT)], ["a", "b"], {}, id="one source, a day apart: it says two"
        ),
        pytest.param(
            [dose("a", "20"), dose("b", "20", "cair"), dose("c", "20", "cair", on=NEXT)],
            ["a", "c"],
            {"b": "a"},
            id="a source that tells of both days means two doses",
        ),
        pytest.param(
            [dose("a", "20"), dose("b", "20", "cair", on=NEXT), dose("c", "20", "plan", on=NEXT)],
            ["a"],
            {"b": "a", "c": "a"},
            id="three sources on two days: one dose",
        ),
        pytest.param(
            [dose("a", "20", mvx="PMC"), dose("b", "20", "cair", on=NEXT, mvx="SKB")],
            ["a", "b"],
            {},
            id="a day apart and of another manufacturer: two doses",
        ),
        pytest.param(
            [dose("a", "03"), dose("b", "94", "cair", on=NEXT)],
            ["a", "b"],
            {},
            id="a day apart and of other antigens: two doses",
        ),
        pytest.param(
            [dose("a", "20", None), dose("b", "20", "cair", on=NEXT)],
            ["a", "b"],
            {},
            id="a day apart, source not known",
        ),
        pytest.param(
            [dose("a", "20", mvx="PMC"), dose("b", "20", mvx="SKB")],
            ["a", "b"],
            {},
            id="one source names two manufacturers: two doses",
        ),
        pytest.param(
            [dose("a", "20", mvx="PMC"), dose("b", "20", "cair", mvx="SKB")],
            ["a"],
            {"b": "a"},
            id="two sources name two manufacturers: a mistake in one of them",
        ),
        pytest.param([dose("a", None), dose("b", None, "cair")], ["a", "b"], {}, id="without a code nothing is known"),
        pytest.param([dose("a", "20", on=None), dose("b", "20", "cair", on=None)], ["a", "b"], {}, id="without a day"),
    ],
)
def test_which_records_are_of_one_dose(
    schedule: Schedule, records: list[RecordedDose], stands: list[str], repeats: dict[str, str]
) -> None:
    assert told(schedule, *records) == (sorted(stands), repeats)


def test_what_one_source_calls_sub_potent_stays_so_when_another_does_not_know_of_it(schedule: Schedule) -> None:
    warm = dose("ehr", "20", condition=True)
    stands, repeats = told_once(schedule, [dose("registry", "20", "cair"), warm])
    assert [(one.reference, one.dose.condition) for one in stands] == [("registry", True)]
    assert [one.record for one in repeats] == [warm]


def immunization(name: str, cvx: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
        "patient": {"reference": "Patient/p"},
        "occurrenceDateTime": day,
    }


def test_a_childs_immunizations_name_the_repeat_and_its_source_and_call_neither_record_invalid(
    schedule: Schedule,
) -> None:
    child = {"resourceType": "Patient", "id": "p", "birthDate": "2026-01-10"}
    doses = [immunization("ehr", "20", "2026-03-14"), immunization("registry", "107", "2026-03-14")]
    sources = {"Patient/p": "clinic", "Immunization/ehr": "clinic", "Immunization/registry": "cair"}
    record = PatientRecord.of([child, *doses], sources=sources)

    once = vaccines(schedule, PatientRecord.of([child, doses[0]]), date(2026, 4, 1))
    twice = vaccines(schedule, record, date(2026, 4, 1))

    assert once is not None and twice is not None
    assert twice.needs == once.needs
    assert twice.invalid == ()
    assert twice.remarks == (
        DoseRemark(
            "Immunization/registry",
            "duplicate",
            "reported twice: the same dose as Immunization/ehr from clinic",
            date(2026, 3, 14),
        ),
    )
    assert twice.remarks[0].is_repeat


def test_a_record_on_the_day_of_birth_stands_for_one_on_the_day_before(schedule: Schedule) -> None:
    named = dose("registry", "08", "cair", on=date(2026, 3, 13))
    vague = dose("ehr", "45", on=DAY)
    assert [one.reference for one in told_once(schedule, [named, vague])[0]] == ["registry"]
    assert [one.reference for one in told_once(schedule, [named, vague], (DAY, NEXT))[0]] == ["ehr"]


def test_a_dose_told_a_day_apart_counts_once_and_is_named_where_a_measure_counts_both_days(schedule: Schedule) -> None:
    child = {"resourceType": "Patient", "id": "p", "birthDate": "2025-01-10"}
    doses = [immunization("ehr", "140", "2025-10-06"), immunization("registry", "88", "2025-10-07")]
    sources = {"Patient/p": "clinic", "Immunization/ehr": "clinic", "Immunization/registry": "cair"}
    once = vaccines(schedule, PatientRecord.of([child, doses[0]]), date(2025, 11, 20))
    twice = vaccines(schedule, PatientRecord.of([child, *doses], sources=sources), date(2025, 11, 20))

    assert once is not None and twice is not None
    assert twice.needs == once.needs
    assert [(one.reference, one.text, one.on, one.is_repeat) for one in twice.remarks] == [
        (
            "Immunization/registry",
            "reported twice, a day apart: the same dose as Immunization/ehr from clinic",
            date(2025, 10, 7),
            True,
        )
    ]
    assert twice.invalid == (
        InvalidDose(
            "Immunization/registry",
            date(2025, 10, 7),
            "Influenza",
            ("two sources report one dose, a day apart",),
        ),
    )
