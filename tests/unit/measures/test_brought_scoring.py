"""The four kinds of scoring, on both evaluators: who counts in which population, what is observed, what the score is.

The children of these cases: each visit is an Encounter of 2025; `hours` are those between its start and end.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from bring_examples import (
    AS_OF,
    PROPORTION,
    YEAR,
    brought,
    child,
    criteria,
    evaluated,
    extension,
    group,
    measure,
    observation,
    population,
    visit,
)

from fhir_profiles.deqm import Reporting, individual_measure_report
from gapsvc.evaluation.evaluator import Evaluator
from gapsvc.evaluation.result import Coding, Counted, GapStatus, Label, Need, Observations, Outlook, SupplementalValue
from gapsvc.evaluation.serialize import from_json, to_json
from gapsvc.evaluation.summary import Summing
from gapsvc.measures.definition import MeasureDefinition
from gapsvc.records.record import PatientRecord


def hours(name: str, start: int, length: int, **also: Any) -> dict[str, Any]:
    return visit(name, f"2025-03-{start:02}T08:00:00Z", f"2025-03-{start:02}T{8 + length:02}:00:00Z", **also)


def populations(made: MeasureDefinition, record: PatientRecord) -> dict[str, int]:
    (result,) = evaluated(made, record)
    return dict(result.groups[0].populations)


def score_of(made: MeasureDefinition, *records: PatientRecord) -> Decimal | None:
    """The score of all of them together."""
    results = evaluated(made, *records)
    total = Summing(made, *YEAR, AS_OF, results[0].groups[0].gap.basis)
    for result in results:
        total.add(result)
    return total.summary().groups[0].score


# ------------------------------------------------------------------------------------------------ proportion

FULL = group(
    "rate",
    {
        "initial-population": "Born By Then",
        "denominator": "Has Visit",
        "denominator-exclusion": "In Hospice",
        "numerator": "Has Well",
        "numerator-exclusion": "Left",
        "denominator-exception": "Many Visits",
    },
)
WELL = visit("well", "2025-02-01", code="99391")
SICK = visit("sick", "2025-03-01")
HOSPICE = visit("hospice", "2025-04-01", kind="HH")
MISTAKE = visit("mistake", "2025-05-01", status="entered-in-error")


@pytest.mark.parametrize(
    ("resources", "expected", "status"),
    [
        ([], (1, 0, 0, 0, 0, 0), "closed-gap"),  # not in the denominator: never open
        ([SICK], (1, 1, 0, 0, 0, 0), "open-gap"),
        ([WELL], (1, 1, 0, 1, 0, 0), "closed-gap"),
        ([WELL, HOSPICE], (1, 1, 1, 0, 0, 0), "closed-gap"),  # excluded: the numerator is not asked
        ([WELL, MISTAKE], (1, 1, 0, 1, 1, 0), "open-gap"),  # in the numerator, and excluded from it
        ([SICK, HOSPICE, MISTAKE], (1, 1, 1, 0, 0, 0), "closed-gap"),  # excluded, so no exception
        ([SICK, MISTAKE, visit("v", "2025-06-01")], (1, 1, 0, 0, 0, 1), "closed-gap"),  # an exception
        ([WELL, SICK, MISTAKE], (1, 1, 0, 1, 1, 0), "open-gap"),  # met, so no exception
    ],
)
def test_a_proportion(resources: list[Any], expected: tuple[int, ...], status: str) -> None:
    made = brought(measure("proportion", FULL))
    record = child("maya", *resources)
    names = ("initial-population", "denominator", "denominator-exclusion", "numerator")
    names += ("numerator-exclusion", "denominator-exception")
    assert populations(made, record) == dict(zip(names, expected, strict=True))
    assert evaluated(made, record)[0].groups[0].gap.status == status


def test_nobody_outside_the_initial_population_is_asked_anything() -> None:
    unborn = child("unborn", WELL, born="2025-02-02")
    (result,) = evaluated(brought(measure("proportion", FULL)), unborn)
    assert set(result.groups[0].populations.values()) == {0}
    assert result.groups[0].gap.status is GapStatus.NOT_APPLICABLE
    assert result.groups[0].score is None


def test_the_score_of_many_is_of_the_whole() -> None:
    """Four in the denominator; one excluded, one excepted: of the other two one is met."""
    records = (
        child("a", WELL),
        child("b", SICK),
        child("c", WELL, HOSPICE),
        child("d", SICK, MISTAKE, visit("v", "2025-06-01")),
        child("e"),
    )
    assert score_of(brought(measure("proportion", FULL)), *records) == Decimal("0.5")


def test_a_measure_that_is_better_lower_has_its_gaps_the_other_way_round() -> None:
    made = brought(measure("proportion", PROPORTION, improvementNotation={"coding": [{"code": "decrease"}]}))
    met, unmet = evaluated(made, child("a", WELL), child("b", SICK))
    assert (met.groups[0].gap.status, unmet.groups[0].gap.status) == (GapStatus.OPEN, GapStatus.CLOSED)


def test_the_gap_of_a_measure_that_says_none_itself() -> None:
    """Evidence is what the engine's trace found; the need is the rate; the next day may change everything."""
    made = brought(measure("proportion", PROPORTION))
    met, unmet = evaluated(made, child("a", WELL, SICK), child("b", SICK))
    gap = met.groups[0].gap
    assert gap.counted == (Counted("Encounter/well", date(2025, 2, 1)),)
    assert (gap.outlook, gap.changes_on) == (Outlook.MET, date(2025, 6, 16))
    assert met.evaluated == {
        "Patient/a": ("rate-initial-population",),
        "Encounter/well": ("rate-denominator", "rate-numerator"),
        "Encounter/sick": ("rate-denominator",),
    }
    gap = unmet.groups[0].gap
    population = "http://terminology.hl7.org/CodeSystem/measure-population"
    assert gap.need == Need("rate", Coding(population, "numerator", "Numerator"))
    assert (gap.outlook, gap.changes_on, gap.counted) == (Outlook.UNKNOWN, date(2025, 6, 16), ())
    (reason,) = gap.reasons
    assert reason.code == "Missing"
    assert reason.requirement is not None
    assert (reason.requirement.resource_type, reason.requirement.value_set) == (
        "Encounter",
        "http://clinic.example/fhir/ValueSet/well-visit",
    )


