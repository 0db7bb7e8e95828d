"""`$evaluate` of many: summaries by strata, small-cell suppressed; subject lists."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from contract_client import AS_OF, PERIOD, Api, outcome
from fhir.resources.R4B.bundle import Bundle

from fhir_profiles.terms import DATA_ABSENT_REASON
from fhir_profiles.validate import validate
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.evaluation.rollup import Rollup, roll_up
from gapsvc.evaluation.strata import strata_of
from gapsvc.evaluation.suppression import SUPPRESS_BELOW, suppress
from gapsvc.stratifying import strata_context

MEASURE = "three-by-120"
MASKED = {"extension": [{"url": DATA_ABSENT_REASON, "valueCode": "masked"}]}


def evaluate(api: Api, measure: str = MEASURE, **query: Any) -> Mapping[str, Any]:
    """The one Bundle of an answer, held to FHIR R4; its reports and Lists to their profiles."""
    response = api.get(f"/fhir/Measure/{measure}/$evaluate", **{**PERIOD, "reportType": "population", **query})
    assert response.status_code == 200, response.get_json()
    (parameter,) = response.get_json()["parameter"]
    bundle = parameter["resource"]
    Bundle.model_validate(bundle)
    for entry in bundle["entry"]:
        assert validate(entry["resource"]) == []
    return bundle


def of_type(bundle: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def said(bundle: Mapping[str, Any]) -> list[str]:
    return [issue["diagnostics"] for one in of_type(bundle, "OperationOutcome") for issue in one["issue"]]


def rolled_up(api: Api, *dimensions: str, measure: str = MEASURE) -> Rollup:
    """The same, counted here."""
    here = api.service
    context = strata_context(here.settings, AS_OF, here.store.organization_names())
    period = tuple(map(AS_OF.fromisoformat, PERIOD.values()))
    prepared = here.evaluators[measure].on(period[0], period[1], AS_OF)
    people = [([prepared.evaluate(record)], strata_of(record, context, dimensions)) for record in here.store.records()]
    return roll_up(people, (period[0], period[1]), AS_OF)


def counts(populations: list[dict[str, Any]]) -> dict[str, int | None]:
    """Counts by population; None where they are masked, which is said."""
    found: dict[str, int | None] = {}
    for one in populations:
        code = one["code"]["coding"][0]["code"]
        found[code] = one.get("count")
        assert ("count" in one) != (one.get("_count") == MASKED)
    return found


@pytest.fixture
def open_api(api: Api) -> Iterator[Api]:
    """The same service, which hides nothing."""
    here = api.service
    service = replace(here, settings=here.settings.with_values(reporting__suppress_below=0))
    assert isinstance(service, Service)
    yield replace(api, flask=create_app(service).test_client(), service=service)


# ------------------------------------------------------------------------------------------------ strata


@pytest.mark.parametrize("dimension", ["race", "clinic", "sex", "race*sex"])
def test_a_summary_by_strata_tells_what_the_roll_up_says_and_hides_what_it_must(api: Api, dimension: str) -> None:
    bundle = evaluate(api, stratify=dimension)
    rollup = rolled_up(api, dimension)
    suppression = suppress(rollup, SUPPRESS_BELOW)
    shown = [rate for rate in rollup.rates if not suppression.hides(MEASURE, rate.group_id)]
    (report,) = of_type(bundle, "MeasureReport")
    assert [group["id"] for group in report["group"]] == [rate.group_id for rate in shown]
    for group, rate in zip(report["group"], shown, strict=True):
        bare = suppression.hides_exclusions(MEASURE, rate.group_id)
        assert counts(group["population"]) == {
            "initial-population": None if bare else rate.total.initial_population,
            "denominator": rate.total.denominator,
            "numerator": rate.total.numerator,
        }
        expected: dict[tuple[str, ...], tuple[int | None, int | None]] = {}
        for category, cell in rate.strata[dimension].items():
            name = tuple(one.label for one in category.parts or (category,))
            if not suppression.hides(MEASURE, rate.group_id, category):
                expected[name] = (cell.denominator, cell.numerator)
            elif "*" not in dimension:
                expected[name] = (None, None)
        found = {}
        for stratifier in group.get("stratifier", []):
            for stratum in stratifier["stratum"]:
                values = [part["value"] for part in stratum["component"]] if "*" in dimension else [stratum["value"]]
                told = counts(stratum["population"])
                found[tuple(one["text"] for one in values)] = (told["denominator"], told["numerator"])
                if told["numerator"] is None:
                    assert stratum["measureScore"] == {"_value": MASKED}
                elif told["denominator"]:
                    score = stratum["measureScore"]["value"]
                    assert score == pytest.approx(told["numerator"] / told["denominator"], abs=1e-8)
        assert found == expected


def test_race_is_coded_as_us_core_has_it(open_api: Api) -> None:
    (report,) = of_type(evaluate(open_api, stratify="race"), "MeasureReport")
    (stratifier,) = report["group"][0]["stratifier"]
    assert stratifier["id"] == "race"
    assert stratifier["code"] == [{"coding": [{"system": "http://loinc.org", "code": "72826-1"}], "text": "Race"}]
    by_text = {one["value"]["text"]: one["value"].get("coding", [{}])[0].get("code") for one in stratifier["stratum"]}
    assert by_text["Black or African American"] == "2054-5"
    assert by_text["Two or more races"] is None
    assert by_text["Unknown"] == "UNK"
    description = report["group"][0]["population"][1]["extension"][0]["valueMarkdown"]
    assert description == "Without those excluded or excepted."


def test_a_posted_question_is_answered_as_a_query_is(open_api: Api) -> None:
    parameters = [
        *({"name": name, "valueDate": day} for name, day in PERIOD.items()),
        {"name": "reportType", "valueString": "summary"},
        *({"name": "stratify", "valueString": value} for value in ("race", "race*sex")),
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    response = open_api.post(f"/fhir/Measure/{MEASURE}/$evaluate", body)
    assert response.status_code == 200, response.get_json()
    (report,) = of_type(response.get_json()["parameter"][0]["resource"], "MeasureReport")
    (asked,) = of_type(evaluate(open_api, stratify=["race", "race*sex"]), "MeasureReport")
    assert (report["id"], report["group"]) == (asked["id"], asked["group"])
    assert [one["id"] for one in report["group"][0]["stratifier"]] == ["race", "race-by-sex"]


def test_where_nothing_is_small_nothing_is_masked(open_api: Api) -> None:
    bundle = evaluate(open_api, stratify=["race", "sex"])
    (report,) = of_type(bundle, "MeasureReport")
    assert said(bundle) == []
    for group in report["group"]:
        assert [one["id"] for one in group["stratifier"]] == ["race", "sex"]
        whole = counts(group["population"])
        for stratifier in group["stratifier"]:
            parts = [counts(one["population"]) for one in stratifier["stratum"]]
            for name in ("denominator", "numerator"):
                assert sum(one[name] or 0 for one in parts) == whole[name]


def test_what_is_hidden_is_said(api: Api) -> None:
    text = "not shown: fewer than 11 children, or it would tell such a number"
    assert any(text in one for one in said(evaluate(api, stratify="race")))


def test_a_few_people_alone_tell_nothing(api: Api) -> None:
    """One child: every rate is hidden, and no report is left."""
    bundle = evaluate(api, subject=f"Patient/{next(iter(api.truth))}", stratify="race")
    assert of_type(bundle, "MeasureReport") == []


def test_reports_by_other_strata_have_other_ids(api: Api) -> None:
    reports = [
        of_type(evaluate(api, **query), "MeasureReport")[0]["id"]
        for query in ({}, {"stratify": "sex"}, {"stratify": "clinic"}, {"stratify": "sex"})
    ]
    assert len(set(reports)) == 3
    assert reports[1] == reports[3]


@pytest.mark.parametrize(
    ("query", "status", "code", "text"),
    [
        (
            {"stratify": "colour"},
            400,
            "value",
            "stratify: there is no dimension 'colour'; there are race, ethnicity, race_detail, ethnicity_detail, "
            "language, clinic, plan, zip, age, sex",
        ),
        (
            {"stratify": "race*sex*zip"},
            400,
            "value",
            "stratify: 'race*sex*zip': people are told apart by one dimension, or by two: race*clinic",
        ),
        (
            {"stratify": "race", "reportType": "subject"},
            400,
            "invalid",
            "stratify: goes with reportType population or subject-list",
        ),
    ],
)
def test_what_can_not_be_answered(api: Api, query: dict[str, str], status: int, code: str, text: str) -> None:
    response = api.get(f"/fhir/Measure/{MEASURE}/$evaluate", **{**PERIOD, "reportType": "population", **query})
    assert response.status_code == status
    assert outcome(response)[0][:2] == (code, text)


# ------------------------------------------------------------------------------------------------ subject lists


def test_a_subject_list_names_those_whom_it_counts(api: Api) -> None:
    bundle = evaluate(api, reportType="subject-list")
    reports = {f"MeasureReport/{one['id']}": one for one in of_type(bundle, "MeasureReport")}
    lists = {f"List/{one['id']}": one for one in of_type(bundle, "List")}
    report = next(one for one in reports.values() if one["type"] == "subject-list")
    (summary,) = of_type(evaluate(api), "MeasureReport")
    for group, whole in zip(report["group"], summary["group"], strict=True):
        assert counts(group["population"]) == counts(whole["population"])
        for population in group["population"]:
            code = population["code"]["coding"][0]["code"]
            entries = lists[population["subjectResults"]["reference"]].get("entry", [])
            assert len(entries) == population["count"]
            for entry in entries:
                one = reports[entry["item"]["reference"]]
                own = next(part for part in one["group"] if part["id"] == group["id"])
                assert (one["type"], counts(own["population"])[code]) == ("individual", 1)
    people = {one["subject"]["reference"] for one in reports.values() if one["type"] == "individual"}
    assert people == {f"Patient/{one['id']}" for one in of_type(bundle, "Patient")}


@pytest.mark.parametrize("dimension", ["race", "clinic", "race*sex"])
def test_a_subject_list_by_strata_names_those_of_each_stratum(api: Api, dimension: str) -> None:
    """It tells of persons, so nothing is masked: every stratum's List holds exactly the children of that category."""
    bundle = evaluate(api, reportType="subject-list", stratify=dimension)
    people = {
        f"MeasureReport/{one['id']}": one.get("subject", {}).get("reference")
        for one in of_type(bundle, "MeasureReport")
    }
    lists = {f"List/{one['id']}": one for one in of_type(bundle, "List")}
    report = next(one for one in of_type(bundle, "MeasureReport") if one["type"] == "subject-list")
    here = api.service
    context = strata_context(here.settings, AS_OF, here.store.organization_names())
    category = {
        f"Patient/{one.person_id}": strata_of(one, context, [dimension])[dimension] for one in here.store.records()
    }

    def named(population: Mapping[str, Any]) -> list[str]:
        entries = lists[population["subjectResults"]["reference"]].get("entry", [])
        assert len(entries) == population["count"]
        return [people[entry["item"]["reference"]] for entry in entries]

    for group in report["group"]:
        (stratifier,) = group["stratifier"]
        assert stratifier["id"] == dimension.replace("*", "-by-")
        for at, population in enumerate(group["population"]):
            found: list[str] = []
            for stratum in stratifier["stratum"]:
                values = [part["value"] for part in stratum.get("component", [stratum])]
                told = tuple(one["text"] for one in values)
                for person in named(stratum["population"][at]):
                    assert tuple(one.label for one in category[person].parts or (category[person],)) == told
                    found.append(person)
            assert sorted(found) == sorted(named(population))


