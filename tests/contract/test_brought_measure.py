"""A public-style measure from its bundle to answers: `measures add`, `$care-gaps`, `$evaluate`, what is published."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from brought_examples import BASE, CHILDREN, concept, lead_screening, measure_bundle
from click.testing import CliRunner, Result
from contract_client import NOW, PERIOD, TOKENS, Api, outcome, settings_for
from fhir.resources.R4B.bundle import Bundle

from adapters.files import FileSource
from fhir_profiles.validate import validate
from fhir_profiles.validate_bundle import validate_bundle
from gapsvc import jobs
from gapsvc.api import Service
from gapsvc.app import create_app
from gapsvc.cli import main
from gapsvc.evaluation.catalogue import types_to_pull
from gapsvc.measures import catalog
from gapsvc.measures.installing import add
from gapsvc.store import Store

MEASURE = "LeadScreening"
CANONICAL = f"{BASE}/Measure/{MEASURE}|2.0.001"


def write_children(folder: Path) -> Path:
    """The children as a folder of NDJSON; a Group holds two of them."""
    folder.mkdir()
    group = {
        "resourceType": "Group",
        "id": "two",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{name}"}} for name in ("tested", "untested")],
    }
    by_type: dict[str, list[bytes]] = {}
    for resource in (*(one for found in CHILDREN.values() for one in found), group):
        by_type.setdefault(resource["resourceType"], []).append(orjson.dumps(resource))
    for name, lines in by_type.items():
        (folder / f"{name}.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return folder


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service with the measure added, and the children pulled."""
    home = tmp_path_factory.mktemp("brought")
    settings = settings_for(home).with_values(evaluation__measures=())  # all, brought ones too
    (home / "lead.json").write_bytes(measure_bundle(lead_screening()))
    cohort = lead_screening(
        id="cohort",
        url=f"{BASE}/Measure/cohort",
        scoring=concept("measure-scoring", "cohort"),
        group=[{"id": "all", "population": lead_screening()["group"][0]["population"][:1]}],
    )
    (home / "cohort.json").write_bytes(measure_bundle(cohort))
    for name in ("lead", "cohort"):
        add(home / f"{name}.json", settings.measures_folder, catalog().values())
    with Store.open(settings.database_url) as store:
        store.migrate()
        service = Service.start(settings, store, base_url="https://gaps.example/fhir", now=lambda: NOW)
        source = FileSource(write_children(home / "children"), "clinic")
        jobs.pull(store, source, types_to_pull(list(service.evaluators.values())), now=NOW)
        yield Api(create_app(service).test_client(), service, {}, "two")


def evaluate(clinic: Api, **query: Any) -> list[Mapping[str, Any]]:
    """The bundles of `$evaluate`, each checked."""
    response = clinic.get(f"/fhir/Measure/{MEASURE}/$evaluate", **{**PERIOD, **query})
    assert response.status_code == 200, response.get_json()
    bundles = [parameter["resource"] for parameter in response.get_json().get("parameter", [])]
    for bundle in bundles:
        Bundle.model_validate(bundle)
        for report in of_type(bundle, "MeasureReport"):
            assert validate(report) == []
    return bundles