def test_an_excluded_child_says_why_it_is_not_open() -> None:
    (result,) = evaluated(brought(measure("proportion", FULL)), child("a", SICK, HOSPICE))
    assert [reason.text for reason in result.groups[0].gap.reasons] == ["not counted: excluded from the denominator"]


# ------------------------------------------------------------------------------------------------ resource basis

VISITS = group(
    "visits",
    {
        "initial-population": "Visits",
        "denominator": "Finished",
        "denominator-exclusion": "Emergencies",
        "numerator": "Well Finished",
    },
)


def test_a_proportion_of_visits_counts_visits() -> None:
    made = brought(measure("proportion", VISITS, basis="Encounter"))
    record = child(
        "maya",
        visit("w1", "2025-01-05", code="99391"),
        visit("w2", "2025-02-05", code="99391", kind="EMER"),  # a well visit, excluded
        visit("s", "2025-03-05"),
        visit("c", "2025-04-05", status="cancelled", code="99391"),
    )
    (result,) = evaluated(made, record)
    (rate,) = result.groups
    assert rate.populations == {
        "initial-population": 4,
        "denominator": 3,
        "denominator-exclusion": 1,
        "numerator": 1,
    }
    assert rate.score == Decimal("0.5")
    # one of two visits that count is met
    assert (rate.gap.status, rate.gap.needed, rate.gap.done) == (GapStatus.OPEN, 2, 1)
    assert [reason.text for reason in rate.gap.reasons] == ["1 of 2 done"]


def test_a_gap_of_visits_closes_when_each_is_met() -> None:
    made = brought(measure("proportion", VISITS, basis="Encounter"))
    (result,) = evaluated(made, child("maya", WELL, visit("w", "2025-03-01", code="99392")))
    assert result.groups[0].gap.status is GapStatus.CLOSED


# ------------------------------------------------------------------------------------------------ ratio

RATIO = {"initial-population": "Visits", "denominator": "Visits", "numerator": "Finished"}


def test_a_ratio_of_counts() -> None:
    populations = {**RATIO, "denominator-exclusion": "Emergencies", "numerator-exclusion": "Well Finished"}
    made = brought(measure("ratio", group("r", populations), basis="Encounter"))
    record = child(
        "maya", WELL, SICK, visit("e", "2025-03-09", kind="EMER"), visit("c", "2025-03-10", status="cancelled")
    )
    # denominator 4 - 1 emergency; numerator 3 finished - 1 well
    assert score_of(made, record) == Decimal("0.66666667")


