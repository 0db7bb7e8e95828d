"""adapters.repair: what is repaired, what loses one element, what is kept aside whole."""

import copy
import importlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Fetched, Rejected
from adapters.dates import read_date
from adapters.deviations import DATE_NAMES, DATETIME_NAMES, DEVIATIONS, REJECTIONS
from adapters.repair import MAX_DEPTH, repair

CPT = "http://www.ama-assn.org/go/cpt"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def clean_encounter() -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "visit-1",
        "meta": {"lastUpdated": "2024-03-01T18:00:00.123Z"},
        "status": "finished",
        "class": {"system": ACT, "code": "AMB"},
        "type": [{"coding": [{"system": CPT, "code": "99391"}]}],
        "subject": {"reference": "Patient/child-1"},
        "period": {"start": "2024-02-29T10:00:00-08:00", "end": "2024-02-29"},
        "reasonCode": [{"coding": [{"system": ICD10CM, "code": "Z00.129"}]}],
    }


def repaired(resource: dict[str, Any], **options: Any) -> Fetched:
    result = repair(resource, None, "Visits.ndjson:1", **options)
    assert isinstance(result, Fetched)
    return result


def test_a_clean_resource_is_handed_on_as_it_is() -> None:
    encounter = clean_encounter()
    result = repair(encounter, "Encounter", "Visits.ndjson:7")
    assert result == Fetched(encounter, "Visits.ndjson:7")
    assert result.resource is encounter


# element of the Encounter above, what the EHR wrote there, what is handed on (None: the element is dropped), codes
ENCOUNTER_ROWS: list[tuple[str, Any, Any, tuple[str, ...]]] = [
    ("status", "FINISHED", "finished", ("code-spelling:Encounter.status",)),
    ("status", "In Progress", "in-progress", ("code-spelling:Encounter.status",)),
    ("status", "ENTERED_IN_ERROR", "entered-in-error", ("code-spelling:Encounter.status",)),
    (
        "status",
        " finished ",
        "finished",
        ("text-trimmed:Encounter.status",),
    ),
    ("status", "completed", "finished", ("r5-encounter-status:Encounter.status",)),
    ("id", 4711, "4711", ("number-as-text:Encounter.id",)),
    ("id", " visit-1", "visit-1", ("text-trimmed:Encounter.id",)),
    (
        "class",
        {"coding": [{"system": ACT, "code": "AMB"}]},
        {"system": ACT, "code": "AMB"},
        ("encounter-class-shape:Encounter.class",),
    ),
    (
        "class",
        [{"coding": [{"system": "urn:oid:2.16.840.1.113883.5.4", "code": "EMER"}]}],
        {"system": ACT, "code": "EMER"},
        ("encounter-class-shape:Encounter.class", "code-system-alias:Encounter.class.system"),
    ),
    ("class", "AMB", {"system": ACT, "code": "AMB"}, ("encounter-class-shape:Encounter.class",)),
    ("class", {"text": "Ambulatory"}, {"text": "Ambulatory"}, ()),
    ("subject", "Patient/child-1", {"reference": "Patient/child-1"}, ("reference-text:Encounter.subject",)),
    (
        "subject",
        {"reference": "urn:uuid:child-1"},
        {"reference": "Patient/child-1"},
        ("reference-urn:Encounter.subject.reference",),
    ),
    (
        "subject",
        {"reference": "Patient/child-1/_history/3"},
        {"reference": "Patient/child-1"},
        ("reference-version:Encounter.subject.reference",),
    ),
    ("subject", 5, None, ("wrong-shape:Encounter.subject",)),
    (
        "type",
        {"coding": {"system": "2.16.840.1.113883.6.12", "code": 99391}},
        [{"coding": [{"system": CPT, "code": "99391"}]}],
        (
            "list-made:Encounter.type",
            "code-system-alias:Encounter.type.coding.system",
            "number-as-text:Encounter.type.coding.code",
            "list-made:Encounter.type.coding",
        ),
    ),
    (
        "type",
        [{"coding": [{"system": CPT, "code": " 99391 "}], "text": ""}, {}, None],
        [{"coding": [{"system": CPT, "code": "99391"}]}],
        (
            "text-trimmed:Encounter.type.coding.code",
            "empty-removed:Encounter.type.text",
            "empty-removed:Encounter.type",
        ),
    ),
    ("reasonCode", [], None, ("empty-removed:Encounter.reasonCode",)),
    ("serviceType", {"coding": [{"code": ""}]}, None, (
        "empty-removed:Encounter.serviceType.coding.code",
        "empty-removed:Encounter.serviceType.coding",
        "empty-removed:Encounter.serviceType",
    )),
    (
        "reasonCode",
        [{"coding": [{"system": ICD10CM, "code": "z00129"}]}],
        [{"coding": [{"system": ICD10CM, "code": "Z00.129"}]}],
        ("icd10-dot:Encounter.reasonCode.coding.code",),
    ),
    (
        "period",
        {"start": "2024-03-01 10:00", "end": "2024-02-30"},
        {"start": "2024-03-01T10:00:00"},
        (
            "datetime-separator:Encounter.period.start",
            "datetime-without-seconds:Encounter.period.start",
            "datetime-without-offset:Encounter.period.start",
            "invalid-date:Encounter.period.end",
        ),
    ),
    ("period", [{"start": "2024"}], {"start": "2024"}, ("list-unwrapped:Encounter.period",)),
    ("period", {"end": "someday"}, None, ("invalid-date:Encounter.period.end", "empty-removed:Encounter.period")),
]  # fmt: skip