def of_type(bundle: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def counts(group: Mapping[str, Any]) -> list[int]:
    return [population["count"] for population in group["population"]]


# ------------------------------------------------------------------------------------------------ $care-gaps


@pytest.mark.parametrize(
    ("child", "status"),
    [
        ("tested", "closed-gap"),
        ("elevated", "closed-gap"),
        ("untested", "open-gap"),
        ("too-late", "open-gap"),
        ("preliminary", "open-gap"),
        ("in-hospice", "closed-gap"),
        ("too-old", "not-applicable"),
    ],
)
def test_care_gaps_of_a_brought_measure(clinic: Api, child: str, status: str) -> None:
    statuses = ["open-gap", "closed-gap", "prospective-gap", "not-applicable"]
    response = clinic.care_gaps(subject=f"Patient/{child}", status=statuses, measureUrl=CANONICAL)
    assert response.status_code == 200, response.get_json()
    (parameter,) = response.get_json()["parameter"]
    bundle = parameter["resource"]
    Bundle.model_validate(bundle)
    assert validate_bundle(bundle) == []
    (issue,) = of_type(bundle, "DetectedIssue")
    assert issue["modifierExtension"][0]["valueCodeableConcept"]["coding"][0]["code"] == status


def test_an_open_gap_says_what_would_close_it(clinic: Api) -> None:
    response = clinic.care_gaps(subject="Patient/untested", measureId=MEASURE)
    (guidance,) = of_type(response.get_json()["parameter"][0]["resource"], "GuidanceResponse")
    assert guidance["moduleCanonical"] == CANONICAL
    (requirement,) = guidance["dataRequirement"]
    assert requirement["type"] == "Observation"
    assert requirement["codeFilter"][0]["valueSet"] == f"{BASE}/ValueSet/blood-lead"


def test_a_measure_without_gaps_is_left_out_and_refused_by_name(clinic: Api) -> None:
    every = ["open-gap", "closed-gap", "prospective-gap", "not-applicable"]
    response = clinic.care_gaps(subject="Patient/untested", status=every)
    reports = of_type(response.get_json()["parameter"][0]["resource"], "MeasureReport")
    told = {report["measure"] for report in reports}
    assert CANONICAL in told
    assert f"{BASE}/Measure/cohort|2.0.001" not in told
    response = clinic.care_gaps(subject="Patient/untested", measureId="cohort")
    assert response.status_code == 400
    assert outcome(response) == [
        ("not-supported", "Measure/cohort is a cohort measure: it has no gaps. Use $evaluate", ["measureId"])
    ]
    response = clinic.get("/fhir/Measure/cohort/$care-gaps", **PERIOD, status="open-gap", subject="Patient/untested")
    assert response.status_code == 400


# ------------------------------------------------------------------------------------------------ $evaluate


def test_one_childs_report_with_what_it_rests_on(clinic: Api) -> None:
    (bundle,) = evaluate(clinic, subject="Patient/elevated")
    assert bundle["type"] == "collection"
    (report,) = of_type(bundle, "MeasureReport")
    assert (report["type"], report["measure"]) == ("individual", CANONICAL)
    (group,) = report["group"]
    assert (counts(group), group["measureScore"]) == ([1, 1, 0, 1], {"value": 1.0})
    (stratum,) = group["stratifier"][0]["stratum"]
    assert (stratum["value"], counts(stratum)) == ({"text": "true"}, [1, 1, 0, 1])
    evaluated = {one["reference"] for one in report["evaluatedResource"]}
    assert evaluated == {
        "Patient/elevated",
        "Encounter/elevated-visit",
        "Observation/elevated-lead",
        "Coverage/elevated-coverage",
    }
    inside = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle["entry"]}
    assert evaluated <= inside
    (sex,) = report["contained"]
    assert sex["valueCodeableConcept"]["coding"][0]["code"] == "M"
    supplemental = [one for one in report["extension"] if one["url"].endswith("MeasureReport.supplementalData")]
    assert [one["valueReference"]["reference"] for one in supplemental] == [
        f"#{sex['id']}",
        "Coverage/elevated-coverage",
    ]


def test_the_clinics_summary(clinic: Api) -> None:
    """Six turn two and were seen; one of them is in hospice care; two of the other five were tested in time."""
    (bundle,) = evaluate(clinic)
    (report,) = of_type(bundle, "MeasureReport")
    assert (report["type"], "subject" in report, "evaluatedResource" in report) == ("summary", False, False)
    (group,) = report["group"]
    assert (counts(group), group["measureScore"]) == ([6, 6, 1, 2], {"value": 0.4})
    strata = {one["value"]["text"]: (counts(one), one.get("measureScore")) for one in group["stratifier"][0]["stratum"]}
    assert strata == {
        "false": ([5, 5, 1, 1], {"value": 0.25}),
        "true": ([1, 1, 0, 1], {"value": 1.0}),
    }
    sexes = {one["code"]["coding"][0]["code"]: one["valueInteger"] for one in report["contained"]}
    assert sexes == {"F": 4, "M": 2}
    # nothing of a summary names a child
    said = orjson.dumps(bundle).decode()
    assert not any(f"Patient/{name}" in said or f"{name}-" in said for name in CHILDREN)