def test_a_ratio_of_observations_divides_their_sums() -> None:
    made = brought(
        measure(
            "ratio",
            group(
                "hours",
                {**RATIO, "numerator-exclusion": "Emergencies"},
                observation("Hours", "sum", "numerator", 1),
                observation("Hours", "sum", "denominator", 2),
            ),
            basis="Encounter",
        )
    )
    records = (
        child("a", hours("a1", 1, 2), hours("a2", 2, 3, status="cancelled"), hours("a3", 3, 1, kind="EMER")),
        child("b", hours("b1", 4, 4)),
    )
    (first, second) = evaluated(made, *records)
    assert first.groups[0].populations == {
        "initial-population": 3,
        "denominator": 3,
        "numerator": 2,
        "numerator-exclusion": 1,
        "measure-observation.numerator": 1,
        "measure-observation.denominator": 3,
    }
    assert first.groups[0].observations == (
        Observations("numerator", "sum", (Decimal(2),)),
        Observations("denominator", "sum", (Decimal(2), Decimal(3), Decimal(1))),
    )
    assert (first.groups[0].score, second.groups[0].score) == (Decimal("0.33333333"), Decimal(1))
    assert score_of(made, *records) == Decimal("0.6")  # (2 + 4) / (6 + 4): of the whole


def test_a_ratio_may_draw_numerator_and_denominator_from_two_initial_populations() -> None:
    parts = [
        population("initial-population", "Visits", id="all"),
        population("initial-population", "Well", id="well"),
        population("denominator", "Visits", extension=[extension("criteriaReference", valueString="all")]),
        population("numerator", "Finished", extension=[extension("criteriaReference", valueString="well")]),
    ]
    made = brought(measure("ratio", {"id": "r", "population": parts}, basis="Encounter"))
    assert populations(made, child("maya", WELL, SICK, visit("v", "2025-06-01"))) == {
        "initial-population": 3,
        "initial-population.numerator": 1,
        "denominator": 3,
        "numerator": 1,  # finished, and of the well visits
    }


# ------------------------------------------------------------------------------------------------ continuous variable


def stay(aggregate: str, function: str = "Hours") -> MeasureDefinition:
    return brought(
        measure(
            "continuous-variable",
            group(
                "stay",
                {
                    "initial-population": "Visits",
                    "measure-population": "Finished",
                    "measure-population-exclusion": "Emergencies",
                },
                observation(function, aggregate, "measure-population"),
            ),
            basis="Encounter",
        )
    )


STAYS = (
    child("a", hours("a1", 1, 1), hours("a2", 2, 4), hours("a3", 3, 9, kind="EMER")),
    child("b", hours("b1", 4, 2), hours("b2", 5, 8, status="cancelled"), visit("b3", "2025-03-06T08:00:00Z")),
    child("c", hours("c1", 7, 7)),
)


@pytest.mark.parametrize(
    ("aggregate", "score"),
    [  # observations 1, 4, 2, 7; b3 has no end, so no value
        ("count", Decimal(4)),
        ("sum", Decimal(14)),
        ("average", Decimal("3.5")),
        ("median", Decimal(3)),
        ("minimum", Decimal(1)),
        ("maximum", Decimal(7)),
    ],
)
def test_a_continuous_variable(aggregate: str, score: Decimal) -> None:
    assert score_of(stay(aggregate), *STAYS) == score


def test_a_continuous_variable_of_one_child_has_no_gap() -> None:
    result = evaluated(stay("median"), *STAYS)[1]
    (rate,) = result.groups
    assert rate.populations == {
        "initial-population": 3,
        "measure-population": 2,
        "measure-population-exclusion": 0,
        "measure-observation": 1,
    }
    assert (rate.score, rate.gap.status) == (Decimal(2), GapStatus.NOT_APPLICABLE)


def test_of_nothing_only_count_and_sum_are_known() -> None:
    nobody = child("nobody")
    found = {name: score_of(stay(name), nobody) for name in ("count", "sum", "average", "median", "minimum", "maximum")}
    assert found == {"count": 0, "sum": 0, "average": None, "median": None, "minimum": None, "maximum": None}


def test_observations_keep_their_unit() -> None:
    (result, *_) = evaluated(stay("median", "Minutes"), *STAYS)
    assert result.groups[0].observations == (
        Observations("measure-population", "median", (Decimal(60), Decimal(240)), "min"),
    )


def test_a_continuous_variable_of_persons_calls_a_function_without_operands() -> None:
    made = brought(
        measure(
            "continuous-variable",
            group(
                "visits",
                {"initial-population": "Born By Then", "measure-population": "Has Visit"},
                observation("Visits Made", "average", "measure-population"),
            ),
        )
    )
    assert score_of(made, *STAYS, child("d")) == Decimal("2.33333333")  # (3 + 3 + 1) / 3
    by_define = brought(
        measure(
            "continuous-variable",
            group(
                "visits",
                {"initial-population": "Born By Then", "measure-population": "Has Visit"},
                observation("Visit Count", "maximum", "measure-population"),
            ),
        )
    )
    assert score_of(by_define, *STAYS) == Decimal(3)


