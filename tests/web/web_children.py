"""The children whose pages are tested: few, made by hand, each for what its page has to cope with."""

from typing import Any

AS_OF = "2026-11-22"
CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"
LONG_NAME = "Maximiliana-Guadalupe Alexandria Bartholomea Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren"
MARKUP = "<script>alert(1)</script> & “Zoë”"

# CVX codes of a full childhood series, by month of age (day 2 of that month of life).
SERIES = {
    0: ("08",),
    2: ("146", "133", "116"),
    4: ("146", "133", "116"),
    6: ("146", "133", "116", "150"),
    7: ("150",),
    12: ("03", "21", "133", "83"),
    15: ("20", "48"),
    18: ("83",),
}


def patient(child: str, born: str | None, **more: Any) -> dict[str, Any]:
    """A Patient with a record number, called Ada after its id where nothing else is said."""
    named = {"use": "official", "given": [more.pop("given", "Ada")], "family": more.pop("family", child.capitalize())}
    return {
        "resourceType": "Patient",
        "id": child,
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                "system": "http://mrn.example",
                "value": f"mrn-{child}",
            }
        ],
        "name": [named],
        "gender": "female",
        **({} if born is None else {"birthDate": born}),
        **more,
    }


def visit(child: str, number: int, day: str, code: str = "99391", **more: Any) -> dict[str, Any]:
    """A finished outpatient visit; 99391 is a preventive visit of an infant."""
    return {
        "resourceType": "Encounter",
        "id": f"{child}-visit-{number}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [
            {
                "coding": [{"system": CPT, "code": code}],
                "text": "Well child visit" if code[:4] in ("9938", "9939") else "Sick visit",
            }
        ],
        "subject": {"reference": f"Patient/{child}"},
        "period": {"start": day, "end": day},
        **more,
    }


def dose(child: str, number: int, day: str, cvx: str, **more: Any) -> dict[str, Any]:
    """A completed dose."""
    return {
        "resourceType": "Immunization",
        "id": f"{child}-dose-{number}",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}]},
        "patient": {"reference": f"Patient/{child}"},
        "occurrenceDateTime": day,
        **more,
    }


def series(child: str, year: int, month: int) -> list[dict[str, Any]]:
    """The doses of SERIES for a child born on the first of a month."""
    found: list[dict[str, Any]] = []
    for months, codes in SERIES.items():
        years, place = divmod(month - 1 + months, 12)
        day = f"{year + years}-{place + 1:02}-02"
        found += [dose(child, len(found) + at, day, code) for at, code in enumerate(codes)]
    return found


def with_cin(found: dict[str, Any]) -> dict[str, Any]:
    """A Patient with the Medi-Cal number by which two sources' records are linked."""
    cin = {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MA"}]},
        "system": "http://dhcs.ca.gov/medi-cal/cin",
        "value": "97000001B",
    }
    return {**found, "identifier": [*found["identifier"], cin]}


RESOURCES: list[dict[str, Any]] = [
    # Five months old and behind: one visit, a second HepB that was too early, and a dose in a local code.
    with_cin(patient("behind", "2026-06-20", given="Emiliano", family="Peña", gender="male")),
    visit("behind", 1, "2026-06-24", "99381"),
    visit("behind", 2, "2026-09-01", "99213"),
    dose("behind", 1, "2026-06-20", "08"),
    dose("behind", 2, "2026-06-30", "08"),
    {
        **dose("behind", 3, "2026-11-17", "08"),
        "vaccineCode": {"coding": [{"system": "http://clinic.example/vaccines", "code": "V17"}], "text": "Penta shot"},
    },
    patient("newborn", "2026-11-20"),
    patient("toddler", "2024-10-01", given="Theo", gender="male"),
    *(
        visit("toddler", number, day)
        for number, day in enumerate(("2024-10-04", "2024-12-03", "2025-02-04", "2025-04-03"))
    ),
    *series("toddler", 2024, 10),
    patient("teen", "2013-06-11", given=MARKUP, family=LONG_NAME),
    *series("teen", 2013, 6),
    patient("dead", "2024-11-10", deceasedDateTime="2026-02-18T04:00:00-08:00"),
    *series("dead", 2024, 11)[:8],
    patient("undated", "2026-08"),
    patient("nameless", None, name=[]),
]

# What a registry knows of the child who is behind: under its own id, the birth dose once more, and one dose besides.
REGISTRY: list[dict[str, Any]] = [
    with_cin(patient("reg-77", "2026-06-20", given="Emiliano", family="Peña", gender="male")),
    dose("reg-77", 1, "2026-06-20", "08"),
    dose("reg-77", 2, "2026-09-01", "133"),
]
