"""What a combination's pending gap says would close it: one reason for each missing part."""

from datetime import date

from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import DataRequirement, GapRecord, GapStatus, Outlook
from gapsvc.measures import catalog
from gapsvc.records.record import PatientRecord

BORN = date(2024, 3, 10)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
SETS = "https://gapsvc.example/fhir/ValueSet/"


def combination(as_of: date, *cvx_and_days: tuple[str, str], group: str = "combination-10") -> GapRecord:
    """The gap of a combination of CIS, of the child with these doses."""
    doses = [
        {
            "resourceType": "Immunization",
            "id": f"dose-{number}",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
            "patient": {"reference": "Patient/child"},
            "occurrenceDateTime": day,
        }
        for number, (cvx, day) in enumerate(cvx_and_days)
    ]
    patient = {"resourceType": "Patient", "id": "child", "birthDate": BORN.isoformat()}
    result = Evaluator(catalog()["cis"], software="test").evaluate(PatientRecord.of([patient, *doses]), *PERIOD, as_of)
    return next(one.gap for one in result.groups if one.id == group)


UP_TO_ONE_YEAR = (
    *(("120", day) for day in ("2024-05-10", "2024-07-10", "2024-09-10")),
    *(("133", day) for day in ("2024-05-10", "2024-07-10", "2024-09-10", "2025-03-10")),
    *(("08", day) for day in ("2024-03-10", "2024-05-10", "2024-12-10")),
    *(("119", day) for day in ("2024-05-10", "2024-07-10")),
    ("94", "2025-03-10"),
    ("83", "2025-03-10"),
    ("150", "2024-10-10"),
)


def test_each_missing_vaccine_is_a_reason_with_its_value_set_and_days() -> None:
    gap = combination(date(2026, 1, 15), *UP_TO_ONE_YEAR)
    assert [(reason.code, reason.text, reason.requirement) for reason in gap.reasons] == [
        ("CountOutOfRange", "8 of 10 done; last day Mar 10, 2026", None),
        (
            "CountOutOfRange",
            "fourth DTaP dose of 4",
            DataRequirement(
                "Immunization", "vaccineCode", f"{SETS}vaccine-dtap", "occurrence", date(2024, 9, 11), date(2026, 3, 10)
            ),
        ),
        (
            "CountOutOfRange",
            "second influenza dose of 2",
            DataRequirement(
                "Immunization",
                "vaccineCode",
                f"{SETS}vaccine-influenza",
                "occurrence",
                date(2024, 10, 11),
                date(2026, 3, 10),
            ),
        ),
    ]


def test_what_is_no_longer_possible_asks_for_nothing() -> None:
    gap = combination(date(2026, 3, 11), *UP_TO_ONE_YEAR)
    assert gap.outlook is Outlook.MISSED
    assert [(reason.text, reason.requirement) for reason in gap.reasons] == [
        ("8 of 10 done; last day Mar 10, 2026; no longer possible", None),
        ("fourth DTaP dose of 4: no longer possible", None),
        ("second influenza dose of 2: no longer possible", None),
    ]


def test_a_combination_that_is_met_has_its_own_reason_only() -> None:
    gap = combination(date(2026, 1, 15), *UP_TO_ONE_YEAR, ("20", "2025-06-10"), group="combination-7")
    assert gap.status is GapStatus.CLOSED
    assert [(reason.text, reason.requirement) for reason in gap.reasons] == [("9 of 9 done", None)]
