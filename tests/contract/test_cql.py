"""`$cql`: what each CQL type becomes in FHIR, what an expression may see, and what is said when it is wrong."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from contract_client import Api, outcome
from fhir.resources.R4B.parameters import Parameters

EXTENSIONS = "http://hl7.org/fhir/StructureDefinition"
UCUM = {"system": "http://unitsofmeasure.org"}


def ask(api: Api, expression: str, *more: Mapping[str, Any], token: str = "token-all") -> Any:
    body = {"resourceType": "Parameters", "parameter": [{"name": "expression", "valueString": expression}, *more]}
    return api.post("/fhir/$cql", body, token=token)


def answer(api: Api, expression: str, *more: Mapping[str, Any]) -> list[dict[str, Any]]:
    response = ask(api, expression, *more)
    body = response.get_json()
    assert response.status_code == 200, body
    assert response.content_type == "application/fhir+json; charset=utf-8"
    return body["parameter"]


def marker(url: str, **value: Any) -> dict[str, Any]:
    return {"_valueBoolean": {"extension": [{"url": f"{EXTENSIONS}/{url}", **value}]}}


def time_said(**said: Any) -> dict[str, Any]:
    names = {"precision": ("time-precision", "valueCode"), "offset": ("time-hasOffset", "valueBoolean")}
    return {
        "extension": [{"url": f"{EXTENSIONS}/{names[key][0]}", names[key][1]: value} for key, value in said.items()]
    }


VALUES: list[tuple[str, str, dict[str, Any]]] = [
    ("true", "System.Boolean", {"valueBoolean": True}),
    ("1 + 1", "System.Integer", {"valueInteger": 2}),
    ("10L", "System.Long", {"valueString": "10"}),
    ("1.25", "System.Decimal", {"valueDecimal": 1.25}),
    (
        "1.50",
        "System.Decimal",
        {
            "valueDecimal": 1.5,
            "_valueDecimal": {"extension": [{"url": f"{EXTENSIONS}/quantity-precision", "valueInteger": 2}]},
        },
    ),
    ("'ab' + 'c'", "System.String", {"valueString": "abc"}),
    ("@2024-02", "System.Date", {"valueDate": "2024-02"}),
    ("@2024-02-29", "System.Date", {"valueDate": "2024-02-29"}),
    ("@2024T", "System.DateTime", {"valueDateTime": "2024"}),
    ("@2024-02-29T10:30:15.25-08:00", "System.DateTime", {"valueDateTime": "2024-02-29T10:30:15.250-08:00"}),
    (
        "@2024-02-29T10:30:15",
        "System.DateTime",
        {"valueDateTime": "2024-02-29T10:30:15+00:00", "_valueDateTime": time_said(offset=False)},
    ),
    (
        "@2024-02-29T10",
        "System.DateTime",
        {"valueDateTime": "2024-02-29T10:00:00+00:00", "_valueDateTime": time_said(precision="hour", offset=False)},
    ),
    ("@T10:30:15.250", "System.Time", {"valueTime": "10:30:15.250"}),
    ("@T10:30", "System.Time", {"valueTime": "10:30:00", "_valueTime": time_said(precision="minute")}),
    ("5.5 'mg'", "System.Quantity", {"valueQuantity": {"value": 5.5, "unit": "mg", "code": "mg", **UCUM}}),
    ("2 years", "System.Quantity", {"valueQuantity": {"value": 2, "unit": "year", "code": "a", **UCUM}}),
    (
        "1 'mg' : 2 'mL'",
        "System.Ratio",
        {
            "valueRatio": {
                "numerator": {"value": 1, "unit": "mg", "code": "mg", **UCUM},
                "denominator": {"value": 2, "unit": "mL", "code": "mL", **UCUM},
            }
        },
    ),
    (
        "Interval[@2024-01-01, @2024-02-01)",
        "Interval<System.Date>",
        {"valuePeriod": {"start": "2024-01-01", "end": "2024-01-31"}},
    ),
    (
        "Interval[@2024-01-01T00:00:00.000Z, null)",
        "Interval<System.DateTime>",
        {"valuePeriod": {"start": "2024-01-01T00:00:00.000+00:00"}},
    ),
    (
        "Interval(null as DateTime, null as DateTime)",
        "Interval<System.DateTime>",
        {"valuePeriod": {"extension": [{"url": f"{EXTENSIONS}/data-absent-reason", "valueCode": "unknown"}]}},
    ),
    (
        "Interval(null as Integer, null as Integer)",
        "Interval<System.Integer>",
        {"valueRange": {"extension": [{"url": f"{EXTENSIONS}/data-absent-reason", "valueCode": "unknown"}]}},
    ),
    (
        "Interval[@T10:00:00, @T11:00:00]",
        "Interval<System.Time>",
        {
            "valuePeriod": {
                "start": "0001-01-01T10:00:00+00:00",
                "_start": time_said(offset=False),
                "end": "0001-01-01T11:00:00+00:00",
                "_end": time_said(offset=False),
            }
        },
    ),
    (
        "Interval[1, 10)",
        "Interval<System.Integer>",
        {"valueRange": {"low": {"value": 1, "code": "1", **UCUM}, "high": {"value": 9, "code": "1", **UCUM}}},
    ),
    (
        "Interval[1.0, 1.4)",
        "Interval<System.Decimal>",
        {
            "valueRange": {
                end: {
                    "value": value,
                    "code": "1",
                    **UCUM,
                    "extension": [{"url": f"{EXTENSIONS}/quantity-precision", "valueInteger": 1}],
                }
                for end, value in (("low", 1.0), ("high", 1.3))
            }
        },
    ),
    (
        "Interval[1 'mg', 2 'mg']",
        "Interval<System.Quantity>",
        {
            "valueRange": {
                end: {"value": value, "unit": "mg", "code": "mg", **UCUM} for end, value in (("low", 1), ("high", 2))
            }
        },
    ),
    (
        "days between @2024-01 and @2024-02-01",
        "Interval<System.Integer>",
        {"valueRange": {"low": {"value": 1, "code": "1", **UCUM}, "high": {"value": 31, "code": "1", **UCUM}}},
    ),
    (
        "Code { code: 'a', system: 'urn:s', display: 'A' }",
        "System.Code",
        {"valueCoding": {"system": "urn:s", "code": "a", "display": "A"}},
    ),
    (
        "Concept { codes: { Code { code: 'a', system: 'urn:s' } }, display: 'A' }",
        "System.Concept",
        {"valueCodeableConcept": {"coding": [{"system": "urn:s", "code": "a"}], "text": "A"}},
    ),
    ("null", "System.Any", marker("data-absent-reason", valueCode="unknown")),
    ("null as Integer", "System.Integer", marker("data-absent-reason", valueCode="unknown")),
    ("{}", "List<System.Any>", marker("cqf-isEmptyList", valueBoolean=True)),
    ("Tuple { : }", "Tuple{}", marker("cqf-isEmptyTuple", valueBoolean=True)),
    (
        "Tuple { a: 1, b: { 'x', 'y' }, c: null, d: 5L }",
        "Tuple{a System.Integer, b List<System.String>, c System.Any, d System.Long}",
        {
            "part": [
                {"name": "a", "valueInteger": 1},
                {"name": "b", "valueString": "x"},
                {"name": "b", "valueString": "y"},
                {"name": "c", **marker("data-absent-reason", valueCode="unknown")},
                {
                    "name": "d",
                    "valueString": "5",
                    "extension": [{"url": f"{EXTENSIONS}/cqf-cqlType", "valueString": "System.Long"}],
                },
            ]
        },
    ),
]


@pytest.mark.parametrize(("expression", "kind", "value"), VALUES, ids=[row[0] for row in VALUES])
def test_a_value_in_fhir(api: Api, expression: str, kind: str, value: dict[str, Any]) -> None:
    said = [{"url": f"{EXTENSIONS}/cqf-cqlType", "valueString": kind}]
    body = answer(api, expression)
    assert body == [{"extension": said, "name": "return", **value}]
    Parameters.model_validate({"resourceType": "Parameters", "parameter": body})


def test_a_list_repeats_the_name(api: Api) -> None:
    assert [(each["name"], each["valueInteger"]) for each in answer(api, "{ 1, 2, 3 }")] == [
        ("return", 1),
        ("return", 2),
        ("return", 3),
    ]


def test_lists_in_lists_have_elements(api: Api) -> None:
    first, second = answer(api, "{ { 1, 2 }, { 3 } }")
    assert first["part"] == [{"name": "element", "valueInteger": 1}, {"name": "element", "valueInteger": 2}]
    assert second["part"] == [{"name": "element", "valueInteger": 3}]
    assert first["extension"][0]["valueString"] == "List<List<System.Integer>>"


def test_decimals_keep_their_digits(api: Api) -> None:
    response = ask(api, "99999999999999999999.99999999")
    assert b'"valueDecimal":99999999999999999999.99999999' in response.data


# ---------------------------------------------------------------------------------------------------- data


def child(api: Api) -> str:
    return next(iter(api.truth))


def subject(person: str) -> dict[str, Any]:
    return {"name": "subject", "valueString": f"Patient/{person}"}


BABY = {
    "resourceType": "Patient",
    "id": "baby",
    "birthDate": "2024-02-29",
    "contact": [{"name": {"family": "Reyes"}, "gender": "female"}],
}
VISIT = {
    "resourceType": "Encounter",
    "id": "visit",
    "status": "finished",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/baby"},
    "period": {"start": "2024-03-05", "end": "2024-03-05"},
}


def data(*resources: Mapping[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"name": "data", "resource": {"resourceType": "Bundle", "type": "collection", "entry": entries}}


def test_the_records_of_a_child_on_the_server(api: Api) -> None:
    person = child(api)
    (birth,) = answer(api, "Patient.birthDate", subject(person))
    patient = api.get(f"/fhir/Patient/{person}").get_json()
    assert birth["valueDate"] == patient["birthDate"]
    (count,) = answer(api, "Count([Encounter])", subject(person))
    assert count["valueInteger"] > 0


def test_given_data_alone(api: Api) -> None:
    (visit,) = answer(api, "[Encounter] E where E.status = 'finished'", data(BABY, VISIT))
    assert visit["resource"] == VISIT
    assert visit["extension"][0]["valueString"] == "List<FHIR.Encounter>"
    (age,) = answer(api, "AgeInDaysAt(@2024-03-05)", data(BABY, VISIT))
    assert age["valueInteger"] == 5
    (period,) = answer(api, "First([Encounter] E return E.period)", data(BABY, VISIT))
    assert period["valuePeriod"] == {"start": "2024-03-05", "end": "2024-03-05"}


def test_an_object_that_no_value_can_hold_is_taken_apart(api: Api) -> None:
    (contact,) = answer(api, "Patient.contact", data(BABY))
    assert contact["part"] == [
        {"name": "gender", "valueCode": "female"},
        {"name": "name", "valueHumanName": {"family": "Reyes"}},
    ]


def test_a_choice_answers_with_the_type_that_it_has(api: Api) -> None:
    weight = {"resourceType": "Observation", "id": "w", "status": "final", "code": {"text": "weight"}}
    found = answer(
        api, "[Observation] O return O.value", data({**weight, "valueQuantity": {"value": 5.5, "code": "kg"}})
    )
    assert found[0]["valueQuantity"] == {"value": 5.5, "code": "kg"}
    assert found[0]["extension"][0]["valueString"] == "List<FHIR.Quantity>"


def test_given_data_goes_before_the_servers(api: Api) -> None:
    person = child(api)
    changed = {"resourceType": "Patient", "id": person, "birthDate": "2001-01-01"}
    (birth,) = answer(api, "Patient.birthDate", subject(person), data(changed))
    assert birth["valueDate"] == "2001-01-01"
    not_used = {"name": "useServerData", "valueBoolean": False}
    (count,) = answer(api, "Count([Encounter])", subject(person), data(changed), not_used)
    assert count["valueInteger"] == 0


def test_a_whole_chart_may_be_given(api: Api) -> None:
    visits = [{**VISIT, "id": f"visit-{number}", "text": {"div": "x" * 1_000}} for number in range(2_000)]
    (count,) = answer(api, "Count([Encounter])", data(BABY, *visits))
    assert count["valueInteger"] == 2_000


def test_of_several_patients_the_subject_is_meant(api: Api) -> None:
    sister = {"resourceType": "Patient", "id": "sister", "birthDate": "2020-01-01"}
    assert outcome(ask(api, "1", data(BABY, sister)))[0][2] == ["subject"]
    (count,) = answer(api, "Count([Encounter])", data(BABY, sister, VISIT), subject("sister"))
    assert count["valueInteger"] == 0
    (count,) = answer(api, "Count([Encounter])", data(BABY, sister, VISIT), subject("baby"))
    assert count["valueInteger"] == 1


def test_parameters_by_name(api: Api) -> None:
    given = {
        "name": "parameters",
        "resource": {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "Period", "valuePeriod": {"start": "2024-01-01", "end": "2024-12-31"}},
                {"name": "Limit", "valueInteger": 2},
                {"name": "Limit", "valueInteger": 3},
                {"name": "Pair", "part": [{"name": "a", "valueString": "x"}, {"name": "b", "valueInteger": 4}]},
            ],
        },
    }
    (inside,) = answer(api, '@2024-02-29 during day of "Period"', given)
    assert inside["valueBoolean"] is True
    (total,) = answer(api, "Sum(Limit) + Pair.b", given)
    assert total["valueInteger"] == 9


# Not these: of Interval[1.0, 1.4) the mapping keeps [1.0, 1.3]; nulls and uncertainties are equivalent to nothing.
ROUND_TRIPS = [
    expression
    for expression, kind, _ in VALUES
    if "null" not in expression
    and "between" not in expression
    and kind not in ("Interval<System.Decimal>", "List<System.Any>")
]


@pytest.mark.parametrize("expression", ROUND_TRIPS)
def test_what_is_answered_can_be_given_back(api: Api, expression: str) -> None:
    (said,) = answer(api, expression)
    given = {"name": "parameters", "resource": {"resourceType": "Parameters", "parameter": [{**said, "name": "X"}]}}
    (same,) = answer(api, f"X ~ ({expression})", given)
    assert same["valueBoolean"] is True
    (again,) = answer(api, "X", given)
    assert again == said


def library(name: str, alias: str | None = None) -> dict[str, Any]:
    parts = [{"name": "url", "valueCanonical": f"https://gapsvc.example/fhir/Library/{name}"}]
    if alias:
        parts.append({"name": "name", "valueString": alias})
    return {"name": "library", "part": parts}


def test_a_library_of_the_measures(api: Api) -> None:
    period = {"name": "Measurement Period", "valuePeriod": {"start": "2026-01-01", "end": "2026-12-31"}}
    given = {"name": "parameters", "resource": {"resourceType": "Parameters", "parameter": [period]}}
    (found,) = answer(api, 'M."Initial Population"', library("ThreeBy120", "M"), subject(child(api)), given)
    assert found["valueBoolean"] in (True, False)
    response = ask(api, "1", library("Nothing"))
    ((code, text, names),) = outcome(response)
    assert (response.status_code, code, names) == (404, "not-found", ["library"])
    assert "ThreeBy120" in text


# ---------------------------------------------------------------------------------------------------- mistakes


def test_an_invalid_expression_is_a_wrong_parameter(api: Api) -> None:
    response = ask(api, "1 + 'a'")
    ((code, text, names),) = outcome(response)
    assert (response.status_code, code, names) == (400, "invalid", ["expression"])
    assert text.startswith("expression:1:1: + cannot take (Integer, String)")


def test_an_error_at_run_time_is_the_result(api: Api) -> None:
    (error,) = answer(api, "Message(1, true, '7', 'Error', 'stop')")
    assert error["name"] == "evaluation error"
    assert error["resource"]["resourceType"] == "OperationOutcome"
    assert "stop" in error["resource"]["issue"][0]["details"]["text"]


WRONG: list[tuple[dict[str, Any], int, str, list[str]]] = [
    ({"name": "expresion", "valueString": "1"}, 400, "not-supported", ["expresion"]),
    ({"name": "prefetchData", "part": []}, 400, "not-supported", ["prefetchData"]),
    ({"name": "dataEndpoint", "resource": {}}, 400, "not-supported", ["dataEndpoint"]),
    ({"name": "expression", "valueString": "2"}, 400, "invalid", ["expression"]),
    ({"name": "subject", "valueString": "Group/1"}, 400, "value", ["subject"]),
    ({"name": "subject", "valueInteger": 1}, 400, "value", ["subject"]),
    ({"name": "subject", "valueString": "Patient/nobody"}, 404, "not-found", ["subject"]),
    ({"name": "useServerData", "valueString": "true"}, 400, "value", ["useServerData"]),
    ({"name": "data", "resource": {"resourceType": "Patient"}}, 400, "value", ["data"]),
    ({"name": "data", "resource": {"resourceType": "Bundle", "entry": [{}]}}, 400, "value", ["data"]),
    ({"name": "library", "part": []}, 400, "value", ["library"]),
    (
        {
            "name": "parameters",
            "resource": {"resourceType": "Parameters", "parameter": [{"name": "X", "valueDate": "x"}]},
        },
        400,
        "value",
        ["parameters", "X"],
    ),
]


@pytest.mark.parametrize(("more", "status", "code", "names"), WRONG)
def test_a_wrong_parameter_is_named(api: Api, more: dict[str, Any], status: int, code: str, names: list[str]) -> None:
    response = ask(api, "1", more)
    ((said, _, expression),) = outcome(response)
    assert (response.status_code, said, expression) == (status, code, names)


@pytest.mark.parametrize("body", ["[]", "{}", '{"resourceType":"Parameters","parameter":{}}', "{", '"x"'])
def test_a_body_that_is_no_parameters(api: Api, body: str) -> None:
    headers = {"Authorization": "Bearer token-all", "Content-Type": "application/fhir+json"}
    response = api.flask.post("/fhir/$cql", data=body, headers=headers)
    assert response.status_code == 400
    outcome(response)


ANYTHING: list[Any] = [None, 0, 1.5, True, "x", "2024-13", "", [], {}, [None], [[1]], {"coding": [None]}, {"url": [1]}]
EXPRESSIONS = (
    "Patient.birthDate",
    "AgeInYears()",
    "[Encounter] E where E.period during Interval[@2024-01-01, @2024-12-31] return E.type.coding.code",
    "[Encounter] E with [Observation] O such that O.status = E.status return E",
    "[Observation] O return O.value",
    "Count([Observation] O where (O.value as FHIR.Quantity) > 5 'kg')",
    "Patient.contact",
)


def spoilt(found: Any, chance: random.Random) -> Any:
    """The same JSON with something else at one place."""
    if found and chance.random() < 0.8:
        if isinstance(found, dict):
            key = chance.choice(list(found))
            return {**found, key: spoilt(found[key], chance)}
        if isinstance(found, list):
            at = chance.randrange(len(found))
            return [*found[:at], spoilt(found[at], chance), *found[at + 1 :]]
    return chance.choice(ANYTHING)


def test_json_that_is_no_fhir_never_breaks_the_service(api: Api) -> None:
    weight = {
        "resourceType": "Observation",
        "id": "w",
        "status": "final",
        "valueQuantity": {"value": 5.5, "code": "kg"},
    }
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "A", "valuePeriod": {"start": "2024", "end": "2025"}},
            {"name": "B", "part": [{"name": "x", "valueQuantity": {"value": 1, "unit": "mg"}}]},
            {"name": "C", **marker("data-absent-reason", valueCode="unknown")},
        ],
    }
    statuses = set()
    for seed in range(400):
        chance = random.Random(seed)
        body: dict[str, Any] = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "expression", "valueString": chance.choice(EXPRESSIONS)},
                spoilt(data(BABY, VISIT, weight), chance),
                {"name": "parameters", "resource": spoilt(given, chance) if chance.random() < 0.5 else given},
            ],
        }
        statuses.add(api.post("/fhir/$cql", body).status_code)
    assert statuses == {200, 400}


def test_all_mistakes_are_named_at_once(api: Api) -> None:
    response = api.post(
        "/fhir/$cql",
        {"resourceType": "Parameters", "parameter": [{"name": "subject", "valueString": "x/y"}, {"name": "foo"}]},
    )
    assert [names for _, _, names in outcome(response)] == [["foo"], ["expression"], ["subject"]]


def test_what_is_read_needs_its_scopes(api: Api) -> None:
    assert ask(api, "1 + 1", token="token-none").status_code == 403
    assert ask(api, "1 + 1", token="token-reports").status_code == 403
    assert ask(api, "AgeInYears()", subject(child(api)), token="token-reports").status_code == 200
    response = ask(api, "Count([Encounter])", subject(child(api)), token="token-reports")
    ((_, text, _),) = outcome(response)
    assert (response.status_code, "system/Encounter.rs" in text) == (403, True)