@pytest.mark.parametrize(("element", "written", "read", "codes"), ENCOUNTER_ROWS)
def test_one_deviation_of_an_encounter(element: str, written: Any, read: Any, codes: tuple[str, ...]) -> None:
    source = clean_encounter() | {element: written}
    before = copy.deepcopy(source)
    expected = clean_encounter() | {element: read}
    if read is None:
        del expected[element]
    result = repaired(source)
    assert result.resource == expected
    assert result.repairs == codes
    assert source == before  # what was handed in is never changed


def test_r5_period_gets_its_r4_name() -> None:
    encounter = clean_encounter()
    encounter["actualPeriod"] = encounter.pop("period")
    result = repaired(encounter)
    assert result.resource == clean_encounter()
    assert result.repairs == ("r5-element-name:Encounter.actualPeriod",)


@pytest.mark.parametrize(
    ("system", "code", "read"),
    [
        (CVX, "8", "08"),
        (CVX, 8, "08"),
        ("urn:oid:2.16.840.1.113883.12.292", "8", "08"),
        (CVX, "020", "20"),
        (CVX, "140", "140"),
        (CVX, "MMR", "MMR"),
        ("urn:local:vaccines", "8", "8"),
    ],
)
def test_cvx_codes_are_written_as_cdc_does(system: str, code: Any, read: str) -> None:
    dose = {
        "resourceType": "Immunization",
        "id": "dose-1",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": system, "code": code}]},
        "patient": {"reference": "Patient/child-1"},
        "occurrenceDateTime": "2024-03",
    }
    canonical = CVX if "12.292" in system else system
    assert repaired(dose).resource == dose | {"vaccineCode": {"coding": [{"system": canonical, "code": read}]}}


def test_an_immunization_without_a_vaccine_code_stays() -> None:
    dose = {"resourceType": "Immunization", "id": "dose-1", "status": "completed", "primarySource": "TRUE"}
    result = repaired(dose)
    assert result.resource == dose | {"primarySource": True}
    assert result.repairs == ("text-as-boolean:Immunization.primarySource",)


def test_a_birth_date_loses_its_time_and_an_impossible_one_only_itself() -> None:
    child = {"resourceType": "Patient", "id": "child-1", "birthDate": "2024-03-01T00:00:00.000Z", "gender": "Female"}
    result = repaired(child)
    assert result.resource == child | {"birthDate": "2024-03-01", "gender": "female"}
    assert result.repairs == ("date-with-time:Patient.birthDate", "code-spelling:Patient.gender")
    result = repaired(child | {"birthDate": "2023-02-29"})
    assert result.resource == {"resourceType": "Patient", "id": "child-1", "gender": "female"}
    assert result.repairs == ("invalid-date:Patient.birthDate", "code-spelling:Patient.gender")