# ------------------------------------------------------------------------------------------------ cohort, many groups


def test_a_cohort_counts_and_scores_nothing() -> None:
    made = brought(measure("cohort", group("all", {"initial-population": "Has Well"})))
    (result, other) = evaluated(made, child("a", WELL), child("b", SICK))
    assert (result.groups[0].populations, other.groups[0].populations) == (
        {"initial-population": 1},
        {"initial-population": 0},
    )
    assert (result.groups[0].score, result.groups[0].gap.status) == (None, GapStatus.NOT_APPLICABLE)


def test_groups_may_differ_in_scoring_basis_and_direction() -> None:
    lower = {"coding": [{"code": "decrease"}]}
    made = brought(
        measure(
            None,
            {
                **PROPORTION,
                "extension": [
                    extension("scoring", valueCodeableConcept={"coding": [{"code": "proportion"}]}),
                    extension("improvementNotation", valueCodeableConcept=lower),
                ],
            },
            {
                **group("cohort", {"initial-population": "Well"}),
                "extension": [
                    extension("scoring", valueCodeableConcept={"coding": [{"code": "cohort"}]}),
                    extension("populationBasis", valueCode="Encounter"),
                ],
            },
        )
    )
    (result,) = evaluated(made, child("a", WELL, visit("w", "2025-03-01", code="99391")))
    rate, cohort = result.groups
    assert (rate.scoring, rate.improvement_notation, rate.gap.status) == ("proportion", "decrease", GapStatus.OPEN)
    assert (cohort.scoring, dict(cohort.populations)) == ("cohort", {"initial-population": 2})


# ------------------------------------------------------------------------------------------------ strata


def test_strata_of_persons_by_a_value() -> None:
    made = brought(measure("proportion", {**PROPORTION, "stratifier": [{"id": "sex", "criteria": criteria("Gender")}]}))
    results = evaluated(
        made, child("a", WELL), child("b", SICK, gender="male"), child("c", WELL, gender="male"), child("d", SICK)
    )
    total = Summing(made, *YEAR, AS_OF, results[0].groups[0].gap.basis)
    for result in results:
        total.add(result)
    (stratifier,) = total.summary().groups[0].stratifiers
    found = {one.values[0].text: (one.populations["denominator"], one.score) for one in stratifier.strata}
    assert found == {"female": (2, Decimal("0.5")), "male": (2, Decimal("0.5"))}
    assert (stratifier.codes, stratifier.has_components) == ((Label("sex"),), False)


def test_strata_of_visits_by_a_list_and_by_a_function() -> None:
    stratifiers = [
        {"id": "emergency", "criteria": criteria("Emergencies")},
        {"id": "class", "criteria": criteria("Class"), "code": {"text": "class of visit"}},
    ]
    rate = group("r", {"initial-population": "Visits", "denominator": "Visits", "numerator": "Well Finished"})
    made = brought(measure("proportion", {**rate, "stratifier": stratifiers}, basis="Encounter"))
    (result,) = evaluated(made, child("a", WELL, SICK, visit("e", "2025-03-09", kind="EMER", code="99391")))
    emergency, by_class = result.groups[0].stratifiers
    assert {one.values[0].text: dict(one.populations) for one in emergency.strata} == {
        "false": {"initial-population": 2, "denominator": 2, "numerator": 1},
        "true": {"initial-population": 1, "denominator": 1, "numerator": 1},
    }
    assert {one.values[0].text: one.score for one in by_class.strata} == {"AMB": Decimal("0.5"), "EMER": Decimal(1)}
    assert by_class.codes == (Label("class of visit"),)


def test_strata_of_a_ratio_with_two_initial_populations() -> None:
    """A function is asked of the members of both."""
    parts = [
        population("initial-population", "Well", id="well"),
        population("initial-population", "Emergencies", id="emergencies"),
        population("denominator", "Well", extension=[extension("criteriaReference", valueString="well")]),
        population("numerator", "Finished", extension=[extension("criteriaReference", valueString="emergencies")]),
    ]
    strata = [{"id": "class", "criteria": criteria("Class")}]
    made = brought(measure("ratio", {"id": "r", "population": parts, "stratifier": strata}, basis="Encounter"))
    (result,) = evaluated(made, child("a", WELL, visit("e", "2025-03-09", kind="EMER")))
    assert {one.values[0].text: dict(one.populations) for one in result.groups[0].stratifiers[0].strata} == {
        "AMB": {"initial-population": 1, "initial-population.numerator": 0, "denominator": 1, "numerator": 0},
        "EMER": {"initial-population": 0, "initial-population.numerator": 1, "denominator": 0, "numerator": 1},
    }