def test_every_reference_in_a_subject_list_resolves_or_is_logical(api: Api) -> None:
    bundle = evaluate(api, reportType="subject-list", subject=f"Group/{api.group}")
    inside = {f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}" for entry in bundle["entry"]}
    assert {entry["fullUrl"].rpartition("/fhir/")[2] for entry in bundle["entry"]} >= inside

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("reference"), str) and not node["reference"].startswith("#"):
                yield node["reference"]
            node = list(node.values())
        for one in node if isinstance(node, list) else []:
            yield from references(one)

    assert set(references([entry["resource"] for entry in bundle["entry"]])) <= inside
    report = next(one for one in of_type(bundle, "MeasureReport") if one["type"] == "subject-list")
    assert report["subject"] == {"reference": f"Group/{api.group}"}


def test_a_subject_list_asks_for_the_scopes_of_all_that_is_in_it(api: Api) -> None:
    response = api.get(f"/fhir/Measure/{MEASURE}/$evaluate", "token-reports", **PERIOD, reportType="subject-list")
    assert response.status_code == 403
    assert outcome(response)[0][0] == "forbidden"
    response = api.get(f"/fhir/Measure/{MEASURE}/$evaluate", "token-measures", **PERIOD, reportType="subject-list")
    assert (response.status_code, outcome(response)[0][1]) == (
        403,
        "the token lacks the scope system/MeasureReport.rs system/Patient.rs",
    )


def test_two_measures_have_a_list_report_each(api: Api) -> None:
    response = api.get(
        "/fhir/Measure/$evaluate", **PERIOD, reportType="subject-list", measureId=["three-by-120", "w30"]
    )
    (parameter,) = response.get_json()["parameter"]
    found = [one for one in of_type(parameter["resource"], "MeasureReport") if one["type"] == "subject-list"]
    assert [one["measure"].partition("|")[0].rpartition("/")[2] for one in found] == ["three-by-120", "w30"]