def test_null_beside_a_primitive_extension_keeps_its_place() -> None:
    absent = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}
    name = {"given": [None, "Ana"], "_given": [absent, None]}
    child = {"resourceType": "Patient", "id": "child-1", "name": [name]}
    assert repaired(child) == Fetched(child, "Visits.ndjson:1")
    assert repaired(child | {"name": [{"given": [None, "Ana"]}]}).resource["name"] == [{"given": ["Ana"]}]


def test_references_on_the_servers_own_base_become_relative() -> None:
    encounter = clean_encounter() | {"subject": {"reference": "https://ehr.example/fhir/Patient/child-1/_history/2"}}
    result = repaired(encounter, base_url="https://ehr.example/fhir/")
    assert result.resource == clean_encounter()
    assert result.repairs == (
        "reference-absolute:Encounter.subject.reference",
        "reference-version:Encounter.subject.reference",
    )
    foreign = repaired(encounter, base_url="https://ehr.example/fhir2")
    assert foreign.resource is encounter


def test_text_that_is_not_utf8_is_read_as_windows_1252() -> None:
    raw = '{"resourceType":"Patient","id":"child-1","name":[{"family":"Muñoz"}]}'.encode("cp1252")
    result = repair(raw, None, "Patient.ndjson:1")
    assert result == Fetched(
        {"resourceType": "Patient", "id": "child-1", "name": [{"family": "Muñoz"}]},
        "Patient.ndjson:1",
        ("text-encoding",),
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'"two\nlines\there"', "two\nlines\there"),
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\ude00 cut"', "\ufffd cut"),
        (rb'"whole \ud83d\ude00, cut \ud83d"', "whole \U0001f600, cut \ufffd"),
    ],
)
def test_text_that_is_not_quite_json_is_read(written: bytes, read: str) -> None:
    result = repair(b'{"resourceType":"Basic","id":"b","note":' + written + b"}", None, "Basic.ndjson:1")
    basic = {"resourceType": "Basic", "id": "b", "note": read}
    assert result == Fetched(basic, "Basic.ndjson:1", ("text-encoding",))


def test_not_a_number_is_no_value() -> None:
    result = repair(b'{"resourceType":"Basic","id":"b","a":NaN,"b":1}', None, "x")
    assert result == Fetched(
        {"resourceType": "Basic", "id": "b", "b": 1}, "x", ("text-encoding", "empty-removed:Basic.a")
    )


REJECTED: list[tuple[bytes, str | None, str]] = [
    (b'{"resourceType":"Patient","id":', None, "not-json"),
    (b"\xff\xfe{\x00}\x00", None, "not-json"),
    (b"[]", None, "not-an-object"),
    (b"null", None, "not-an-object"),
    (b"{}", None, "no-resource-type"),
    (b'{"resourceType":"patient!","id":"1"}', None, "no-resource-type"),
    (b'{"resourceType":7,"id":"1"}', None, "no-resource-type"),
    (b'{"resourceType":"Patient"}', None, "no-id"),
    (b'{"resourceType":"Patient","id":" "}', None, "no-id"),
    (b'{"resourceType":"Patient","id":null}', None, "no-id"),
    (b'{"resourceType":"Patient","id":"a b"}', None, "bad-id"),
    (b'{"resourceType":"Patient","id":"' + b"x" * 65 + b'"}', None, "bad-id"),
    (b'{"resourceType":"Patient","id":"1"}', "Encounter", "wrong-type"),
    (b'{"resourceType":"Patient","id":"1","x":' + b'{"x":' * 70 + b"1" + b"}" * 71, None, "too-deep"),
    (b'{"resourceType":"Patient","id":"1","x":' + b"[" * 70 + b"1" + b"]" * 70 + b"}", None, "too-deep"),
    (b'{"resourceType":"Patient","id":"1","x":' + b"[" * 5000 + b"]" * 5000 + b"}", None, "not-json"),
]


