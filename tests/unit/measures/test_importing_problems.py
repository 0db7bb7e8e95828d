"""What can be wrong with a brought measure: each problem is named with its place, and all are reported at once."""

from typing import Any

import orjson
import pytest
from bring_examples import (
    BASE,
    CPT,
    PROPORTION,
    VISITS_CQL,
    WELL_VISIT,
    bundle,
    child,
    concept,
    criteria,
    evaluated,
    extension,
    group,
    library,
    measure,
    observation,
    population,
    problems,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gapsvc.measures import MeasureError
from gapsvc.measures.documents import Document
from gapsvc.measures.importing import import_measures

ME = "entry[0]: Measure/visits"


NO_CQL = f"{ME}: its Library {BASE}/Library/Visits|1.2.0 has no CQL that can be read"


def wrong(made: dict[str, Any], cql: str = VISITS_CQL) -> list[str]:
    """The problems of a measure with the library and value set of the examples; without the measure's name."""
    return [text.removeprefix(f"{ME}: ") for text in problems(made, library(cql), WELL_VISIT)]


def test_the_example_is_right() -> None:
    assert wrong(measure("proportion", PROPORTION)) == []


# ------------------------------------------------------------------------------------------------ the measure itself


@pytest.mark.parametrize("name", ["url", "version"])
def test_identity_is_needed(name: str) -> None:
    made = measure("proportion", PROPORTION)
    del made[name]
    assert wrong(made) == [f"{name} is missing"]


def test_an_id_is_needed_and_is_one() -> None:
    made = measure("proportion", PROPORTION)
    del made["id"]
    assert problems(made, library(VISITS_CQL), WELL_VISIT) == ["entry[0]: Measure/(no id): id is missing"]
    for name in ("../../etc", "..", "a b", "x" * 65):
        (found,) = problems({**measure("proportion", PROPORTION), "id": name}, library(VISITS_CQL), WELL_VISIT)
        assert "is no FHIR id" in found


def test_a_version_of_dots_would_lead_out_of_its_folder() -> None:
    assert wrong(measure("proportion", PROPORTION, version="..")) == ["version holds nothing but dots"]


@pytest.mark.parametrize(
    ("scoring", "problem"),
    [
        (
            "composite",
            "scoring 'composite' is not known; expected one of proportion, ratio, continuous-variable, cohort",
        ),
        (
            None,
            "group 'rate': scoring is missing; expected one of proportion, ratio, continuous-variable, cohort",
        ),
    ],
)
def test_the_scoring_is_one_of_four(scoring: str | None, problem: str) -> None:
    assert wrong(measure(scoring, PROPORTION)) == [problem]


def test_the_direction_is_known() -> None:
    upwards = {"coding": [{"code": "upwards"}]}
    made = measure("proportion", PROPORTION, improvementNotation=upwards)
    assert wrong(made) == ["improvementNotation 'upwards' is not known; expected increase or decrease"]
    rate = {**PROPORTION, "extension": [extension("improvementNotation", valueCodeableConcept=upwards)]}
    assert wrong(measure("proportion", rate)) == [
        "group 'rate': improvementNotation 'upwards' is not known; expected increase or decrease"
    ]


def test_a_measure_of_organizations_is_refused() -> None:
    made = measure("proportion", PROPORTION, subjectCodeableConcept={"coding": [{"code": "Organization"}]})
    assert wrong(made) == ["its subject is Organization; only measures of Patients can be evaluated"]


def test_a_measure_has_groups() -> None:
    assert wrong(measure("proportion")) == ["it has no group"]


# ------------------------------------------------------------------------------------------------ libraries


def test_the_library_is_there_in_its_version() -> None:
    other = measure("proportion", PROPORTION, library=[f"{BASE}/Library/Other|1.0.0"])
    assert wrong(other) == [f"its Library {BASE}/Library/Other|1.0.0 is missing; there are {BASE}/Library/Visits|1.2.0"]
    newer = measure("proportion", PROPORTION, library=[f"{BASE}/Library/Visits|2.0.0"])
    assert wrong(newer) == [
        f"its Library {BASE}/Library/Visits is not there in version 2.0.0; there are {BASE}/Library/Visits|1.2.0"
    ]
    assert wrong(measure("proportion", PROPORTION, library=[])) == [
        "library must name one Library, by its canonical url"
    ]


def test_elm_alone_is_not_enough() -> None:
    elm = library(VISITS_CQL)
    elm["content"] = elm["content"][:1]
    assert problems(measure("proportion", PROPORTION), elm, WELL_VISIT) == [
        "entry[1]: Library/Visits: it has no text/cql content, only application/elm+json; ELM is not read",
        NO_CQL,
    ]


@pytest.mark.parametrize("data", ["%%%", "/9j/4AAQ"])
def test_content_is_base64_of_a_text(data: str) -> None:
    broken = {**library(VISITS_CQL), "content": [{"contentType": "text/cql", "data": data}]}
    assert problems(measure("proportion", PROPORTION), broken, WELL_VISIT) == [
        "entry[1]: Library/Visits: the data of its text/cql content is not the base64 of a UTF-8 text",
        NO_CQL,
    ]


def test_a_library_that_nobody_needs_may_be_without_cql() -> None:
    unused = {**library("", "Unused"), "content": [{"contentType": "application/elm+json", "data": "e30="}]}
    assert problems(measure("proportion", PROPORTION), library(VISITS_CQL), unused, WELL_VISIT) == []


def test_a_library_may_be_named_by_its_id() -> None:
    assert wrong(measure("proportion", PROPORTION, library=["Library/Visits"])) == []


def test_a_missing_include_is_named_with_who_needs_it() -> None:
    cql = VISITS_CQL.replace("codesystem", "include Common version '3' called Common\ncodesystem", 1)
    assert wrong(measure("proportion", PROPORTION), cql) == ["Visits:3:1: library Common version 3 is not there"]


def test_an_include_is_taken_in_the_version_that_is_asked_for() -> None:
    cql = VISITS_CQL.replace("codesystem", "include Common version '2' called Common\ncodesystem", 1)
    cql = cql.replace('define "Has Visit": exists "Visits"', 'define "Has Visit": Common."Here"')
    one = library("library Common version '1'\ndefine \"There\": true\n", "Common", "1")
    two = library("library Common version '2'\ndefine \"Here\": true\n", "Common", "2")
    value_set = WELL_VISIT
    assert problems(measure("proportion", PROPORTION), library(cql), one, value_set) == [
        f"{ME}: Visits:3:1: library Common: version 2 is needed"
    ]
    assert problems(measure("proportion", PROPORTION), library(cql), one, two, value_set) == []


def test_errors_of_the_cql_are_all_named_with_their_place() -> None:
    cql = VISITS_CQL.replace('define "Nobody": false', 'define "Nobody": nowhere\ndefine "Else": 1 + true')
    found = wrong(measure("proportion", PROPORTION), cql)
    line = cql[: cql.index('define "Nobody"')].count("\n") + 1
    assert [text.split(" ")[0] for text in found] == [f"Visits:{line}:18:", f"Visits:{line + 1}:16:"]


def test_the_same_canonical_with_other_content_is_a_problem() -> None:
    other = library(VISITS_CQL + "\n// changed")
    found = problems(measure("proportion", PROPORTION), library(VISITS_CQL), other, WELL_VISIT)
    assert found == [
        f"entry[2]: Library/Visits: {BASE}/Library/Visits|1.2.0 is there twice with different content: "
        "also entry[1]: Library/Visits"
    ]
    repeated = library(VISITS_CQL)
    assert problems(measure("proportion", PROPORTION), library(VISITS_CQL), repeated, WELL_VISIT) == []


# ------------------------------------------------------------------------------------------------ value sets


def test_a_missing_value_set_is_named_with_who_needs_it() -> None:
    (found,) = problems(measure("proportion", PROPORTION), library(VISITS_CQL))
    assert found.startswith(f"{ME}: value set {BASE}/ValueSet/well-visit is not in the terminology (0 value sets)")
    assert found.endswith('it is needed by Visits|1.2.0."Well" ("Well Visit")')


def test_a_value_set_that_needs_a_server_is_named() -> None:
    by_filter = {"include": [{"system": CPT, "filter": [{"property": "x", "op": "=", "value": "y"}]}]}
    (found,) = problems(measure("proportion", PROPORTION), library(VISITS_CQL), {**WELL_VISIT, "compose": by_filter})
    assert f"value set {BASE}/ValueSet/well-visit|2025 cannot be used: it selects codes of {CPT} by a filter" in found


def test_a_value_set_is_needed_only_by_what_is_asked() -> None:
    """The define that uses it is no criterion here."""
    rate = group("r", {"initial-population": "Born By Then", "denominator": "Has Visit", "numerator": "Many Visits"})
    assert problems(measure("proportion", rate), library(VISITS_CQL)) == []


def test_a_version_that_is_asked_for_must_be_held() -> None:
    cql = VISITS_CQL.replace("well-visit'", "well-visit' version '2019'", 1)
    (found,) = wrong(measure("proportion", PROPORTION), cql)
    assert f"value set {BASE}/ValueSet/well-visit|2019 is not in the terminology" in found
    assert "of this one: 2025" in found


def test_an_expansion_is_taken_before_the_compose() -> None:
    expanded = {**WELL_VISIT, "expansion": {"contains": [{"system": CPT, "code": "99391"}]}}
    expanded["compose"] = {"include": [{"system": CPT}]}
    assert problems(measure("proportion", PROPORTION), library(VISITS_CQL), expanded) == []


def test_a_value_set_of_another_shape_is_a_problem() -> None:
    broken = {**WELL_VISIT, "compose": "all of them"}
    found = problems(measure("proportion", PROPORTION), library(VISITS_CQL), broken)
    assert "entry[2]: ValueSet/well-visit: its compose or expansion is not as FHIR has it" in found


# ------------------------------------------------------------------------------------------------ populations


def test_a_population_names_a_define() -> None:
    rate = group("rate", {"initial-population": "Born By Then", "denominator": "Has Vist", "numerator": "Has Well"})
    assert wrong(measure("proportion", rate)) == [
        "group 'rate', population 'denominator': library Visits has no define \"Has Vist\""
    ]


@pytest.mark.parametrize(
    ("basis", "define", "problem"),
    [
        (None, "Visits", 'define "Visits" is a List<FHIR.Encounter>; the population basis boolean asks for a Boolean'),
        (
            "Encounter",
            "Has Well",
            'define "Has Well" is a System.Boolean; the population basis asks for a List<Encounter>',
        ),
        (
            "Encounter",
            "Cared For",
            'define "Cared For" is a List<FHIR.Coverage>; the population basis asks for a List<Encounter>',
        ),
    ],
)
def test_a_define_is_of_the_groups_basis(basis: str | None, define: str, problem: str) -> None:
    whole = {"initial-population": "Visits", "denominator": "Visits"}
    if basis is None:
        whole = {"initial-population": "Born By Then", "denominator": "Has Visit"}
    made = measure("proportion", group("rate", {**whole, "numerator": define}), basis=basis)
    assert wrong(made) == [f"group 'rate', population 'numerator': {problem}"]


def test_a_basis_that_is_no_resource_is_refused() -> None:
    found = wrong(measure("proportion", PROPORTION, basis="dateTime"))
    assert found[0] == "group 'rate': population basis 'dateTime' is not supported; expected boolean or a resource type"


@pytest.mark.parametrize(
    ("scoring", "populations", "problem"),
    [
        (
            "proportion",
            {"initial-population": "Born By Then", "numerator": "Has Well"},
            "group 'rate': a proportion measure needs a denominator",
        ),
        (
            "cohort",
            {"initial-population": "Has Visit", "numerator": "Has Well"},
            "group 'rate', population 'numerator': 'numerator' is no population of a cohort measure; "
            "expected initial-population",
        ),
        (
            "continuous-variable",
            {"initial-population": "Has Visit", "measure-population": "Has Well"},
            "group 'rate': a continuous-variable measure needs a measure-observation",
        ),
    ],
)
def test_each_scoring_has_its_populations(scoring: str, populations: dict[str, str], problem: str) -> None:
    assert wrong(measure(scoring, group("rate", populations))) == [problem]


def test_a_population_stands_there_once() -> None:
    rate = group("rate", {}, *PROPORTION["population"], population("numerator", "Has Visit", id="again"))
    assert wrong(measure("proportion", rate)) == ["group 'rate': there are 2 of numerator; expected one"]


def test_two_initial_populations_must_be_told_apart() -> None:
    parts = [population("initial-population", "Visits", id="a"), population("initial-population", "Well", id="b")]
    parts += [population("denominator", "Visits"), population("numerator", "Finished")]
    made = measure("ratio", {"id": "r", "population": parts}, basis="Encounter")
    assert wrong(made) == [
        "group 'r': there are two initial populations; numerator and denominator must each say by a criteriaReference "
        "which is theirs (a, b)"
    ]


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        (None, "criteria is missing"),
        ({"language": "text/cql-identifier"}, "criteria.expression is missing"),
        (
            {"language": "text/fhirpath", "expression": "true"},
            "criteria.language 'text/fhirpath' is not known; expected one of text/cql-identifier, text/cql-expression",
        ),
        ({"language": "text/cql-expression", "expression": "1 +"}, "the expression is no CQL: expression:1:4: "),
    ],
)
def test_criteria_are_whole(stated: Any, problem: str) -> None:
    numerator = {"id": "n", "code": concept("measure-population", "numerator"), "criteria": stated}
    rate = group("rate", {"initial-population": "Born By Then", "denominator": "Has Visit"}, numerator)
    (found,) = wrong(measure("proportion", rate))
    assert found.startswith(f"group 'rate', population 'n': {problem}")


