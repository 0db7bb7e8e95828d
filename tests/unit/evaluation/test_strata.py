"""What a child is told apart by: each dimension, from records as they come."""

from datetime import date
from typing import Any

import pytest

from gapsvc.evaluation.result import Coding
from gapsvc.evaluation.rollup import Category, in_order
from gapsvc.evaluation.strata import StrataContext, names_of, strata_of, types_told_by
from gapsvc.evaluation.stratification import CDC_RACE_ETHNICITY, age_bands, dimensions, languages, race_table
from gapsvc.records.record import PatientRecord

TODAY = date(2026, 6, 1)
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
OURS = "https://gaps.example/fhir/StructureDefinition/imputed-"
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
CONTEXT = StrataContext(TODAY)
OMB_2024 = StrataContext(TODAY, race_table("omb-2024"))


def child(*others: dict[str, Any], **patient: Any) -> PatientRecord:
    return PatientRecord.of([{"resourceType": "Patient", "id": "c", **patient}, *others])


def part(url: str, code: str, display: str | None = None, system: str = CDC_RACE_ETHNICITY) -> dict[str, Any]:
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"url": url, "valueCoding": coding}


def said(kind: str, *parts: dict[str, Any], text: str | None = None, base: str = US_CORE) -> dict[str, Any]:
    """An extension for race or ethnicity."""
    return {"url": f"{base}{kind}", "extension": [*parts, *([{"url": "text", "valueString": text}] if text else [])]}


def told(record: PatientRecord, dimension: str, context: StrataContext = CONTEXT) -> tuple[str, str, str]:
    found = strata_of(record, context, [dimension])[dimension]
    return (found.code, found.text, found.source)


def race(
    *extensions: dict[str, Any], context: StrataContext = CONTEXT, dimension: str = "race"
) -> tuple[str, str, str]:
    return told(child(extension=list(extensions)), dimension, context)


BLACK, WHITE, ASIAN = (part("ombCategory", code) for code in ("2054-5", "2106-3", "2028-9"))
CHINESE, FILIPINO = part("detailed", "2034-7", "Chinese"), part("detailed", "2036-2", "Filipino")
LEBANESE = part("detailed", "2123-8", "Lebanese")
HISPANIC, NOT_HISPANIC = part("ombCategory", "2135-2"), part("ombCategory", "2186-5")
ASKED = part("ombCategory", "ASKU", system=NULL_FLAVOR)
NOT_KNOWN = part("ombCategory", "UNK", system=NULL_FLAVOR)