@pytest.mark.parametrize(("raw", "expected_type", "code"), REJECTED)
def test_what_cannot_be_used_is_kept_aside_whole(raw: bytes, expected_type: str | None, code: str) -> None:
    result = repair(raw, expected_type, "Patient.ndjson:3")
    assert isinstance(result, Rejected)
    assert (result.code, result.raw, result.origin) == (code, raw, "Patient.ndjson:3")
    assert result.reason


def test_reasons_hold_no_values() -> None:
    for raw, expected_type, _ in REJECTED:
        result = repair(raw.replace(b"a b", b"Canary Zebra"), expected_type, "x")
        assert isinstance(result, Rejected)
        assert "Canary" not in result.reason


def test_a_dict_nested_beyond_what_json_writers_take_is_still_rejected() -> None:
    deep: dict[str, Any] = {"resourceType": "Patient", "id": "1"}
    for _ in range(400):
        deep = {"resourceType": "Patient", "id": "1", "x": deep}
    result = repair(deep, None, "page#1")
    assert isinstance(result, Rejected)
    assert result.code == "too-deep"
    assert orjson.loads(result.raw) == deep


# --- the grammar of dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "written", "read", "codes"),
    [
        ("date", "2024", "2024", ()),
        ("date", "2024-03", "2024-03", ()),
        ("date", "2024-02-29", "2024-02-29", ()),
        ("date", "2023-02-29", None, ("invalid-date",)),
        ("date", "1900-02-29", None, ("invalid-date",)),
        ("date", "0000-01-01", None, ("invalid-date",)),
        ("date", "2024-13-01", None, ("invalid-date",)),
        ("date", "2024-3-1", None, ("invalid-date",)),
        ("date", "03/01/2024", None, ("invalid-date",)),
        ("date", "20240301", "2024-03-01", ("compact-date",)),
        ("date", "240301", None, ("invalid-date",)),
        ("date", "2024-03-01T23:30:00-08:00", "2024-03-01", ("date-with-time",)),
        ("date", " 2024-03-01 ", "2024-03-01", ("text-trimmed",)),
        ("date", "2024-03-01\n", "2024-03-01", ("text-trimmed",)),
        ("date", "٢٠٢٤-03-01", None, ("invalid-date",)),
        ("dateTime", "2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z", ()),
        ("dateTime", "2024-03-01T10:00:00.5+14:00", "2024-03-01T10:00:00.5+14:00", ()),
        ("dateTime", "2024-03-01T10:00:00+15:00", None, ("invalid-date",)),
        ("dateTime", "2024-03-01T24:00:00Z", None, ("invalid-date",)),
        ("dateTime", "2024-03-01T23:59:60Z", "2024-03-01T23:59:60Z", ()),
        ("dateTime", "2024-02-30T10:00:00", None, ("invalid-date",)),
        ("dateTime", "2024-03-01T10:00:00", "2024-03-01T10:00:00", ("datetime-without-offset",)),
        (
            "dateTime",
            "2024-03-01T10:00",
            "2024-03-01T10:00:00",
            ("datetime-without-seconds", "datetime-without-offset"),
        ),
        ("dateTime", "2024-03-01T10:00Z", "2024-03-01T10:00:00Z", ("datetime-without-seconds",)),
        ("dateTime", "2024-03-01T10:00:00-0800", "2024-03-01T10:00:00-08:00", ("datetime-offset",)),
        ("dateTime", "2024-03-01T10:00:00-08", "2024-03-01T10:00:00-08:00", ("datetime-offset",)),
        (
            "dateTime",
            "2024-03-01 10:00:00 UTC",
            "2024-03-01T10:00:00Z",
            ("datetime-separator", "datetime-offset"),
        ),
        ("dateTime", "2024-03-01T10:00:00,250Z", "2024-03-01T10:00:00.250Z", ("datetime-fraction",)),
        (
            "dateTime",
            "20240301101500-0800",
            "2024-03-01T10:15:00-08:00",
            ("compact-date", "datetime-offset"),
        ),
        ("dateTime", "tomorrow", None, ("invalid-date",)),
    ],
)
def test_dates_as_they_are_written(kind: Any, written: str, read: str | None, codes: tuple[str, ...]) -> None:
    assert read_date(written, kind) == (read, codes)