def test_an_expression_may_stand_in_the_measure() -> None:
    numerator = population("numerator", "x")
    numerator["criteria"] = criteria('Count("Visits") > 1 and "Has Well"', "text/cql-expression")
    older = population("denominator", "x")
    older["criteria"] = criteria("Has Visit", "text/cql")
    rate = group("rate", {"initial-population": "Born By Then"}, older, numerator)
    assert wrong(measure("proportion", rate)) == []


def test_an_expression_can_not_add_statements() -> None:
    """What stands in a Measure is one expression: no more definitions can be smuggled into the library."""
    for text in ('true define "Has Well": true', 'true\ndefine "X": 1', 'true /* define "Y": 1'):
        numerator = population("numerator", "x")
        numerator["criteria"] = criteria(text, "text/cql-expression")
        rate = group("rate", {"initial-population": "Born By Then", "denominator": "Has Visit"}, numerator)
        (found,) = wrong(measure("proportion", rate))
        assert "the expression is no CQL" in found


# ------------------------------------------------------------------------------------------------ observations


def cv(*observations: dict[str, Any], basis: str | None = "Encounter") -> list[str]:
    whole = {"initial-population": "Visits", "measure-population": "Finished"}
    if basis is None:
        whole = {"initial-population": "Has Visit", "measure-population": "Has Well"}
    return wrong(measure("continuous-variable", group("g", whole, *observations), basis=basis))


