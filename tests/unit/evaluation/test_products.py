"""What vaccines are called: the table fits the schedule, codes lead to groups, doses have the name a nurse uses."""

import pytest

from gapsvc.evaluation.products import GROUP_NAMES, TRADE_NAMES, VaccineNames
from gapsvc.evaluation.result import Coding
from gapsvc.schedule.immunizations import Schedule, load

CVX = "http://hl7.org/fhir/sid/cvx"
CPT = "http://www.ama-assn.org/go/cpt"


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return load()


@pytest.fixture(scope="module")
def names(schedule: Schedule) -> VaccineNames:
    return VaccineNames.of(schedule)


def test_every_row_of_the_table_is_of_the_schedule(schedule: Schedule) -> None:
    assert set(GROUP_NAMES) <= set(schedule.groups)
    assert set(TRADE_NAMES) <= set(schedule.vaccines)


def test_every_vaccine_that_forecasts_name_for_children_has_a_trade_name(schedule: Schedule) -> None:
    offered = {
        vaccine.cvx
        for group in (
            "DTaP/Tdap/Td",
            "HepA",
            "HepB",
            "Hib",
            "HPV",
            "MMR",
            "Pneumococcal",
            "Polio",
            "Rotavirus",
            "Varicella",
        )
        for antigen in schedule.groups[group].antigens
        for series in schedule.antigens[antigen].series
        if series.kind == "standard"
        for one in series.doses
        for vaccine in one.offered
    }
    assert offered - set(TRADE_NAMES) == set()


@pytest.mark.parametrize(
    ("coding", "groups"),
    [
        (Coding(CVX, "107"), ("DTaP/Tdap/Td",)),
        (Coding(CVX, "115"), ("DTaP/Tdap/Td",)),
        (Coding(CVX, "03"), ("MMR",)),
        (Coding(CVX, "94"), ("MMR", "Varicella")),
        (Coding(CVX, "152"), ("Pneumococcal",)),
        (Coding(CPT, "90723"), ("DTaP/Tdap/Td", "HepB", "Polio")),
        (Coding(CPT, "96110"), ()),
        (Coding("http://loinc.org", "77307-7"), ()),
        (Coding(CVX, "no such"), ()),
    ],
)
def test_a_code_leads_to_its_groups(names: VaccineNames, coding: Coding, groups: tuple[str, ...]) -> None:
    assert names.groups(coding) == groups


def test_a_dose_has_the_name_that_fits_what_can_be_given(names: VaccineNames) -> None:
    assert names.dose("DTaP/Tdap/Td", ("20", "110")) == "DTaP"
    assert names.dose("DTaP/Tdap/Td", ("115",)) == "Tdap"
    assert names.dose("MMR", ("03", "94")) == "MMR"
    assert names.dose("Polio") == "IPV"
    assert names.products(("110", "48")) == ("Pediarix", "ActHIB", "Hiberix")
    assert names.product("10") == "IPOL (IPV)"
    assert names.product("48") == "Hib (PRP-T)"
