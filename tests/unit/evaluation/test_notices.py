"""What is to be read before a child's list: death, hospice, conditions that rule out vaccines, a missing birth date."""

from datetime import date
from typing import Any

import pytest

from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.child import ChildReader, ChildView
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import load

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def reader() -> ChildReader:
    return ChildReader.of(evaluators(["cis", "wcv"]), load())


def view(reader: ChildReader, born: str | None, *resources: dict[str, Any], **patient: Any) -> ChildView:
    child = {"resourceType": "Patient", "id": "child", "gender": "female", **patient}
    return reader.on(AS_OF).view(PatientRecord.of([child | ({"birthDate": born} if born else {}), *resources]))


def test_most_children_have_none(reader: ChildReader) -> None:
    assert view(reader, "2024-05-01").notices == ()


@pytest.mark.parametrize(
    ("patient", "said"),
    [
        ({"deceasedDateTime": "2026-11-22"}, "died on Nov 22, 2026: nothing is to be done"),
        ({"deceasedDateTime": "2026-03"}, "died in 2026-03: nothing is to be done"),
        ({"deceasedBoolean": True}, "died, on a day that is not recorded: nothing is to be done"),
    ],
)
def test_a_child_who_has_died(reader: ChildReader, patient: dict[str, Any], said: str) -> None:
    found = view(reader, "2024-05-01", **patient)
    assert (found.notices, found.actions) == ((said,), ())


@pytest.mark.parametrize("patient", [{"deceasedDateTime": "2026-11-23"}, {"deceasedBoolean": False}])
def test_one_who_lives(reader: ChildReader, patient: dict[str, Any]) -> None:
    found = view(reader, "2024-05-01", **patient)
    assert found.notices == () and found.actions


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (None, "no birth date is recorded: what is due can't be told. Complete it in the record"),
        ("2024-05", "the birth date is only 2024-05: what is due can't be told. Complete it in the record"),
        ("2027-01-01", "born on Jan 1, 2027, after this list's day: what is due can't be told"),
    ],
)
def test_without_an_age_nothing_is_claimed(reader: ChildReader, born: str | None, said: str) -> None:
    found = view(reader, born)
    assert (found.notices, found.vaccines) == ((said,), None)


def test_hospice_is_told_before_what_the_schedules_would_have_done(reader: ChildReader) -> None:
    hospice = {
        "resourceType": "Encounter",
        "id": "h",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "305911006"}]}],
        "subject": {"reference": "Patient/child"},
        "period": {"start": "2026-05-01"},
    }
    (said,) = view(reader, "2020-05-01", hospice).notices
    assert said == "in hospice care by this record: ask what is wanted before anything below is done"


def test_a_condition_that_excludes_from_the_measure_is_told_before_vaccines_are_named(reader: ChildReader) -> None:
    immune = {
        "resourceType": "Condition",
        "id": "c",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "subject": {"reference": "Patient/child"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D81.9"}]},
        "onsetDateTime": "2025-06-01",
    }
    (said,) = view(reader, "2024-12-10", immune).notices
    assert said.startswith("this record has a condition that rules out some vaccines")