def test_an_observation_says_how_it_is_aggregated_and_of_what() -> None:
    where = "group 'g', population 'observation-1'"
    methods = "count, sum, average, median, minimum, maximum"
    assert cv(observation("Hours", "mean", "measure-population")) == [
        f"{where}: it has aggregate method 'mean'; expected one of {methods}"
    ]
    bare = {**observation("Hours", "sum", "measure-population"), "extension": []}
    assert cv(bare) == [f"{where}: it has no aggregate method; expected one of {methods}"]
    assert cv(observation("Hours", "sum", "initial-population")) == [
        f"{where}: it has criteriaReference 'initial-population'; expected the id of measure-population"
    ]


def test_an_observation_is_a_function_of_a_member_that_gives_a_number() -> None:
    where = "group 'g', population 'observation-1'"
    assert cv(observation("Length", "sum", "measure-population")) == [
        f'{where}: the library has no function of one Encounter "Length" (by that name it has 0 of other operands)'
    ]
    assert cv(observation("Name", "sum", "measure-population")) == [
        f'{where}: function "Name" gives a System.String; an observation is a number or a Quantity'
    ]
    assert cv(observation("Gender", "sum", "measure-population"), basis=None) == [
        f'{where}: define "Gender" gives a FHIR.AdministrativeGender; an observation is a number or a Quantity'
    ]