# ------------------------------------------------------------------------------------------------ race, ethnicity


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (said("race", BLACK, text="Black"), ("2054-5", "Black or African American", "direct")),
        (said("race", CHINESE), ("2028-9", "Asian", "direct")),  # a detailed code counts for its category
        (said("race", ASIAN, CHINESE, FILIPINO), ("2028-9", "Asian", "direct")),  # two details of one category
        (said("race", part("detailed", "2500-7")), ("2076-8", "Native Hawaiian or Other Pacific Islander", "direct")),
        (said("race", part("detailed", "1735-0")), ("1002-5", "American Indian or Alaska Native", "direct")),
        (said("race", LEBANESE), ("2106-3", "White", "direct")),
        (said("race", part("detailed", "2131-1")), ("2131-1", "Some other race", "direct")),
        (said("race", BLACK, WHITE), ("two-or-more", "Two or more races", "direct")),
        (said("race", WHITE, CHINESE), ("two-or-more", "Two or more races", "direct")),
        (said("race", ASKED, text="Asked"), ("ASKU", "Asked but no answer", "direct")),
        (said("race", NOT_KNOWN), ("UNK", "Unknown", "")),
        (said("race", ASKED, BLACK), ("2054-5", "Black or African American", "direct")),
        (said("race", text="Black or  African American "), ("2054-5", "Black or African American", "direct")),
        (said("race", text="Multiracial"), ("two-or-more", "Two or more races", "direct")),
        (said("race", text="Patient Refused"), ("ASKU", "Asked but no answer", "direct")),
        (said("race", text="martian"), ("UNK", "Unknown", "")),
        (said("race", part("ombCategory", "9999-9")), ("UNK", "Unknown", "")),
        (said("race"), ("UNK", "Unknown", "")),
    ],
)
def test_race(extension: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert race(extension) == expected


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (said("ethnicity", HISPANIC), ("2135-2", "Hispanic or Latino", "direct")),
        (said("ethnicity", part("detailed", "2148-5", "Mexican")), ("2135-2", "Hispanic or Latino", "direct")),
        (said("ethnicity", NOT_HISPANIC), ("2186-5", "Not Hispanic or Latino", "direct")),
        (said("ethnicity", NOT_HISPANIC, HISPANIC), ("2135-2", "Hispanic or Latino", "direct")),
        (said("ethnicity", text="Declined to answer"), ("ASKU", "Asked but no answer", "direct")),
        (said("ethnicity", text="Unknown"), ("UNK", "Unknown", "")),
    ],
)
def test_ethnicity(extension: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert race(extension, dimension="ethnicity") == expected


def test_a_reason_for_no_answer() -> None:
    """FHIR's data-absent-reason, on the extension or in place of the code."""
    declined = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "asked-declined"}
    whole = {"url": f"{US_CORE}race", "extension": [declined]}
    part_only = {"url": f"{US_CORE}race", "extension": [{"url": "text", "_valueString": {"extension": [declined]}}]}
    assert race(whole) == race(part_only) == ("ASKU", "Asked but no answer", "direct")


def test_the_detail_is_kept() -> None:
    assert race(said("race", ASIAN, FILIPINO, CHINESE), dimension="race_detail") == (
        "2034-7+2036-2",
        "Chinese, Filipino",
        "direct",
    )
    assert race(said("race", BLACK), dimension="race_detail") == ("2054-5", "Black or African American", "direct")
    assert race(said("race", text="White"), dimension="race_detail") == ("2106-3", "White", "direct")
    assert race(said("race", ASKED), dimension="race_detail") == ("ASKU", "Asked but no answer", "direct")


def test_what_is_imputed_is_kept_apart() -> None:
    imputed = said("race", BLACK, base=OURS)
    assert race(imputed) == ("2054-5", "Black or African American", "imputed")
    assert race(imputed, said("race", NOT_KNOWN)) == ("2054-5", "Black or African American", "imputed")
    assert race(imputed, said("race", WHITE)) == ("2106-3", "White", "direct")  # an answer comes first
    assert race(imputed, said("race", ASKED)) == ("ASKU", "Asked but no answer", "direct")  # so does a refusal
    found = strata_of(child(extension=[imputed]), CONTEXT, ["race", "race*sex"])
    assert (found["race"].key, found["race"].label) == ("2054-5~imputed", "Black or African American (imputed)")
    assert (found["race*sex"].code, found["race*sex"].text) == (
        "2054-5~imputed*UNK",
        "Black or African American (imputed) / Unknown",
    )


def test_one_question_of_2024() -> None:
    def asked(*extensions: dict[str, Any]) -> tuple[str, str]:
        return race(*extensions, context=OMB_2024)[:2]

    both = ("two-or-more", "Multiracial and/or multiethnic")
    assert asked(said("race", LEBANESE)) == ("2118-8", "Middle Eastern or North African")
    assert asked(said("race", WHITE, LEBANESE)) == both
    assert asked(said("ethnicity", HISPANIC)) == ("2135-2", "Hispanic or Latino")
    assert asked(said("race", BLACK), said("ethnicity", HISPANIC)) == both
    assert asked(said("race", BLACK), said("ethnicity", NOT_HISPANIC)) == ("2054-5", "Black or African American")
    assert asked(said("ethnicity", NOT_HISPANIC)) == ("UNK", "Unknown")
    other = said("race", part("detailed", "2131-1"))
    assert asked(other, said("ethnicity", HISPANIC)) == ("2135-2", "Hispanic or Latino")
    assert asked(other) == ("2131-1", "Some other race")
    assert asked(said("race", ASKED), said("ethnicity", NOT_HISPANIC)) == ("ASKU", "Asked but no answer")


