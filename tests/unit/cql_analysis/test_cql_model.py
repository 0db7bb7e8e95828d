"""ModelInfo reading, the built-in models, subtyping and the FHIR conversions."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cql_like.ir import JsonChoice
from cql_like.model.fhir_conversions import to_concept, to_datetime_interval, to_decimal, to_quantity, to_ratio
from cql_like.model.loader import ModelError, built_in, built_in_versions, from_json, from_xml, load_model, to_json
from cql_like.model.modelinfo import ClassInfo, Element, Model, read_type, write_type
from cql_like.model.registry import Models
from cql_like.runtime.values import Code, Concept, DateTime, Interval, Quantity, Ratio
from cql_like.types import ANY, CODE, DATE, DATETIME, STRING, ChoiceOf, IntervalOf, ListOf, Named, TupleOf, Type

SHARED = Path(__file__).parents[4] / "shared" / "modelinfo"


def fhir(name: str) -> Named:
    return Named("FHIR", name)


def the_fhir_model() -> Model:
    model = built_in("FHIR", "4.0.1")
    assert model is not None
    return model


@pytest.fixture(scope="module")
def models() -> Models:
    return Models.of(the_fhir_model())


# ------------------------------------------------------------------------------------------- built-in FHIR


def test_encounter_has_its_code_path_and_elements(models: Models) -> None:
    encounter = models.info(fhir("Encounter"))
    assert encounter is not None
    assert (encounter.base, encounter.code_path, encounter.retrievable) == (fhir("DomainResource"), "type", True)
    assert encounter.elements["type"] == Element("type", ListOf(fhir("CodeableConcept")))
    assert encounter.elements["period"] == Element("period", fhir("Period"))


def test_the_patient_context_and_birth_date_are_known() -> None:
    model = the_fhir_model()
    assert (model.patient_class, model.birth_date, dict(model.contexts)["Patient"]) == (
        "Patient",
        "birthDate.value",
        "Patient",
    )


def test_a_choice_element_has_one_json_key_for_each_type(models: Models) -> None:
    deceased = models.element(fhir("Patient"), "deceased")
    assert deceased is not None
    assert models.json_choices(deceased) == (
        JsonChoice("deceasedBoolean", fhir("boolean")),
        JsonChoice("deceasedDateTime", fhir("dateTime")),
    )


def test_a_simple_quantity_is_written_as_a_quantity(models: Models) -> None:
    dose = models.element(fhir("Coverage.CostToBeneficiary"), "value")
    assert dose is not None
    assert {choice.key for choice in models.json_choices(dose)} == {"valueQuantity", "valueMoney"}


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("date", "Date"),
        ("dateTime", "DateTime"),
        ("instant", "DateTime"),
        ("code", "String"),
        ("EncounterStatus", "String"),
        ("positiveInt", "Integer"),
        ("decimal", "Decimal"),
        ("time", "Time"),
    ],
)
def test_primitives_know_their_system_type(models: Models, name: str, system: str) -> None:
    assert models.primitive(fhir(name)) == Named("System", system)


def test_a_quantity_is_no_primitive_though_it_has_a_value(models: Models) -> None:
    assert models.primitive(fhir("Quantity")) is None


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Coding", CODE),
        ("Period", IntervalOf(DATETIME)),
        ("Age", Named("System", "Quantity")),  # by its base, Quantity
        ("date", DATE),
        ("uri", STRING),
    ],
)
def test_implicit_conversions_to_system_types(models: Models, source: str, target: Type) -> None:
    assert [row.result for row in models.conversions(fhir(source))] == [target]


def test_a_reference_converts_to_nothing(models: Models) -> None:
    assert models.conversions(fhir("Reference")) == ()


# ------------------------------------------------------------------------------------------- subtyping


@pytest.mark.parametrize(
    ("kind", "of", "expected"),
    [
        (fhir("Encounter"), fhir("Resource"), True),
        (fhir("Resource"), fhir("Encounter"), False),
        (fhir("Age"), fhir("Quantity"), True),
        (ListOf(fhir("Encounter")), ListOf(fhir("DomainResource")), True),
        (IntervalOf(DATE), IntervalOf(ANY), True),
        (DATE, DATETIME, False),
        (DATE, ANY, True),
        (ChoiceOf(frozenset({DATE, STRING})), ChoiceOf(frozenset({DATE, STRING, CODE})), True),
        (ChoiceOf(frozenset({DATE, STRING})), ChoiceOf(frozenset({DATE, CODE})), False),
        (TupleOf((("a", fhir("Encounter")),)), TupleOf((("a", fhir("Resource")),)), True),
        (TupleOf((("a", DATE),)), TupleOf((("b", DATE),)), False),
    ],
)
def test_subtypes(models: Models, kind: Type, of: Type, expected: bool) -> None:
    assert models.is_subtype(kind, of) is expected


# ------------------------------------------------------------------------------------------- conversions


def test_a_period_without_an_end_goes_on_and_without_a_start_is_open() -> None:
    started = DateTime(2024, 1, 5)
    assert to_datetime_interval({"start": "2024-01-05"}) == Interval(started, None, True, True)
    assert to_datetime_interval({"end": "2024-01-05"}) == Interval(None, started, False, True)


def test_a_codeable_concept_keeps_its_codings_in_order() -> None:
    cpt = {"system": "http://www.ama-assn.org/go/cpt", "code": "99392"}
    assert to_concept({"coding": [cpt, {"code": "well"}], "text": "Well visit"}) == Concept(
        (Code("99392", "http://www.ama-assn.org/go/cpt"), Code("well")), "Well visit"
    )


@pytest.mark.parametrize(
    ("json", "expected"),
    [
        (
            {"value": 3.2, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
            Quantity(Decimal("3.2"), "kg"),
        ),
        ({"value": 4, "code": "mo", "system": "http://unitsofmeasure.org"}, Quantity(Decimal(4), "month")),
        ({"value": 4}, Quantity(Decimal(4), "1")),
        ({"value": 5, "comparator": "<", "code": "mg"}, None),
        ({"value": 5, "system": "urn:local", "code": "drops"}, None),
        ({"unit": "mg"}, None),
        (None, None),
    ],
)
def test_quantities(json: object, expected: Quantity | None) -> None:
    assert to_quantity(json) == expected


def test_a_ratio_needs_both_parts() -> None:
    one = Quantity(Decimal(1), "1")
    assert to_ratio({"numerator": {"value": 1}, "denominator": {"value": 1}}) == Ratio(one, one)
    assert to_ratio({"numerator": {"value": 1}}) is None


def test_decimals_come_from_the_shortest_text_of_a_float() -> None:
    assert to_decimal(0.1) == Decimal("0.1")
    assert to_decimal(True) is None


DATATYPES = ("Coding", "CodeableConcept", "Quantity", "Ratio", "Period", "Range", "date", "dateTime", "time", "code")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2024-13", "2024"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "coding", "value", "system", "start", "low", "numerator"]), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(DATATYPES)), JSON)
def test_json_of_any_shape_is_converted_or_null(name: str, json: object) -> None:
    row = Models.of(the_fhir_model()).conversions(fhir(name))[0]
    hash(row.implementation(json))  # a value can stand in a set, whatever its parts were


# ------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "kind", [ListOf(CODE), ListOf(fhir("Coding")), IntervalOf(DATETIME), fhir("Encounter.Location")]
)
def test_types_survive_the_compact_notation(kind: Type) -> None:
    assert read_type(write_type(kind, "FHIR"), "FHIR") == kind


def test_a_choice_in_a_list_survives_the_compact_notation() -> None:
    kind = ListOf(ChoiceOf(frozenset({CODE, fhir("Reference")})))
    assert read_type(write_type(kind, "FHIR"), "FHIR") == kind


def test_every_built_in_model_survives_being_written_again() -> None:
    assert {name for name, _ in built_in_versions()} == {"FHIR", "QICore", "USCore"}
    for name, version in built_in_versions():
        model = built_in(name, version)
        assert model is not None
        assert from_json(to_json(model), "again") == model


TINY = b"""<?xml version="1.0"?>
<modelInfo xmlns="urn:hl7-org:elm-modelinfo:r1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    name="Toy" version="1" url="urn:toy" patientClassName="Toy.Child" patientBirthDatePropertyName="born">
  <typeInfo xsi:type="ClassInfo" namespace="Toy" name="Child" baseType="System.Any" retrievable="true">
    <element name="born" elementType="System.Date"/>
    <element name="toys"><elementTypeSpecifier xsi:type="ListTypeSpecifier" elementType="Toy.Toy"/></element>
  </typeInfo>
  <contextInfo name="Patient"><contextType namespace="Toy" name="Child"/></contextInfo>
</modelInfo>"""


def test_any_modelinfo_xml_can_be_read() -> None:
    child = ClassInfo(
        "Child",
        ANY,
        {"born": Element("born", DATE), "toys": Element("toys", ListOf(Named("Toy", "Toy")))},
        retrievable=True,
    )
    assert from_xml(TINY, "toy.xml") == Model(
        "Toy", "1", "urn:toy", {"Child": child}, (), (("Patient", "Child"),), "Child", "born"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><modelInfo name="X"/>', "DTD or entities"),
        (b"<modelInfo name='X'", "not well-formed"),
        (b"<other/>", "expected a named modelInfo"),
        ("<modelInfo/>".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_modelinfo_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_xml(data, "bad.xml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.xml: cannot be read"):
        load_model(tmp_path / "none.xml")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
@pytest.mark.parametrize("name", ["fhir-modelinfo-4.0.1", "qicore-modelinfo-4.1.1", "uscore-modelinfo-6.1.0"])
def test_the_built_in_models_are_the_published_ones(name: str) -> None:
    model = load_model(SHARED / f"{name}.xml")
    assert built_in(model.name, model.version) == model