@given(st.sampled_from(["date", "dateTime"]), st.text(alphabet="0123456789-:TZ+. tz,/", max_size=30))
def test_a_date_that_was_read_reads_the_same_again(kind: Any, written: str) -> None:
    read, _ = read_date(written, kind)
    if read is not None:
        assert read_date(read, kind)[0] == read


# --- properties ---------------------------------------------------------------------------------------------------

ELEMENTS = """
    resourceType id status class type subject reference period start end birthDate coding code system value
    identifier given _given name extension active recorded vaccineCode occurrenceDateTime gender
"""
NAMES = st.sampled_from(ELEMENTS.split())
TEXTS = st.sampled_from(
    [
        *("", " ", "Patient", "Encounter", "Immunization", "a", " a ", "x y", "FINISHED", "completed", "TRUE"),
        *("2024-02", "2024-02-30", "2024-03-01 10:00", "urn:uuid:1", "Patient/1", "8", CVX),
        "urn:oid:2.16.840.1.113883.12.292",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5))
RESOURCES = st.builds(
    lambda name, ident, rest: rest | {"resourceType": name, "id": ident},
    st.sampled_from(["Patient", "Encounter", "Immunization", "Basic"]),
    st.sampled_from(["1", " b-2", 3]),
    st.dictionaries(NAMES, JSON, max_size=8),
)


@given(JSON)
def test_any_json_value_is_repaired_or_rejected(value: Any) -> None:
    result = repair(orjson.dumps(value), None, "x:1")
    assert isinstance(result, Fetched | Rejected)


@given(RESOURCES)
def test_a_resource_with_type_and_id_is_never_lost_and_repair_is_idempotent(resource: dict[str, Any]) -> None:
    before = copy.deepcopy(resource)
    once = repaired(resource)
    assert resource == before
    twice = repaired(once.resource)
    assert twice.resource is once.resource
    remarks = {code for code in twice.repairs if not code.startswith("datetime-without-offset:")}
    assert remarks == set()
    assert once.resource is not resource or all("datetime-without-offset" in code for code in once.repairs)


@given(RESOURCES)
def test_every_code_is_a_row_of_the_tables(resource: dict[str, Any]) -> None:
    known = {row.code for row in DEVIATIONS}
    assert {code.partition(":")[0] for code in repaired(resource).repairs} <= known


def test_the_tables_have_one_row_per_code() -> None:
    codes = [row.code for row in (*DEVIATIONS, *REJECTIONS)]
    assert len(codes) == len(set(codes))
    assert MAX_DEPTH < 254  # what orjson can write


READ_TYPES = """
    patient encounter immunization condition procedure observation coverage organization location practitioner
    practitionerrole relatedperson group claim medicationrequest allergyintolerance careplan diagnosticreport
    servicerequest documentreference goal period annotation identifier meta extension
"""


def test_date_names_are_dates_in_the_r4_models() -> None:
    """Against fhir.resources: in the types that we read, a tabled name is a date, or text never."""
    kinds: dict[str, set[str]] = {}
    for module in READ_TYPES.split():
        for model in vars(importlib.import_module(f"fhir.resources.R4B.{module}")).values():
            if not (isinstance(model, type) and hasattr(model, "model_fields")):
                continue
            if not model.__module__.endswith(module):
                continue
            for name, info in model.model_fields.items():
                alias = info.alias or name
                for primitive in ("DateTime()", "Instant()", "Date()"):
                    if primitive in str(info.annotation):
                        kinds.setdefault(alias, set()).add("date" if primitive == "Date()" else "dateTime")
    tabled = {name: {"date"} for name in DATE_NAMES} | {name: {"dateTime"} for name in DATETIME_NAMES}
    used = {name for name in kinds if not name.startswith("_")}
    kinds["date"].discard("date")  # Goal.target, Claim.accident: a dateTime of fewer parts
    assert {name: kinds[name] for name in used} == {name: tabled.get(name) for name in used}