def test_a_subject_list_names_the_children_of_each_population_and_stratum(clinic: Api) -> None:
    (bundle,) = evaluate(clinic, reportType="subject-list")
    reports = {f"MeasureReport/{one['id']}": one for one in of_type(bundle, "MeasureReport")}
    lists = {f"List/{one['id']}": one for one in of_type(bundle, "List")}

    def named(population: Mapping[str, Any]) -> list[str]:
        entries = lists[population["subjectResults"]["reference"]].get("entry", [])
        people = [reports[entry["item"]["reference"]]["subject"]["reference"] for entry in entries]
        assert len(people) == population["count"]
        return [one.removeprefix("Patient/") for one in people]

    (report,) = [one for one in reports.values() if one["type"] == "subject-list"]
    (group,) = report["group"]
    everybody = sorted(name for name in CHILDREN if name != "too-old")
    assert [named(one) for one in group["population"]] == [
        everybody,
        everybody,
        ["in-hospice"],
        ["elevated", "tested"],
    ]
    strata = {one["value"]["text"]: named(one["population"][3]) for one in group["stratifier"][0]["stratum"]}
    assert strata == {"false": ["tested"], "true": ["elevated"]}


def test_a_subject_list_of_any_scoring_is_told_apart_beside_its_own_strata(clinic: Api) -> None:
    (bundle,) = evaluate(clinic, reportType="subject-list", stratify="sex")
    (report,) = [one for one in of_type(bundle, "MeasureReport") if one["type"] == "subject-list"]
    assert [one["id"] for one in report["group"][0]["stratifier"]] == ["elevated", "sex"]
    response = clinic.get("/fhir/Measure/cohort/$evaluate", **PERIOD, stratify="sex", reportType="subject-list")
    (parameter,) = response.get_json()["parameter"]
    for entry in parameter["resource"]["entry"]:
        assert validate(entry["resource"]) == []
    (report,) = [one for one in of_type(parameter["resource"], "MeasureReport") if one["type"] == "subject-list"]
    (stratifier,) = report["group"][0]["stratifier"]
    assert (
        sum(one["population"][0]["count"] for one in stratifier["stratum"])
        == (report["group"][0]["population"][0]["count"])
    )


def test_only_proportions_are_told_apart_by_strata(clinic: Api) -> None:
    response = clinic.get("/fhir/Measure/cohort/$evaluate", **PERIOD, stratify="race")
    text = "stratify: only proportions of persons are told apart by strata; Measure/cohort has others"
    assert (response.status_code, outcome(response)[0][:2]) == (400, ("not-supported", text))


def test_a_brought_measure_by_race_of_six_children_tells_nothing(clinic: Api) -> None:
    (bundle,) = evaluate(clinic, reportType="population", stratify="race")
    assert of_type(bundle, "MeasureReport") == []
    (issues,) = of_type(bundle, "OperationOutcome")
    assert issues["issue"][0]["diagnostics"].endswith(
        "not shown: fewer than 11 children, or it would tell such a number."
    )


def test_a_group_of_two(clinic: Api) -> None:
    (bundle,) = evaluate(clinic, subject="Group/two", reportType="population")
    assert counts(of_type(bundle, "MeasureReport")[0]["group"][0]) == [2, 2, 0, 1]
    bundles = evaluate(clinic, subject="Group/two")
    subjects = [of_type(one, "MeasureReport")[0]["subject"]["reference"] for one in bundles]
    assert sorted(subjects) == ["Patient/tested", "Patient/untested"]


def test_everybodys_reports_are_of_those_in_the_initial_population(clinic: Api) -> None:
    bundles = evaluate(clinic, reportType="subject")
    subjects = {of_type(one, "MeasureReport")[0]["subject"]["reference"] for one in bundles}
    assert subjects == {f"Patient/{name}" for name in CHILDREN if name != "too-old"}