def test_of_two_charts_the_first_that_answers_counts() -> None:
    """The chart that stands for the person says nothing; two that disagree make nobody of two races."""
    second = {"resourceType": "Patient", "id": "d", "extension": [said("race", BLACK)]}
    third = {"resourceType": "Patient", "id": "e", "extension": [said("race", WHITE)]}
    assert told(child(second, third, extension=[said("race", ASKED)]), "race")[0] == "2054-5"


def test_a_code_says_its_system() -> None:
    found = strata_of(child(extension=[said("race", CHINESE)]), CONTEXT, ["race"])["race"]
    assert found.coding == Coding(CDC_RACE_ETHNICITY, "2028-9", "Asian")


@pytest.mark.parametrize("extension", [None, [], "x", [None], [{"url": f"{US_CORE}race", "extension": "x"}], [{}]])
def test_a_record_that_is_not_in_order_says_nothing(extension: Any) -> None:
    assert told(child(extension=extension), "race") == ("UNK", "Unknown", "")


# ------------------------------------------------------------------------------------------------ language


def speaks(code: str, *, system: str = "urn:ietf:bcp:47", preferred: bool = False, text: str = "") -> dict[str, Any]:
    language = {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}
    return {"language": language, **({"preferred": True} if preferred else {})}


@pytest.mark.parametrize(
    ("communication", "expected"),
    [
        ([speaks("es-MX")], ("es", "Spanish")),
        ([speaks("en"), speaks("es", preferred=True)], ("es", "Spanish")),
        ([speaks("en"), speaks("es")], ("en", "English")),
        ([speaks("SPA", system="urn:iso:std:iso:639-2")], ("es", "Spanish")),
        ([speaks("hy_AM")], ("hy", "Armenian")),
        ([speaks("xal")], ("xal", "xal")),  # Kalmyk: not in our table, but a language
        ([speaks("und"), speaks("ko")], ("ko", "Korean")),
        ([speaks("Spanish", system="http://clinic.example/languages", text="Spanish")], ("es", "Spanish")),
        ([{"language": {"text": "khmer"}}], ("km", "Khmer")),
        ([{"language": {"text": "her own"}}], ("UNK", "Unknown")),
        ([], ("UNK", "Unknown")),
        ("en", ("UNK", "Unknown")),
    ],
)
def test_language(communication: Any, expected: tuple[str, str]) -> None:
    assert told(child(communication=communication), "language")[:2] == expected


# ------------------------------------------------------------------------------------------------ clinic, plan


def visit(name: str, day: str, clinic: str, code: str = "AMB", status: str = "finished") -> dict[str, Any]:
    return {
        "resourceType": "Encounter", "id": name, "status": status, "class": {"code": code},
        "period": {"start": f"{day}T09:00:00-07:00"}, "serviceProvider": {"reference": f"Organization/{clinic}"},
    }  # fmt: skip


def managed(clinic: str, name: str = "d", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "managingOrganization": at(clinic), **more}


def at(clinic: str) -> dict[str, Any]:
    return {"reference": f"Organization/{clinic}"}


def test_a_child_belongs_to_the_clinic_that_manages_the_chart() -> None:
    record = child(visit("e", "2026-05-01", "elsewhere"), managingOrganization=at("north"))
    assert told(record, "clinic")[:2] == ("north", "Organization/north")


