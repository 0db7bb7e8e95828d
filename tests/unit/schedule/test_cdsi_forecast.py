"""Forecast, selection and blending (chapters 7 to 9) on small schedules, and blind spots on CDC's own."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from cdsi_xml import (
    age,
    antigen_file,
    condition,
    contraindication,
    dose,
    element,
    interval,
    preferable,
    schedule_file,
    series,
    skip,
    small_schedule,
)

from gapsvc.schedule.immunizations import Case, GivenDose, Observation, Schedule, answer, assess, read_schedule
from gapsvc.schedule.immunizations.compiling import compile_schedule

BORN = "2020-01-01"
Line = dict[str, Any]


def forecast(
    schedule: Schedule,
    assessed: str,
    *doses: tuple[str, str],
    observations: tuple[str, ...] = (),
    born: str = BORN,
    country: str | None = None,
) -> list[Line]:
    """The HepB forecasts of a case, without what most tests don't look at."""
    case = Case(
        "case",
        date.fromisoformat(born),
        date.fromisoformat(assessed),
        doses=tuple(GivenDose(date.fromisoformat(day), cvx) for day, cvx in doses),
        observations=tuple(Observation(code) for code in observations),
        birth_country=country,
    )
    return answer(assess(schedule, case))["groups"].get("HepB", [])


def dates(*arguments: Any, **more: Any) -> list[Any]:
    """status, number, earliest, recommended, past due, latest of the only forecast."""
    (found,) = forecast(*arguments, **more)
    return [found[key] for key in ("status", "number", "earliest", "recommended", "past_due", "latest")]


def test_dates_come_from_ages_first_and_are_never_before_the_earliest() -> None:
    """FORECASTDTCAN-1 and FORECASTDT-1 to 6; past due and latest are the day before."""
    ages = age("6 weeks - 4 days", "6 weeks", "2 months", "3 months + 4 weeks", "8 months")
    schedule = small_schedule(
        series(dose(1, ages), dose(2, interval("4 weeks - 4 days", "4 weeks", "8 weeks", "13 weeks")))
    )
    assert dates(schedule, "2020-01-10") == [
        "Not Complete", 1, "2020-02-12", "2020-03-01", "2020-04-28", "2020-08-31",
    ]  # fmt: skip
    # No grace in a forecast: four weeks, not 24 days. No age in the row: the intervals give every date.
    assert dates(schedule, "2020-04-01", ("2020-03-01", "08")) == [
        "Not Complete", 2, "2020-03-29", "2020-04-26", "2020-05-30", None,
    ]  # fmt: skip


def test_a_late_child_is_due_on_the_earliest_day() -> None:
    schedule = small_schedule(
        series(dose(1), dose(2, age("2 months", "2 months", "2 months", "3 months"), interval("4 weeks")))
    )
    # The age window of dose 2 is over when dose 1 is given: all three dates fall on dose 1's day at the earliest.
    assert dates(schedule, "2021-02-01", ("2021-01-10", "08")) == [
        "Not Complete", 2, "2021-01-10", "2021-01-10", "2021-01-10", None,
    ]  # fmt: skip


def test_a_dose_that_no_rule_dates_is_recommended_at_its_age() -> None:
    """No minimum age and no dose to count from: 'no assumptions'; people read the recommended age as the earliest."""
    schedule = small_schedule(series(dose(1, age(earliest="7 months"))))
    assert dates(schedule, "2020-02-01") == ["Not Complete", 1, "2020-08-01", "2020-08-01", None, None]


@pytest.mark.parametrize(
    ("assessed", "expected"),
    [
        ("2020-08-31", ["Not Complete", 1, "2020-02-12", "2020-02-12", None, "2020-08-31"]),
        ("2020-09-01", ["Aged Out", None, None, None, None, None]),
    ],
)
def test_aged_out_on_the_day_of_the_maximum_age(assessed: str, expected: list[Any]) -> None:
    assert dates(small_schedule(series(dose(1, age(minimum="6 weeks", maximum="8 months")))), assessed) == expected