def test_strata_by_components_and_of_observations() -> None:
    made = brought(
        measure(
            "continuous-variable",
            group(
                "stay",
                {"initial-population": "Visits", "measure-population": "Visits"},
                observation("Hours", "sum", "measure-population"),
                stratifier=[
                    {
                        "id": "both",
                        "component": [
                            {"code": {"text": "sex"}, "criteria": criteria("Gender")},
                            {"code": {"text": "class"}, "criteria": criteria("Class")},
                        ],
                    }
                ],
            ),
            basis="Encounter",
        )
    )
    (result,) = evaluated(made, child("a", hours("x", 1, 2), hours("y", 2, 3), hours("z", 3, 5, kind="EMER")))
    (stratifier,) = result.groups[0].stratifiers
    assert [(tuple(label.text for label in one.values), one.score) for one in stratifier.strata] == [
        (("female", "AMB"), Decimal(5)),
        (("female", "EMER"), Decimal(5)),
    ]
    assert stratifier.has_components


def test_who_has_no_value_is_a_stratum_of_their_own() -> None:
    made = brought(measure("proportion", {**PROPORTION, "stratifier": [{"id": "sex", "criteria": criteria("Gender")}]}))
    record = PatientRecord.of([{"resourceType": "Patient", "id": "x", "birthDate": "2024-03-01"}, WELL])
    (result,) = evaluated(made, record)
    (stratum,) = result.groups[0].stratifiers[0].strata
    assert stratum.values[0].text == "no value"


# ------------------------------------------------------------------------------------------------ supplemental data


def test_supplemental_data_of_who_is_in_the_initial_population() -> None:
    risk = {"coding": [{"code": "risk-adjustment-factor"}]}
    made = brought(
        measure(
            "proportion",
            PROPORTION,
            supplementalData=[
                {"id": "sex", "code": {"text": "Sex"}, "criteria": criteria("Gender")},
                {"id": "payer", "criteria": criteria("Cared For")},
                {"id": "both", "usage": [risk], "criteria": criteria("Sex And Age")},
            ],
        )
    )
    coverage = {"resourceType": "Coverage", "id": "medi-cal", "status": "active"}
    inside, outside = evaluated(made, child("a", coverage), child("b", coverage, born="2025-02-01"))
    assert [(one.id, one.usage, one.code.text, one.values) for one in inside.supplemental] == [
        ("sex", "supplemental-data", "Sex", (SupplementalValue(label=Label("female")),)),
        ("payer", "supplemental-data", "payer", (SupplementalValue("Coverage/medi-cal"),)),
        (
            "both",
            "risk-adjustment-factor",
            "both",
            (SupplementalValue(label=Label("sex: female, years: 0")),),
        ),
    ]
    assert outside.supplemental == ()


def test_a_report_of_a_stored_result_is_that_of_the_fresh_one() -> None:
    """Byte for byte, with everything that a result may hold."""
    sides = ("numerator", "denominator")
    observations = [observation("Minutes", "sum", side, number) for number, side in enumerate(sides, 1)]
    strata = [{"id": "class", "criteria": criteria("Class")}]
    made = brought(
        measure(
            "ratio",
            {**group("r", RATIO, *observations), "stratifier": strata},
            basis="Encounter",
            supplementalData=[{"id": "sex", "criteria": criteria("Gender")}],
        )
    )
    reporting = Reporting(
        reporter={"resourceType": "Organization", "id": "clinic"},
        calculated_at=datetime(2025, 6, 15, tzinfo=UTC),
        base_url="https://clinic.example/fhir",
    )
    for result in evaluated(made, *STAYS):
        stored = from_json(to_json(result))
        fresh, again = (individual_measure_report(one, reporting) for one in (result, stored))
        assert orjson.dumps(fresh) == orjson.dumps(again)


def test_a_measure_may_be_evaluated_again_and_again() -> None:
    """Members are those of one record: nothing of one child is seen in the next one's result."""
    made = stay("sum")
    evaluator = Evaluator(made, software="gapsvc test")
    once = [evaluator.evaluate(record, *YEAR, AS_OF) for record in STAYS]
    again = [evaluator.evaluate(record, *YEAR, AS_OF) for record in reversed(STAYS)]
    assert once == again[::-1]