def test_of_two_such_clinics_to_that_of_the_latest_visit() -> None:
    visits = (visit("e1", "2026-03-01", "south"), visit("e2", "2026-02-01", "north"), visit("e3", "2026-05-01", "x"))
    assert told(child(managed("south"), *visits, managingOrganization=at("north")), "clinic")[0] == "south"
    assert told(child(managed("south"), managingOrganization=at("north")), "clinic")[0] == "north"
    assert (
        told(child(managed("south", active=False), *visits, managingOrganization=at("north")), "clinic")[0] == "north"
    )


def test_without_one_to_that_of_the_latest_visit() -> None:
    """No stay, no emergency, no visit that is planned or still to come."""
    record = child(
        visit("e1", "2026-03-01", "south"),
        visit("e2", "2026-04-01", "hospital", "IMP"),
        visit("e3", "2026-04-02", "emergency", "EMER"),
        visit("e4", "2026-05-01", "planned", status="planned"),
        visit("e5", "2026-06-02", "tomorrow"),
    )
    assert told(record, "clinic")[0] == "south"
    assert told(child(), "clinic")[:2] == ("UNK", "Unknown")


def test_two_visits_of_one_day_are_told_apart_by_the_clinics_id() -> None:
    visits = visit("e1", "2026-03-01", "b"), visit("e2", "2026-03-01", "a")
    assert told(child(*visits), "clinic") == told(child(*reversed(visits)), "clinic") == ("a", "Organization/a", "")


def test_a_clinic_is_called_by_its_name() -> None:
    names = names_of([{"resourceType": "Organization", "id": "north", "name": " North Clinic "}, {"id": "x"}])
    assert (
        told(child(managingOrganization=at("north")), "clinic", StrataContext(TODAY, names=names))[1] == "North Clinic"
    )


def coverage(payer: dict[str, Any], status: str | None = "active", **period: str) -> dict[str, Any]:
    found = {"resourceType": "Coverage", "id": str(payer), "payor": [payer], "period": period}
    return found if status is None else {**found, "status": status}


LA, KAISER = {"reference": "Organization/la", "display": "LA Care"}, {"display": "Kaiser"}


@pytest.mark.parametrize(
    ("coverages", "expected"),
    [
        ([coverage(LA, start="2025-01-01")], ("la", "LA Care")),
        ([coverage(LA, start="2026-06-01", end="2026-06-01")], ("la", "LA Care")),
        ([coverage(LA, start="2026-06")], ("la", "LA Care")),  # some day of June: perhaps today
        ([coverage(LA, start="2025", end="2026")], ("la", "LA Care")),
        ([coverage(LA, None)], ("la", "LA Care")),
        ([coverage(LA, start="2026-06-02")], ("none", "No coverage on record")),
        ([coverage(LA, end="2026-05-31")], ("none", "No coverage on record")),
        ([coverage(LA, "cancelled")], ("none", "No coverage on record")),
        ([coverage(LA), coverage(LA, start="2026")], ("la", "LA Care")),
        ([coverage(LA), coverage(KAISER)], ("several", "Several plans")),
        ([coverage(LA, end="2026-01-31"), coverage(KAISER, start="2026-02-01")], ("Kaiser", "Kaiser")),
        ([coverage({"identifier": {"value": "0123"}})], ("0123", "0123")),
        ([], ("none", "No coverage on record")),
    ],
)
def test_plan(coverages: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    assert told(child(*coverages), "plan")[:2] == expected


# ------------------------------------------------------------------------------------------------ ZIP, age, sex


def lives(code: Any, **more: Any) -> dict[str, Any]:
    return {"postalCode": code, **more}


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([lives("90044")], "90044"),
        ([lives("90044-1234")], "90044"),
        ([lives("900441234 ")], "90044"),
        ([lives("90210", use="old"), lives("90044")], "90044"),
        ([lives("90210"), lives("90044", use="home")], "90044"),
        ([lives("90210", period={"end": "2026-05-31"}), lives("90044")], "90044"),
        ([lives("90210", use="billing")], "UNK"),
        ([lives("9004")], "UNK"),
        ([lives("00000")], "UNK"),
        ([lives("99999")], "UNK"),
        ([lives("٩٠٠٤٤")], "UNK"),
        ([lives(90044)], "90044"),
        ([], "UNK"),
    ],
)
def test_zip(addresses: list[dict[str, Any]], expected: str) -> None:
    assert told(child(address=addresses), "zip")[0] == expected