def test_aged_out_when_the_next_dose_can_only_come_too_late() -> None:
    schedule = small_schedule(series(dose(1), dose(2, age(maximum="8 months"), interval("8 weeks", "8 weeks"))))
    (found,) = forecast(schedule, "2020-08-01", ("2020-07-15", "08"))
    assert (found["status"], found["reasons"]) == (
        "Aged Out",
        ["Patient is unable to finish the series prior to the maximum age"],
    )


def test_a_season() -> None:
    """Before it: from its first day. After its last day: not recommended. Doses of earlier seasons aren't counted."""
    schedule = small_schedule(
        series(
            dose(
                1, age(minimum="6 months"), interval(minimum="4 weeks"), recurring=True, season=("20240701", "20250630")
            )
        )
    )
    assert dates(schedule, "2024-03-01", ("2023-10-01", "08"), ("2023-11-01", "08")) == [
        "Not Complete", 1, "2024-07-01", "2024-07-01", None, None,
    ]  # fmt: skip
    assert dates(schedule, "2025-01-01", ("2023-10-01", "08"), ("2024-10-01", "08"))[:3] == [
        "Not Complete", 2, "2024-10-29",
    ]  # fmt: skip
    assert dates(schedule, "2025-06-30")[0] == "Not Complete"
    assert dates(schedule, "2025-07-01")[0] == "Not Recommended"


def test_a_conflicting_vaccine_puts_the_forecast_off_by_the_full_interval() -> None:
    """CALCDTCONFLICT-3, even where an evaluation would be content with the minimum."""
    schedule = small_schedule(series(dose(1)), conflicts=(("19", "08", "1 day", "24 days", "30 days"),))
    assert dates(schedule, "2020-03-02", ("2020-03-01", "19"))[2] == "2020-03-31"


def test_an_inadvertent_dose_is_a_floor_but_no_interval() -> None:
    schedule = small_schedule(series(dose(1), dose(2, interval("4 weeks", "4 weeks"), inadvertent="43")))
    assert dates(schedule, "2020-06-01", ("2020-03-01", "08"), ("2020-05-01", "43"))[2] == "2020-05-01"


def test_what_would_be_skipped_on_its_own_earliest_day_is_skipped_now() -> None:
    """7.6: dose 2 is due at 12 months at the earliest, when it isn't needed any more."""
    needless = skip((condition("Age", beginAge="1 year"),), context="Forecast")
    schedule = small_schedule(
        series(dose(1), dose(2, needless, interval("4 weeks", "4 weeks")), dose(3, interval("8 weeks", "8 weeks")))
    )
    assert dates(schedule, "2020-12-10", ("2020-12-01", "08"))[:3] == ["Not Complete", 2, "2020-12-29"]
    assert dates(schedule, "2020-12-10", ("2020-12-10", "08"))[:3] == ["Not Complete", 2, "2021-02-04"]


def test_nothing_left_but_skipped_doses_is_not_recommended() -> None:
    """Table 7-10: complete needs at least one satisfied target."""
    late = skip((condition("Age", beginAge="5 years"),))
    schedule = small_schedule(series(dose(1, late), dose(2, late)))
    assert dates(schedule, "2025-01-01")[0] == "Not Recommended"
    assert dates(schedule, "2025-01-01", ("2024-01-01", "08"))[0] == "Complete"


IMMUNITY = element(
    "immunity",
    clinicalHistory=element("clinicalHistory", guidelineCode="100", guidelineTitle="immune"),
    dateOfBirth=element(
        "dateOfBirth",
        immunityBirthDate="01/01/1957",
        birthCountry="U.S.",
        exclusion=element("exclusion", exclusionCode="055", exclusionTitle="health care personnel"),
    ),
)


@pytest.mark.parametrize(
    ("born", "country", "observations", "expected"),
    [
        ("2020-01-01", None, ("100",), "Immune"),
        ("1956-12-31", "USA", (), "Immune"),
        ("1957-01-01", "USA", (), "Not Complete"),  # before, not on
        ("1956-12-31", "CA", (), "Not Complete"),
        ("1956-12-31", None, (), "Not Complete"),  # the row names a country, the record doesn't
        ("1956-12-31", "United States", ("055",), "Not Complete"),  # the exclusion
        ("1956-12-31", "United States", ("055", "100"), "Immune"),
    ],
)
def test_evidence_of_immunity_table_7_3(
    born: str, country: str | None, observations: tuple[str, ...], expected: str
) -> None:
    schedule = small_schedule(series(dose(1)), immunity=IMMUNITY)
    assert dates(schedule, "2024-01-01", born=born, country=country, observations=observations)[0] == expected