def test_a_ratio_observes_both_sides_or_none() -> None:
    rate = group(
        "r",
        {"initial-population": "Visits", "denominator": "Visits", "numerator": "Finished"},
        observation("Hours", "sum", "numerator"),
    )
    assert wrong(measure("ratio", rate, basis="Encounter")) == [
        "group 'r': a ratio has an observation of both numerator and denominator, or none"
    ]


# ------------------------------------------------------------------------------------------------ strata and the rest


def test_a_stratifier_says_one_value() -> None:
    rate = {**PROPORTION, "stratifier": [{"id": "s", "criteria": criteria("Visits")}]}
    assert wrong(measure("proportion", rate)) == [
        "group 'rate', stratifier 's': define \"Visits\" is a List<FHIR.Encounter>; expected one value"
    ]
    rate = {**PROPORTION, "stratifier": [{"id": "s"}]}
    assert wrong(measure("proportion", rate)) == [
        "group 'rate', stratifier 's': expected criteria, or components with criteria, not both"
    ]


def test_supplemental_data_names_a_define() -> None:
    made = measure("proportion", PROPORTION, supplementalData=[{"id": "sex", "criteria": criteria("Sex")}])
    assert wrong(made) == ["supplemental data 'sex': library Visits has no define \"Sex\""]