def test_several_measures_in_one_answer(clinic: Api) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "periodStart", "valueDate": "2026"},
            {"name": "periodEnd", "valueDate": "2026"},
            {"name": "measure", "valueString": f"Measure/{MEASURE}"},
            {"name": "measure", "valueString": f"{BASE}/Measure/cohort"},
            {"name": "reportType", "valueCode": "population"},
        ],
    }
    response = clinic.post("/fhir/Measure/$evaluate", body)
    assert response.status_code == 200, response.get_json()
    (parameter,) = response.get_json()["parameter"]
    reports = of_type(parameter["resource"], "MeasureReport")
    assert [one["measure"] for one in reports] == [CANONICAL, f"{BASE}/Measure/cohort|2.0.001"]
    assert all(validate(one) == [] for one in reports)
    assert "measureScore" not in reports[1]["group"][0]


@pytest.mark.parametrize(
    ("query", "status", "code", "text"),
    [
        ({"periodStart": "2026-13-01"}, 400, "value", "periodStart: there is no such day: '2026-13-01'"),
        ({"periodEnd": "2025-01-01"}, 400, "value", "periodEnd: is before periodStart"),
        (
            {"reportType": "subject-lists"},
            400,
            "value",
            "reportType: expected subject, subject-list or population, not 'subject-lists'",
        ),
        ({"subject": "Device/1"}, 400, "value", "subject: expected Patient/<id> or Group/<id>, not 'Device/1'"),
        ({"subject": "Patient/nobody"}, 404, "not-found", "subject: there is no such Patient"),
        ({"subject": "Group/nobody"}, 404, "not-found", "subject: there is no such Group"),
        ({"reporter": "Organization/nobody"}, 404, "not-found", "reporter: there is no such Organization"),
        (
            {"practitioner": "x", "subject": "Patient/tested"},
            400,
            "value",
            "subject: can't be combined with practitioner",
        ),
        ({"measureId": "w30"}, 400, "invalid", "measureId: the address names the measure already"),
        ({"programUrl": "x"}, 400, "not-supported", "programUrl: not supported; name the measures"),
        (
            {"perioStart": "2026"},
            400,
            "not-supported",
            "perioStart: there is no parameter 'perioStart'; did you mean periodStart?",
        ),
    ],
)
def test_what_can_not_be_answered(clinic: Api, query: dict[str, str], status: int, code: str, text: str) -> None:
    response = clinic.get(f"/fhir/Measure/{MEASURE}/$evaluate", **{**PERIOD, **query})
    assert response.status_code == status
    assert outcome(response)[0][:2] == (code, text)


def test_which_measure_must_be_said_and_known(clinic: Api) -> None:
    response = clinic.get("/fhir/Measure/$evaluate", **PERIOD)
    assert (response.status_code, outcome(response)[0][0]) == (400, "required")
    response = clinic.get("/fhir/Measure/$evaluate", **PERIOD, measure=f"{BASE}/Measure/gone")
    assert (response.status_code, outcome(response)[0][0]) == (404, "not-found")
    assert clinic.get("/fhir/Measure/gone/$evaluate", **PERIOD).status_code == 404


def test_who_may_not_see_the_records_gets_no_report(clinic: Api) -> None:
    for token in TOKENS:
        response = clinic.get(f"/fhir/Measure/{MEASURE}/$evaluate", token=f"token-{token}", **PERIOD)
        assert response.status_code == (200 if token == "all" else 403)
    assert clinic.get(f"/fhir/Measure/{MEASURE}/$evaluate", token=None, **PERIOD).status_code == 401