def test_a_complete_series_stays_complete_for_the_immune_and_the_contraindicated() -> None:
    schedule = small_schedule(series(dose(1)), immunity=IMMUNITY, bars=contraindication("101"))
    given = ("2020-03-01", "08")
    assert dates(schedule, "2024-01-01", given, observations=("100", "101"))[0] == "Complete"
    assert dates(schedule, "2024-01-01", observations=("100", "101"))[0] == "Immune"
    assert dates(schedule, "2024-01-01", observations=("101",))[0] == "Contraindicated"


def test_an_antigen_contraindication_has_an_age_window() -> None:
    schedule = small_schedule(series(dose(1)), bars=contraindication("101", "0 days", "8 months"))
    assert dates(schedule, "2020-08-31", observations=("101",))[0] == "Contraindicated"
    assert dates(schedule, "2020-09-01", observations=("101",))[0] == "Not Complete"


def test_contraindicated_products_are_not_offered(result: Callable[..., Line]) -> None:
    """Progressive neurologic disorder bars Pediarix and Vaxelis; the series goes on with the other products."""
    (plain,) = result("2025-01-01", "2025-03-05")["groups"]["HepB"]
    (barred,) = result("2025-01-01", "2025-03-05", observations=("076",))["groups"]["HepB"]
    assert {"110", "146"} & set(plain["products"]) == {"110", "146"}
    assert {"110", "146"} & set(barred["products"]) == set()
    assert barred["status"] == plain["status"] == "Not Complete"


def test_the_default_gives_way_where_it_is_contraindicated_and_another_is_not() -> None:
    """SELECTB-24: candidates are what isn't contraindicated; a barred default would forecast nothing at all."""
    first = series(dose(1, vaccines=preferable("08")), name="first", default=True)
    other = series(dose(1, vaccines=preferable("43")), name="other", preference="2")
    bar = (
        "<vaccine>"
        + element(
            "contraindication",
            observationCode="101",
            observationTitle="",
            contraindicationText="",
            contraindicationGuidance="",
            contraindicatedVaccine=element("contraindicatedVaccine", vaccineType="", cvx="08", beginAge="", endAge=""),
        )
        + "</vaccine>"
    )
    content = antigen_file(first, other).replace(b"<contraindications>", f"<contraindications>{bar}".encode())
    files = {"AntigenSupportingData- HepB-508.xml": content, "ScheduleSupportingData.xml": schedule_file()}
    schedule = compile_schedule(read_schedule(files, version="1.0", source="a test"))
    assert [one["series"] for one in forecast(schedule, "2020-06-01")] == [["first"]]
    assert [one["series"] for one in forecast(schedule, "2020-06-01", observations=("101",))] == [["other"]]


def test_zostavax_counts_for_varicella_before_fifty_and_for_zoster_after(result: Callable[..., Line]) -> None:
    found = result("1965-06-15", "2021-01-01", ("2015-06-14", "121"), ("2015-06-15", "121"))
    assert [list(dose["groups"]) for dose in found["doses"]] == [["Varicella"], ["Zoster"]]


def test_series_of_the_other_gender_are_not_considered(schedule: Schedule) -> None:
    """HPV names series for men and for women and the unknown (Table 5-5)."""
    born, today = date(2012, 1, 1), date(2026, 1, 1)
    names = {
        gender: [one.series.name for one in assess(schedule, Case("c", born, today, gender)).evaluated["HPV"]]
        for gender in ("female", "male", "unknown", "other")
    }
    assert names["female"] == names["unknown"] == names["other"] == ["HPV 2-dose series", "HPV 3-dose series"]
    assert names["male"] == ["HPV male 2-dose series", "HPV male 3-dose series"]


def test_a_risk_series_needs_its_indication_within_its_ages(result: Callable[..., Line]) -> None:
    """Table 5-4. Asplenia (160): a meningococcal risk series from two months."""
    assert [one["series_type"] for one in result("2024-01-01", "2024-06-01")["groups"]["Meningococcal"]] == ["standard"]
    young = result("2024-01-01", "2024-02-29", observations=("160",))["groups"]["Meningococcal"]
    old = result("2024-01-01", "2024-03-01", observations=("160",))["groups"]["Meningococcal"]
    assert [one["series_type"] for one in young] == ["standard"]
    assert [one["series_type"] for one in old] == ["risk"]


