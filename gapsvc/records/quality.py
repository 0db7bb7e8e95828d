"""What is wrong with how a person is known, in words that say what to mend: findings without patient data. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from gapsvc.records.record import Finding
from gapsvc.records.references import day

JsonObject = Mapping[str, Any]

BIRTH_DATE_MISSING = (
    "birth-date-missing",
    "The birth date is missing: nothing that depends on age can be told. Add it in the EHR.",
)
BIRTH_DATE_PARTIAL = (
    "birth-date-partial",
    "The birth date is not a full date: what depends on age to the day can't be told. Complete it in the EHR.",
)
INACTIVE = (
    "patient-inactive",
    "The EHR has put this Patient out of use (active is false), and no other Patient is linked with it that is in use. "
    "Link it with the one that replaced it, or mark it as in use.",
)
TWO_BIRTH_DATES = (
    "patient-contradicted",
    "This Patient comes more than once with different birth dates; the last one counts. Correct the files.",
)


def patient_findings(patient: JsonObject) -> Iterable[Finding]:
    """What the Patient who stands for a person leaves open."""
    born = patient.get("birthDate")
    reference = f"Patient/{patient['id']}"
    if not isinstance(born, str) or not born:
        yield Finding(reference, *BIRTH_DATE_MISSING)
    elif len(born) != 10 or day(born) is None:
        yield Finding(reference, *BIRTH_DATE_PARTIAL)
    if patient.get("active") is False:
        yield Finding(reference, *INACTIVE)
