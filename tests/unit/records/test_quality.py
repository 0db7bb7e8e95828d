"""What is wrong with how a person is known is said, and the record goes on with what is known."""

from typing import Any

import pytest

from gapsvc.records.assemble import Sourced, assemble
from gapsvc.records.population import population


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **more}


@pytest.mark.parametrize(
    ("resource", "codes"),
    [
        (patient(birthDate="2025-01-10"), []),
        (patient(birthDate="2025-01-10", active=True), []),
        (patient(), ["birth-date-missing"]),
        (patient(birthDate="2025"), ["birth-date-partial"]),
        (patient(birthDate="2025-01"), ["birth-date-partial"]),
        (patient(birthDate="2025-01-10", active=False), ["patient-inactive"]),
        (patient(birthDate="2025-01", active=False), ["birth-date-partial", "patient-inactive"]),
    ],
)
def test_what_a_patient_leaves_open(resource: dict[str, Any], codes: list[str]) -> None:
    record = assemble("p", [Sourced("clinic", resource)])
    assert record is not None
    assert [(found.reference, found.code) for found in record.findings] == [("Patient/p", code) for code in codes]
    assert not any("2025" in found.text for found in record.findings)


def test_an_inactive_patient_who_is_linked_with_one_in_use_is_no_finding() -> None:
    replaced = patient(birthDate="2025-01-10", active=False)
    in_use = {**patient(birthDate="2025-01-10"), "id": "q"}
    record = assemble("p", [Sourced("clinic", replaced), Sourced("clinic", in_use)])
    assert record is not None
    assert record.findings == ()


def test_a_patient_who_comes_twice_with_different_birth_dates_is_told_and_the_last_counts() -> None:
    twice = [patient(birthDate="2025-01-10"), patient(birthDate="2025-01-11")]
    (record,) = population(Sourced("clinic", one) for one in twice)
    assert record.patient["birthDate"] == "2025-01-11"
    assert [found.code for found in record.findings] == ["patient-contradicted"]


def test_a_patient_who_comes_twice_alike_is_no_finding_and_two_sources_number_as_they_like() -> None:
    alike = [Sourced("clinic", patient(birthDate="2025-01-10"))] * 2
    other = Sourced("hospital", patient(birthDate="2019-05-05"))
    assert [record.findings for record in population([*alike, other])] == [(), ()]