def test_children_and_adults_of_two_standard_groups(result: Callable[..., Line]) -> None:
    """Pneumococcal has a child's and a 50+ group that aren't equivalent: one standard forecast, the right one."""

    def pneumococcal(born: str, *doses: tuple[str, str]) -> Line:
        (found,) = result(born, "2025-12-01", *doses)["groups"]["Pneumococcal"]
        return {key: found[key] for key in ("status", "series", "earliest")}

    assert pneumococcal("2025-10-01") == {
        "status": "Not Complete",
        "series": ["Pneumococcal 4-dose series"],
        "earliest": "2025-11-12",
    }
    assert pneumococcal("1960-01-01") == {
        "status": "Not Complete",
        "series": ["Pneumococcal 50+ 1-dose PCV series"],
        "earliest": "2010-01-01",
    }


def test_blending_mmr_takes_the_lowest_dose_number_and_dtap_the_highest(result: Callable[..., Line]) -> None:
    """FORECASTDN-2: a measles dose alone leaves MMR at dose 1; DT leaves the group at its highest number."""
    (mmr,) = result("2020-01-01", "2021-06-01", ("2021-02-01", "05"))["groups"]["MMR"]
    assert (mmr["number"], mmr["antigens"]) == (1, ["Measles", "Mumps", "Rubella"])
    (dtap,) = result("2024-01-01", "2024-06-01", ("2024-03-01", "28"), ("2024-05-01", "20"))["groups"]["DTaP/Tdap/Td"]
    assert dtap["number"] == 3


def test_a_contraindicated_antigen_bars_its_whole_group(result: Callable[..., Line]) -> None:
    """Table 9-4: encephalopathy after pertussis vaccine. Polio goes on, without the combinations that hold it."""
    groups = result("2025-01-01", "2025-06-01", observations=("079",))["groups"]
    assert [one["status"] for one in groups["DTaP/Tdap/Td"]] == ["Contraindicated"]
    assert [one["status"] for one in groups["Polio"]] == ["Not Complete"]
    assert {"110", "120", "130", "146"} & set(groups["Polio"][0]["products"]) == set()


def test_travel_before_the_first_birthday_gets_its_own_forecast(result: Callable[..., Line]) -> None:
    """Chapter 9: a risk and a standard forecast side by side (travelling abroad, 048)."""
    found = result("2025-01-01", "2025-08-01", observations=("048",))["groups"]["MMR"]
    assert [(one["series_type"], one["status"], one["earliest"]) for one in found] == [
        ("standard", "Not Complete", "2026-01-01"),
        ("risk", "Not Complete", "2025-07-01"),
    ]


def test_a_tdap_that_is_too_soon_for_tetanus_still_counts_for_pertussis(result: Callable[..., Line]) -> None:
    """Priority intervals (MULTIANTVG-1): a Td a month ago is no reason to wait for the first Tdap."""
    born, td = "2010-02-14", ("2024-08-03", "113")
    (dtap,) = result(born, "2024-09-05", ("2015-02-09", "110"), td)["groups"]["DTaP/Tdap/Td"]
    assert dtap["earliest"] <= "2024-09-05"
    assert {"115", "113", "09"} & set(dtap["products"]) == {"115"}  # Td alone would protect too little
    tdap = result(born, "2024-09-05", ("2015-02-09", "110"), td, ("2024-09-05", "115"))["doses"][2]
    assert tdap["groups"]["DTaP/Tdap/Td"]["status"] == "Valid"


def test_an_mmr_that_is_too_soon_for_one_antigen_is_to_be_repeated(result: Callable[..., Line]) -> None:
    """A mumps vaccine 20 days before: measles and rubella count, mumps doesn't; MMR is always given whole."""
    found = result("2020-01-01", "2021-06-01", ("2021-02-01", "07"), ("2021-02-21", "03"))
    assert [dose["groups"]["MMR"]["status"] for dose in found["doses"]] == ["Valid", "Not Valid"]