def test_three_digits_of_a_zip_code() -> None:
    assert told(child(address=[lives("90044")]), "zip", StrataContext(TODAY, zip_digits=3)) == ("900", "900xx", "")
    with pytest.raises(ValueError, match="3 or 5 digits, not 4"):
        StrataContext(TODAY, zip_digits=4)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2026-06-01", "Under 4 months"),
        ("2026-02-02", "Under 4 months"),
        ("2026-02-01", "4 to 14 months"),
        ("2025-03-02", "4 to 14 months"),
        ("2025-03-01", "15 to 29 months"),
        ("2023-12-01", "30 months to 5 years"),
        ("2020-06-02", "30 months to 5 years"),
        ("2020-06-01", "6 to 11 years"),
        ("2008-06-01", "18 to 21 years"),
        ("1990-01-01", "22 years and older"),
        ("2026-06-02", "Unknown"),  # not born yet
        ("2012", "12 to 17 years"),  # every day of that year
        ("2014-05", "12 to 17 years"),
        ("2025", "Unknown"),
        ("soon", "Unknown"),
        (None, "Unknown"),
    ],
)
def test_age(born: str | None, expected: str) -> None:
    assert told(child(birthDate=born), "age")[1] == expected


def test_sex() -> None:
    assert [told(child(gender=one), "sex")[1] for one in ("female", "male", "other", "unknown", None)] == [
        "Female",
        "Male",
        "Other",
        "Unknown",
        "Unknown",
    ]


# ------------------------------------------------------------------------------------------------ all of them


def test_everybody_has_a_category_of_each() -> None:
    assert list(strata_of(child(), CONTEXT)) == list(dimensions())


def test_what_a_record_must_hold() -> None:
    assert types_told_by(["race", "zip"]) == {"Patient"}
    assert types_told_by(["race*clinic", "plan"]) == {"Patient", "Encounter", "Coverage"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("colour", "there is no dimension 'colour'"),
        ("race*colour", "there is no dimension 'colour'"),
        ("race*race", "by one dimension, or by two"),
        ("race*sex*zip", "by one dimension, or by two"),
        ("", "there is no dimension ''"),
    ],
)
def test_what_is_no_dimension(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        strata_of(child(), CONTEXT, [name])


def test_categories_are_in_order() -> None:
    shown = [
        Category("race", code, text, "direct")
        for code, text in (
            ("UNK", "Unknown"),
            ("two-or-more", "Two or more races"),
            ("b", "Black"),
            ("ASKU", "Asked"),
            ("a", "Asian"),
        )
    ]
    assert [one.code for one in in_order(shown)] == ["a", "b", "two-or-more", "ASKU", "UNK"]
    ages = [Category("age", one.code, one.text) for one in age_bands()]
    assert in_order(reversed(ages)) == ages


def test_the_tables_hold_together() -> None:
    """No code is in two categories; each category is under itself; longer language codes lead to a name."""
    for name in ("omb-1997", "omb-2024"):
        table = race_table(name)
        for kind in (table.race, table.ethnicity):
            codes = [f"{number}-0" for number in (*range(1000, 2200), 2500)]
            assert all(sum(one.holds(code) for one in kind) <= 1 for code in codes)
            assert all(one.holds(one.code) for one in kind if one.numbers)
    assert all(len(code) == 3 and languages().names[base] for code, base in languages().instead.items())
    with pytest.raises(ValueError, match="there is no table of categories 'omb-1977'; there are omb-1997, omb-2024"):
        race_table("omb-1977")