def test_gap_defines_are_of_the_types_that_gaps_have() -> None:
    cql = VISITS_CQL + 'define "Gap Needed": \'two\'\ndefine "Gap Counted": { 1 }\ndefine "Gap Due By rate": Today()\n'
    assert wrong(measure("proportion", PROPORTION), cql) == [
        'define "Gap Needed" is a System.String; expected a System.Integer',
        'define "Gap Counted" is a List<System.Integer>; expected a list of tuples with onDay, resource',
    ]


def test_the_period_is_an_interval_of_date_times() -> None:
    cql = VISITS_CQL.replace('"Measurement Period" Interval<DateTime>', '"Measurement Period" Interval<Integer>')
    cql = cql.replace('date from start of "Measurement Period", date from end of "Measurement Period"', "@2025, @2026")
    (found,) = wrong(measure("proportion", PROPORTION), cql)
    assert found.endswith(
        'parameter "Measurement Period" is a Interval<System.Integer>; expected an Interval<DateTime>'
    )


def test_data_of_all_patients_is_not_at_hand() -> None:
    cql = VISITS_CQL + 'context Unfiltered\ndefine "Everybody": exists [Encounter]\n'
    rate = group("rate", {"initial-population": "Everybody", "denominator": "Everybody", "numerator": "Everybody"})
    (found,) = wrong(measure("proportion", rate), cql)
    assert "[Encounter] in the Unfiltered context asks for the data of all patients, which is not supported" in found


