"""Rows of the ready mappings as the FHIR resources that they become; every one valid R4."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapters.base import Batch, Rejected, SourceError
from adapters.repair import repair
from gapsvc.supplemental import CsvSource, read_mapping
from gapsvc.supplemental.mapping import mapping_of

CIN = "http://dhcs.ca.gov/medi-cal/cin"
ORIGIN = "https://gapsvc.example/fhir/CodeSystem/data-origin"
META = {"source": "urn:gapsvc:source:the%20source", "tag": [{"system": ORIGIN, "code": "supplemental"}]}
REGISTRY = (
    "CIN,BIRTH_DATE,LAST_NAME,FIRST_NAME,SEX,VACCINATION_ID,CVX,NDC,ADMIN_DATE,"
    "COMPLETION_STATUS,SOURCE,LOT_NUMBER,MVX,ORGANIZATION"
)
MAYA = "91234567A,11/03/2025,Reyes,Maya,F"
CLAIMS = (
    "MEMBER_CIN|MEMBER_DOB|MEMBER_SEX|CLAIM_ID|LINE|PROCEDURE_CODE|DX1|DX2|DX3|DX4|"
    "SERVICE_DATE|PLACE_OF_SERVICE|FREQUENCY|RENDERING_NPI"
)
MEMBER = "91234567A|20251103|F"


def source(tmp_path: Path, mapping: str, *lines: str, **more: Any) -> CsvSource:
    path = tmp_path / "extract.csv"
    path.write_text("\n".join(lines) + "\n")
    known = more.pop("known", lambda _system, people: people)
    return CsvSource(path, "the source", read_mapping(mapping), known=known, **more)


def batches(one: CsvSource) -> Iterator[Batch]:
    for kind in one.resource_types():
        yield from one.batches(kind)


def resources(one: CsvSource) -> list[dict[str, Any]]:
    """All resources without their ids and meta, which are the same for all; none refused; each valid."""
    found: list[dict[str, Any]] = []
    for batch in batches(one):
        assert batch.rejected == ()
        for item in batch.fetched:
            assert item.resource["meta"] == META
            assert item.resource["id"].startswith("zz-")
            get_fhir_model_class(item.resource["resourceType"]).model_validate(item.resource)
            clean = repair(item.resource, None, "here")  # what every adapter hands on needs no repair
            assert clean.resource is item.resource if not isinstance(clean, Rejected) else pytest.fail(clean.reason)
            found.append({key: value for key, value in item.resource.items() if key not in ("id", "meta")})
    return found


def rejected(one: CsvSource) -> list[tuple[str, str, str]]:
    return [(item.origin, item.code, item.reason) for batch in batches(one) for item in batch.rejected]


def patient_reference(one: CsvSource) -> dict[str, str]:
    (patient,) = [item.resource for batch in one.batches("Patient") for item in batch.fetched]
    return {"reference": f"Patient/{patient['id']}"}


def test_a_dose_of_a_registry(tmp_path: Path) -> None:
    one = source(
        tmp_path, "immunization-registry", REGISTRY, f'{MAYA},V1,8,,01/05/2026,CP,01,="0012",MSD,"Clinic, East"'
    )

    assert resources(one) == [
        {
            "resourceType": "Patient",
            "identifier": [{"system": CIN, "value": "91234567A"}],
            "birthDate": "2025-11-03",
            "name": [{"family": "Reyes", "given": ["Maya"]}],
            "gender": "female",
        },
        {
            "resourceType": "Immunization",
            "patient": patient_reference(one),
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "08"}]},
            "occurrenceDateTime": "2026-01-05",
            "primarySource": False,
            "lotNumber": "0012",
            "manufacturer": {"identifier": {"system": "http://hl7.org/fhir/sid/mvx", "value": "MSD"}},
            "location": {"display": "Clinic, East"},
        },
    ]


def test_claim_lines_become_visits_doses_and_procedures_by_their_codes(tmp_path: Path) -> None:
    one = source(
        tmp_path,
        "professional-claims",
        CLAIMS,
        f"{MEMBER}|C1|1|99391|Z00129|Z23|||20260105|11|1|1234567893",
        f"{MEMBER}|C1|2|90723|||||20260105|11|1|",
        f"{MEMBER}|C2|1|83655|||||20260105|11|7|",
        f"{MEMBER}|C3|1|G0438|||||20260206|02|8|",
        f"{MEMBER}|C4|1|90471|||||20260105|11|1|",
    )
    about = patient_reference(one)

    made = resources(one)

    assert [found["resourceType"] for found in made] == [
        "Patient",
        "Encounter",
        "Encounter",
        "Immunization",
        "Procedure",
        "Procedure",  # giving a vaccine (90471) is no dose
    ]
    assert made[1:5] == [
        {
            "resourceType": "Encounter",
            "subject": about,
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99391"}]}],
            "period": {"start": "2026-01-05"},
            "reasonCode": [
                {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z00.129"}]},
                {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z23"}]},
            ],
            "participant": [
                {"individual": {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}}}
            ],
        },
        {
            "resourceType": "Encounter",
            "subject": about,
            "status": "entered-in-error",  # a void claim
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
            "type": [
                {"coding": [{"system": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "G0438"}]}
            ],
            "period": {"start": "2026-02-06"},
        },
        {
            "resourceType": "Immunization",
            "patient": about,
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "90723"}]},
            "occurrenceDateTime": "2026-01-05",
        },
        {
            "resourceType": "Procedure",
            "subject": about,
            "status": "completed",
            "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "83655"}]},
            "performedDateTime": "2026-01-05",
        },
    ]


@pytest.mark.parametrize(
    ("mapping", "heading", "row", "made"),
    [
        pytest.param(
            "dental-claims",
            "MEMBER_CIN|MEMBER_DOB|CLAIM_ID|LINE|CDT|SERVICE_DATE|FREQUENCY|RENDERING_NPI",
            "91234567A|20251103|D1|1|D1206|20260301|1|",
            {
                "resourceType": "Procedure",
                "status": "completed",
                "code": {"coding": [{"system": "http://www.ada.org/cdt", "code": "D1206"}]},
                "performedDateTime": "2026-03-01",
            },
            id="dental claims",
        ),
        pytest.param(
            "lead-results",
            "PATIENT_CIN,PATIENT_DOB,PATIENT_LAST,PATIENT_FIRST,ACCESSION,LOINC,COLLECTED,RESULT,STATUS,LABORATORY",
            "91234567A,11/03/2025,Reyes,Maya,A1,77307-7,11/10/2026,<1.0,F,Valley Lab",
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "77307-7"}]},
                "effectiveDateTime": "2026-11-10",
                "category": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                                "code": "laboratory",
                            }
                        ]
                    }
                ],
                "valueQuantity": {
                    "value": 1.0,
                    "comparator": "<",
                    "unit": "ug/dL",
                    "system": "http://unitsofmeasure.org",
                    "code": "ug/dL",
                },
                "performer": [{"display": "Valley Lab"}],
            },
            id="lead results",
        ),
        pytest.param(
            "enrolment",
            "CIN|BIRTH_DATE|LAST_NAME|FIRST_NAME|GENDER|ZIP|PLAN_CODE|PLAN_NAME|COVERAGE_BEGIN|COVERAGE_END",
            "91234567A|20251103|Reyes|Maya|F|94601|P1|Plan of the county|20251101|99991231",
            {
                "resourceType": "Coverage",
                "status": "active",
                "period": {"start": "2025-11-01"},
                "payor": [{"display": "Plan of the county"}],
                "subscriberId": "91234567A",
            },
            id="enrolment without an end",
        ),
    ],
)
def test_a_row_of_each_other_ready_mapping(
    tmp_path: Path, mapping: str, heading: str, row: str, made: dict[str, Any]
) -> None:
    one = source(tmp_path, mapping, heading, row)
    person = "beneficiary" if made["resourceType"] == "Coverage" else "subject"
    assert resources(one)[1:] == [{**made, person: patient_reference(one)}]


def test_a_row_has_the_same_id_in_every_run_and_a_corrected_one_keeps_it(tmp_path: Path) -> None:
    def ids(*rows: str) -> list[str]:
        one = source(tmp_path, "immunization-registry", REGISTRY, *rows)
        return [item.resource["id"] for batch in one.batches("Immunization") for item in batch.fetched]

    first = f"{MAYA},V1,08,,01/05/2026,CP,00,,,"
    (before,) = ids(first)
    assert ids(f"{MAYA},V2,10,,01/05/2026,CP,00,,,", first)[1] == before
    assert ids(f"{MAYA},V1,110,,01/06/2026,CP,00,,,") == [before]
    assert ids(f"{MAYA},V2,08,,01/05/2026,CP,00,,,") != [before]


def test_what_can_not_be_used_is_told_by_file_line_column_and_shape_and_never_by_value(tmp_path: Path) -> None:
    one = source(
        tmp_path,
        "immunization-registry",
        REGISTRY,
        f"{MAYA},V1,Flu,,01/05/2026,CP,00,,,",
        f"{MAYA},V2,08,,2026/01/05,CP,00,,,",
        f"{MAYA},,08,,01/05/2026,CP,00,,,",
        f"{MAYA},V4,,,01/05/2026,CP,00,,,",
        ",11/03/2025,Reyes,Maya,F,V5,08,,01/05/2026,CP,00,,,",
        "91234567A,,Reyes,Maya,F,V6,08,,01/05/2026,CP,00,,,",
        f"{MAYA},V7,08,,01/05/2026,??,00,,,",
        f"{MAYA},V8,08,,01/05/2026,CP,00,=cmd|calc,,",
        f"{MAYA},V9,08,,01/05/2026,CP,00,,,",
    )

    told = rejected(one)

    assert told == [
        ("extract.csv:2:7", "invalid-code", "CVX: AAA can't be read; expected 1 to 3 digits"),
        (
            "extract.csv:3:9",
            "invalid-date",
            "ADMIN_DATE: 9999/99/99 can't be read; expected YYYY-MM-DD or MM/DD/YYYY or YYYYMMDD",
        ),
        ("extract.csv:4:6", "no-id", "VACCINATION_ID: empty, as is every column that names the row (VACCINATION_ID)"),
        ("extract.csv:5:7", "missing", "CVX: empty; expected the vaccine's codes"),
        ("extract.csv:6:1", "no-identifier", "CIN: empty; expected the person's identifier"),
        ("extract.csv:7:2", "missing", "BIRTH_DATE: empty; expected the birth date"),
        ("extract.csv:8:10", "not-in-table", "COMPLETION_STATUS: ?? is not in the mapping's translation table"),
        (
            "extract.csv:9:12",
            "invalid-text",
            "LOT_NUMBER: ?AAA?AAAA can't be read; expected a short text that no spreadsheet would run",
        ),
    ]
    everything = " ".join(word for row in told for word in row)
    assert not any(value in everything for value in ("91234567A", "Reyes", "Maya", "11/03/2025", "Flu", "calc"))
    assert len([item for batch in one.batches("Immunization") for item in batch.fetched]) == 1


def test_a_row_that_no_resource_takes_is_refused_or_passed_as_the_mapping_says(tmp_path: Path) -> None:
    one = source(tmp_path, "professional-claims", CLAIMS, f"{MEMBER}|C1|1|XX|||||20260105|11|1|")
    assert [code for _origin, code, _reason in rejected(one)] == ["no-kind"]

    text = (Path(read_mapping.__code__.co_filename).parent / "mappings/professional-claims.toml").read_text()
    lenient = mapping_of(text.replace('others = "refuse"', 'others = "pass"'), "lenient", "lenient.toml")
    passing = CsvSource(tmp_path / "extract.csv", "s", lenient, known=lambda _system, people: people)
    assert rejected(passing) == []
    assert [notice for batch in batches(passing) for notice in batch.notices] == [
        "left out: rows of no kind that the mapping takes: 1"
    ]


def test_rows_of_nobody_are_reported_or_kept_as_the_mapping_says(tmp_path: Path) -> None:
    rows = [REGISTRY, f"{MAYA},V1,08,,01/05/2026,CP,00,,,", "9,2020-01-01,,,,V2,08,,01/05/2026,CP,00,,,"]
    asked: list[tuple[str, set[tuple[str, str]]]] = []

    def known(system: str, people: Any) -> set[tuple[str, str]]:
        asked.append((system, set(people)))
        return {("91234567A", "2025-11-03")}

    one = source(tmp_path, "immunization-registry", *rows, known=known)
    (batch,) = one.batches("Immunization")

    assert len(batch.fetched) == 1
    assert asked == [(CIN, {("91234567A", "2025-11-03"), ("9", "2020-01-01")})]
    assert batch.notices == (
        "left out: rows of people whom no other source has (by identifier and birth date): 1; "
        "unmatched = 'keep' in the mapping's [person] takes them",
    )
    everybody = source(tmp_path, "immunization-registry", *rows, known=None)
    assert sum(len(batch.fetched) for batch in everybody.batches("Immunization")) == 2


def test_columns_are_known_by_name_whatever_their_order_and_case(tmp_path: Path) -> None:
    names = REGISTRY.lower().split(",")
    values = dict(zip(names, f"{MAYA},V1,08,,01/05/2026,CP,00,,,".split(","), strict=True))
    turned = list(reversed(names))
    one = source(
        tmp_path, "immunization-registry", ",".join([*turned, "more"]), ",".join([*(values[n] for n in turned), "x"])
    )
    assert len(resources(one)) == 2


def test_a_heading_without_the_mappings_columns_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        source(tmp_path, "immunization-registry", REGISTRY.replace("CVX", "VACCINE").replace("NDC", "cin"))
    assert str(refused.value) == (
        f"{tmp_path / 'extract.csv'}: the heading has no column CVX, NDC; has the column CIN twice. The "
        "mapping immunization-registry names them; the delimiter that it gives is ',', and the heading has 14 columns"
    )


def test_a_cut_off_reading_goes_on_behind_its_last_batch_and_a_changed_file_starts_again(tmp_path: Path) -> None:
    rows = [f"{MAYA},V{number},08,,01/05/2026,CP,00,,," for number in range(2500)]
    one = source(tmp_path, "immunization-registry", REGISTRY, *rows)
    whole = list(one.batches("Immunization"))
    assert [len(batch.fetched) for batch in whole] == [1000, 1000, 500]
    assert [batch.cursor is None for batch in whole] == [False, False, True]

    rest = list(one.batches("Immunization", cursor=whole[0].cursor))
    assert [item.resource["id"] for batch in rest for item in batch.fetched] == [
        item.resource["id"] for batch in whole[1:] for item in batch.fetched
    ]

    changed = source(tmp_path, "immunization-registry", REGISTRY, *rows, f"{MAYA},V9999,08,,01/05/2026,CP,00,,,")
    again = list(changed.batches("Immunization", cursor=whole[0].cursor))
    assert sum(len(batch.fetched) for batch in again) == 2501


def test_a_person_is_told_once_in_a_pass(tmp_path: Path) -> None:
    rows = [f"{MAYA},V{number},08,,01/05/2026,CP,00,,," for number in range(1500)]
    one = source(tmp_path, "immunization-registry", REGISTRY, *rows)
    assert [len(batch.fetched) for batch in one.batches("Patient")] == [1, 0]


def test_columns_that_do_not_name_a_row_are_told(tmp_path: Path) -> None:
    rows = [f"{MAYA},V1,08,,01/05/2026,CP,00,,,", f"{MAYA},V1,10,,01/05/2026,CP,00,,,"]
    (batch,) = source(tmp_path, "immunization-registry", REGISTRY, *rows, rows[1]).batches("Immunization")
    assert batch.notices == (
        "1 rows have the id of another row and say something else: the last one counts. Do the columns in `id` "
        "name a row?",
    )


def test_what_is_said_of_all_rows_is_said_once_at_the_end(tmp_path: Path) -> None:
    stranger = MAYA.replace("91234567A", "99999999Z")
    rows = [
        f"{stranger if number % 2 else MAYA},V{number % 2000},08,,01/0{number // 2000 + 1}/2026,CP,00,,,"
        for number in range(4000)
    ]
    one = source(
        tmp_path,
        "immunization-registry",
        REGISTRY,
        *rows,
        known=lambda _system, people: [one for one in people if one[0] == "91234567A"],
    )
    told = [batch.notices for batch in one.batches("Immunization")]
    assert told == [
        (),
        (),
        (),
        (
            "left out: rows of people whom no other source has (by identifier and birth date): 2,000; "
            "unmatched = 'keep' in the mapping's [person] takes them",
            "1,000 rows have the id of another row and say something else: the last one counts. Do the columns in `id` "
            "name a row?",
        ),
    ]
    assert [batch.notices for batch in one.batches("Patient")] == [()] * 4


def test_an_index_number_is_one_however_it_is_typed(tmp_path: Path) -> None:
    rows = [
        f"{MAYA.replace('91234567A', typed)},V{number},08,,01/05/2026,CP,00,,,"
        for number, typed in enumerate(("91234567A", "91234567a", " 9123-4567 A "))
    ]
    (batch,) = source(tmp_path, "immunization-registry", REGISTRY, *rows).batches("Patient")
    assert [item.resource["identifier"] for item in batch.fetched] == [[{"system": CIN, "value": "91234567A"}]]


def test_a_text_of_several_lines_becomes_one(tmp_path: Path) -> None:
    row = f'{MAYA},V1,08,,01/05/2026,CP,00,,,"General\nHospital,\u00a0 Nursery"'
    found = resources(source(tmp_path, "immunization-registry", REGISTRY, row))
    assert found[1]["location"] == {"display": "General Hospital, Nursery"}


def test_which_ids_a_file_holds_is_told_of_flawed_rows_too(tmp_path: Path) -> None:
    told: list[tuple[list[str], bool]] = []

    def seen(keys: Any, incomplete: bool) -> None:
        told.append((sorted(kind for kind, _id in keys), incomplete))

    good = f"{MAYA},V1,08,,01/05/2026,CP,00,,,"
    for rows in ([good], [good.replace("01/05", "31/31")], [good.replace("V1", "")], [good.replace(MAYA, ",,,,")]):
        list(source(tmp_path, "immunization-registry", REGISTRY, *rows, seen=seen).batches("Immunization"))

    assert told == [
        (["Immunization", "Patient"], False),
        (["Immunization", "Patient"], False),  # the day is wrong, but which dose it is can be told
        (["Patient"], True),
        (["Immunization"], False),
    ]
