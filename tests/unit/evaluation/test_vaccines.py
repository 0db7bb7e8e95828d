"""Immunization needs beside measure gaps: what is due, which doses don't count, and a measure met by such a dose."""

from datetime import date
from typing import Any

import pytest

from gapsvc.evaluation.catalogue import evaluators
from gapsvc.evaluation.vaccines import met_with_invalid_doses, vaccines
from gapsvc.records.record import PatientRecord
from gapsvc.schedule.immunizations import Schedule, load
from gapsvc.schedule.immunizations.vaccine_codes import CodeTable

BORN = "2024-06-01"


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return load()


def dose(name: str, day: str, cvx: str) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "patient": {"reference": "Patient/child"},
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
        "occurrenceDateTime": day,
    }


def child(*doses: dict[str, Any], born: str = BORN) -> PatientRecord:
    return PatientRecord.of([{"resourceType": "Patient", "id": "child", "birthDate": born, "gender": "male"}, *doses])


def test_a_child_without_measles_vaccine_at_two_is_overdue(schedule: Schedule) -> None:
    found = vaccines(schedule, child(), date(2026, 6, 1))
    assert found is not None
    (mmr,) = [need for need in found.needs if need.group == "MMR"]
    assert (mmr.urgency, mmr.number, mmr.due_from) == ("overdue", 1, date(2025, 6, 1))
    assert mmr.overdue_since is not None and mmr.overdue_since <= date(2026, 6, 1)


def test_a_dose_before_the_first_birthday_does_not_count_and_says_why(schedule: Schedule) -> None:
    found = vaccines(schedule, child(dose("early", "2025-05-01", "03")), date(2026, 6, 1))  # eleven months
    assert found is not None
    mine = [one for one in found.invalid if one.group == "MMR"]
    assert [(one.reference, one.given) for one in mine] == [("Immunization/early", date(2025, 5, 1))]
    assert mine[0].reasons


def test_a_measure_that_is_met_by_an_invalid_dose_is_named(schedule: Schedule) -> None:
    # CIS counts distinct days and no intervals: the second polio dose a week after the first.
    doses = [dose("one", "2024-08-01", "10"), dose("two", "2024-08-08", "10"), dose("three", "2024-12-01", "10")]
    record = child(*doses)
    found = vaccines(schedule, record, date(2026, 6, 2))
    assert found is not None
    assert [one.reference for one in found.invalid if one.group == "Polio"] == ["Immunization/two"]
    result = evaluators(["cis"])["cis"].evaluate(record, date(2026, 1, 1), date(2026, 12, 31), date(2026, 6, 2))
    named = met_with_invalid_doses([result], found)
    assert "Immunization/two" in {invalid.reference for _rate, invalid in named}


def test_nothing_is_named_where_every_dose_is_valid(schedule: Schedule) -> None:
    record = child(dose("one", "2025-06-10", "03"))
    found = vaccines(schedule, record, date(2026, 6, 2))
    assert found is not None
    result = evaluators(["cis"])["cis"].evaluate(record, date(2026, 1, 1), date(2026, 12, 31), date(2026, 6, 2))
    assert met_with_invalid_doses([result], found) == []


def test_a_combination_vaccine_is_named_only_with_the_rate_that_it_is_not_valid_for(schedule: Schedule) -> None:
    # Hepatitis B at birth, then three times Pediarix: the second two weeks after the first is too soon for all three
    # groups, the third (twelve weeks old) too early for the last dose of hepatitis B alone.
    doses = [dose("birth", "2024-06-01", "08")]
    doses += [dose(name, on, "110") for name, on in (("p1", "2024-07-20"), ("p2", "2024-08-20"), ("p3", "2024-09-20"))]
    record = child(*doses)
    found = vaccines(schedule, record, date(2026, 6, 2))
    assert found is not None
    invalid = {(one.reference, one.group) for one in found.invalid}
    assert ("Immunization/p3", "HepB") in invalid and ("Immunization/p3", "Polio") not in invalid
    result = evaluators(["cis"])["cis"].evaluate(record, date(2026, 1, 1), date(2026, 12, 31), date(2026, 6, 2))
    named = {(rate, one.reference, one.group) for rate, one in met_with_invalid_doses([result], found)}
    assert ("Hepatitis B, 3 doses", "Immunization/p3", "HepB") in named
    assert not {rate for rate, _, _ in named if rate.startswith(("DTaP", "IPV"))}


@pytest.mark.parametrize("born", ["2024", "2024-06", "2027-01-01"])
def test_without_a_whole_birth_date_there_is_nothing_to_say(schedule: Schedule, born: str) -> None:
    assert vaccines(schedule, child(born=born), date(2026, 6, 1)) is None


def test_a_dose_coded_with_ndc_alone_is_judged_by_the_table(schedule: Schedule) -> None:
    mmr = dose("mmr", "2025-06-10", "03")
    mmr["vaccineCode"] = {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "11111-1111-11"}]}
    without = vaccines(schedule, child(mmr), date(2026, 6, 1))
    judged = vaccines(schedule, child(mmr), date(2026, 6, 1), CodeTable(ndc={"11111111111": "03"}))
    assert without is not None and judged is not None
    assert [need.number for need in without.needs if need.group == "MMR"] == [1]
    assert {(one.reference, one.code, one.on) for one in without.remarks} == {
        ("Immunization/mmr", "no-cvx", date(2025, 6, 10))
    }
    assert [need.number for need in judged.needs if need.group == "MMR"] == [2]
    assert judged.remarks == ()


def test_every_dose_is_judged_in_words_with_what_is_next(schedule: Schedule) -> None:
    record = child(dose("one", "2024-08-01", "110"), dose("two", "2024-08-08", "10"), dose("three", "2024-12-01", "10"))
    found = vaccines(schedule, record, date(2026, 6, 2))
    assert found is not None
    polio = next(history for history in found.histories if history.group == "Polio")
    assert [(one.given, one.product, one.verdict, one.number, one.reasons) for one in polio.doses] == [
        (date(2024, 8, 1), "Pediarix (DTaP-Hep B-IPV)", "valid", 1, ()),
        (date(2024, 8, 8), "IPOL (IPV)", "not valid", None, ("too soon after the dose before",)),
        (date(2024, 12, 1), "IPOL (IPV)", "valid", 2, ()),
    ]
    assert polio.need is not None and (polio.need.urgency, polio.need.number) == ("overdue", 3)
    hepatitis_b = next(history for history in found.histories if history.group == "HepB")
    assert [one.reference for one in hepatitis_b.doses] == ["Immunization/one"]  # a combination: one dose, three groups


def test_a_dose_that_can_not_be_judged_is_remarked_on(schedule: Schedule) -> None:
    record = child(dose("early", "2024-05-01", "10"), dose("odd", "2025-06-10", "999"))
    found = vaccines(schedule, record, date(2026, 6, 1))
    assert found is not None
    assert {remark.reference for remark in found.remarks} == {"Immunization/early", "Immunization/odd"}
    assert all(not history.doses for history in found.histories)