def test_all_problems_of_all_measures_come_together() -> None:
    first = measure("composite", PROPORTION)
    second = measure(
        "proportion",
        group("rate", {"initial-population": "Nothing", "denominator": "Visits", "numerator": "Has Well"}),
        id="second",
        url=f"{BASE}/Measure/second",
        extension=[extension("populationBasis", valueCode="boolean")],
    )
    third = measure("proportion", PROPORTION, id="third", url=f"{BASE}/Measure/third", library=[f"{BASE}/Library/Gone"])
    assert problems(first, second, third, library(VISITS_CQL), WELL_VISIT) == [
        "entry[0]: Measure/visits: scoring 'composite' is not known; expected one of proportion, ratio, "
        "continuous-variable, cohort",
        "entry[1]: Measure/second: group 'rate', population 'initial-population': library Visits has no define "
        '"Nothing"',
        "entry[1]: Measure/second: group 'rate', population 'denominator': define \"Visits\" is a "
        "List<FHIR.Encounter>; the population basis boolean asks for a Boolean",
        f"entry[2]: Measure/third: its Library {BASE}/Library/Gone is missing; there are {BASE}/Library/Visits|1.2.0",
    ]


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "visits.json: this is XML; expected FHIR JSON: "),
        (b'{"resourceType": "Bundle",', "visits.json: this is no JSON: "),
        (b"[1, 2]", "visits.json: this is no FHIR resource (it has no resourceType)"),
        (b'{"resourceType": "Patient", "id": "a"}', "there is no Measure among the files"),
    ],
)
def test_a_file_is_fhir_json(content: bytes, problem: str) -> None:
    with pytest.raises(MeasureError) as caught:
        import_measures([Document("visits.json", content)])
    assert caught.value.problems[0].startswith(problem)


@pytest.mark.parametrize("part", ["group", "library", "scoring", "supplementalData", "extension", "url", "version"])
@pytest.mark.parametrize("value", [None, 7, "text", {}, [], [None], [{}], {"coding": [3]}, [[1]]])
def test_nonsense_is_a_problem_never_a_crash(part: str, value: Any) -> None:
    made = {**measure("proportion", PROPORTION), part: value}
    try:
        import_measures([bundle(made, library(VISITS_CQL), WELL_VISIT)])
    except MeasureError as error:
        assert all(text.startswith("visits.json") for text in error.problems)


@pytest.mark.parametrize("part", ["population", "stratifier", "extension", "id", "code"])
@pytest.mark.parametrize("value", [None, 7, "text", {}, [], [None], [{}], [[1]], [{"criteria": 3}], [{"code": []}]])
def test_nonsense_in_a_group_is_a_problem_never_a_crash(part: str, value: Any) -> None:
    made = measure("proportion", {**PROPORTION, part: value})
    try:
        import_measures([bundle(made, library(VISITS_CQL), WELL_VISIT)])
    except MeasureError as error:
        assert all(text.startswith("visits.json") for text in error.problems)


def test_a_measure_that_is_there_already_is_not_replaced() -> None:
    document = bundle(measure("proportion", PROPORTION), library(VISITS_CQL), WELL_VISIT)
    there = import_measures([document])
    with pytest.raises(MeasureError) as caught:
        import_measures([document], taken=there)
    assert caught.value.problems == (
        "visits.json: entry[0]: Measure/visits: visits version 1.2.0 is there already; remove it first, or raise the "
        "version",
    )
    moved = orjson.loads(document.content)
    moved["entry"][0]["resource"] |= {"url": f"{BASE}/Measure/other", "version": "2"}
    with pytest.raises(MeasureError, match="the id 'visits' is that of another measure"):
        import_measures([Document("visits.json", orjson.dumps(moved))], taken=there)


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A bundle with one thing in it replaced by nonsense, or taken away."""
    stratified = {**PROPORTION, "stratifier": [{"id": "sex", "criteria": criteria("Gender")}]}
    sex = {"id": "sex", "criteria": criteria("Gender")}
    whole = measure("proportion", stratified, basis="boolean", supplementalData=[sex])
    content = orjson.loads(bundle(whole, library(VISITS_CQL), WELL_VISIT).content)
    at: Any = content
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        if isinstance(at[key], (dict, list)) and at[key] and draw(st.integers(0, 5)):
            at = at[key]
            continue
        if draw(st.booleans()):
            del at[key]
        else:
            at[key] = draw(st.sampled_from([None, 0, True, "", "x", "a|b", [], {}, [None], [[]], [{}], {"x": {}}]))
        return content


@given(spoiled())
@settings(max_examples=200, deadline=None)
def test_no_spoiled_bundle_is_a_crash(content: dict[str, Any]) -> None:
    """It is either still a measure that can be evaluated, or its problems are told."""
    try:
        for made in import_measures([Document("visits.json", orjson.dumps(content))]):
            evaluated(made, child("a"))
    except MeasureError as error:
        assert error.problems