def test_a_record_on_which_the_rules_fail_is_left_out_aloud(clinic: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the summary the others are counted, and an OperationOutcome says how many are missing."""
    from gapsvc.evaluation.evaluator import PreparedEvaluation

    right = PreparedEvaluation.evaluate

    def fails_for_one(self: PreparedEvaluation, record: Any) -> Any:
        if record.person_id == "tested":
            raise ArithmeticError("canary-4711")
        return right(self, record)

    monkeypatch.setattr(PreparedEvaluation, "evaluate", fails_for_one)
    (bundle,) = evaluate(clinic)
    assert counts(of_type(bundle, "MeasureReport")[0]["group"][0]) == [5, 5, 1, 1]
    (failure,) = of_type(bundle, "OperationOutcome")
    assert failure["issue"][0]["diagnostics"] == (
        f"the rules of Measure/{MEASURE} failed on 1 record(s), which are left out; the service's log says where"
    )
    response = clinic.get(f"/fhir/Measure/{MEASURE}/$evaluate", **PERIOD, subject="Patient/tested")
    assert response.status_code == 500
    assert "canary" not in response.get_data(as_text=True)


# ------------------------------------------------------------------------------------------------ published


def test_what_was_brought_is_published_as_it_came(clinic: Api) -> None:
    assert clinic.get(f"/fhir/Measure/{MEASURE}").get_json() == lead_screening()
    assert clinic.get("/fhir/Library/FHIRHelpers").get_json()["version"] == "4.1.000"
    assert clinic.get("/fhir/ValueSet/blood-lead").get_json()["expansion"]["total"] == 2
    found = clinic.get("/fhir/ValueSet", url=f"{BASE}/ValueSet/hospice").get_json()
    # our own measures have a value set of that id
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["LeadScreening-hospice"]
    resource = next(
        one for one in clinic.get("/fhir/metadata").get_json()["rest"][0]["resource"] if one["type"] == "Measure"
    )
    assert "evaluate" in [operation["name"] for operation in resource["operation"]]


# ------------------------------------------------------------------------------------------------ command line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAPSVC_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("GAPSVC_EVALUATION_AS_OF", "2026-11-22")
    (tmp_path / "lead.json").write_bytes(measure_bundle(lead_screening()))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_add_list_evaluate_remove(home: Path) -> None:
    added = run("measures", "add", str(home / "lead.json"))
    assert (added.exit_code, added.stdout.splitlines()[0]) == (
        0,
        "added LeadScreening version 2.0.001: Blood lead test by age two (proportion, 1 group(s), 3 value set(s))",
    )
    assert "LeadScreening" in run("measures", "list").stdout
    data = write_children(home / "children")
    out = home / "reports.ndjson"
    ran = run("evaluate", "--data", str(data), "--out", str(out), "--measure", MEASURE)
    assert ran.exit_code == 0, ran.output
    reports = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    met = {one["subject"]["reference"] for one in reports if one["group"][0]["population"][3]["count"]}
    assert met == {"Patient/tested", "Patient/elevated"}
    assert run("measures", "remove", MEASURE).stdout == "removed LeadScreening|2.0.001\n"
    assert "LeadScreening" not in run("measures", "list").stdout
    again = run("measures", "remove", MEASURE)
    assert (again.exit_code, again.stderr) == (5, "Error: no measure 'LeadScreening' was added; there are none\n")


def test_evaluate_shows_the_scores_of_measures_without_gaps(home: Path) -> None:
    """Over a folder, and from the store; no line of theirs in the table of gaps."""
    population = lead_screening()["group"][0]["population"][0]
    cohort = lead_screening(
        title="Two-year-olds seen",
        scoring=concept("measure-scoring", "cohort"),
        group=[{"id": "all", "description": "Seen", "population": [population]}],
    )
    (home / "cohort.json").write_bytes(measure_bundle(cohort))
    assert run("measures", "add", str(home / "cohort.json")).exit_code == 0
    data = str(write_children(home / "children"))
    out = str(home / "reports.ndjson")
    period = ("--measure", MEASURE, "--period-start", "2026-01-01")
    assert run("pull", "--from", data).exit_code == 0
    for ran in (run("evaluate", "--data", data, "--out", out, *period), run("evaluate", *period)):
        assert ran.exit_code == 0, ran.output
        rows = [line.split() for line in ran.stdout.splitlines()]
        assert ["Seen", "not", "scored", "initial", "population", "6"] in rows
        assert not [row for row in rows if row[:1] == ["Seen"] and "nobody" in row]


def test_a_wrong_measure_is_refused_with_every_problem_and_nothing_is_kept(home: Path) -> None:
    wrong = orjson.loads(measure_bundle(lead_screening(version=None, scoring=concept("measure-scoring", "composite"))))
    (home / "wrong.json").write_bytes(orjson.dumps(wrong))
    refused = run("measures", "add", str(home / "wrong.json"))
    assert refused.exit_code == 5
    assert refused.stderr.splitlines() == [
        "Error: wrong.json: entry[0]: Measure/LeadScreening: version is missing",
        "wrong.json: entry[0]: Measure/LeadScreening: scoring 'composite' is not known; expected one of proportion, "
        "ratio, continuous-variable, cohort",
    ]
    assert not (home / "var" / "measures").exists()
