"""Value sets as FHIR resources -> codes (cql_like.terminology)."""

import pytest

from cql_like.terminology import ExpandedTerminology, UnknownValueSet, UnusableValueSet

CVX = "http://hl7.org/fhir/sid/cvx"
SNOMED = "http://snomed.info/sct"


def value_set(url, version=None, **rest):
    return {"resourceType": "ValueSet", "url": url, **({"version": version} if version else {}), **rest}


def listed(*codes, system=CVX):
    return {"include": [{"system": system, "concept": [{"code": code} for code in codes]}]}


def test_codes_of_an_expansion_with_nested_and_abstract_entries():
    terminology = ExpandedTerminology.of(
        [
            value_set(
                "urn:dtap",
                expansion={
                    "contains": [
                        {"system": CVX, "code": "20"},
                        {"abstract": True, "system": CVX, "code": "group", "contains": [{"system": CVX, "code": "50"}]},
                    ]
                },
            )
        ]
    )
    assert terminology.expand("urn:dtap") == {(CVX, "20"), (CVX, "50")}


def test_codes_of_a_compose_with_an_exclude():
    compose = {**listed("20", "50", "106"), "exclude": listed("50")["include"]}
    terminology = ExpandedTerminology.of([value_set("urn:dtap", compose=compose)])
    assert terminology.expand("urn:dtap") == {(CVX, "20"), (CVX, "106")}


def test_the_expansion_counts_where_there_is_a_compose_too():
    terminology = ExpandedTerminology.of(
        [value_set("urn:dtap", compose=listed("20"), expansion={"contains": [{"system": CVX, "code": "50"}]})]
    )
    assert terminology.expand("urn:dtap") == {(CVX, "50")}


def test_a_value_set_that_draws_on_others():
    terminology = ExpandedTerminology.of(
        [
            value_set("urn:all", compose={"include": [{"valueSet": ["urn:dtap"]}, {"valueSet": ["urn:ipv|2"]}]}),
            value_set("urn:both", compose={"include": [{"valueSet": ["urn:dtap", "urn:ipv|1"]}]}),
            value_set("urn:dtap", compose=listed("20", "110")),
            value_set("urn:ipv", "1", compose=listed("10", "110")),
            value_set("urn:ipv", "2", compose=listed("10")),
        ]
    )
    assert terminology.expand("urn:all") == {(CVX, "20"), (CVX, "110"), (CVX, "10")}
    assert terminology.expand("urn:both") == {(CVX, "110")}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(("urn:a", None), "10"), (("urn:a", "9"), "9"), (("urn:a|9", None), "9"), (("urn:a", "10.1"), "10")],
)
def test_versions(wanted, code):
    held = [("9", "9"), ("10.1", "10"), (None, "none")]
    terminology = ExpandedTerminology.of(
        [value_set("urn:a", version, compose=listed(number)) for version, number in held]
    )
    assert terminology.expand(*wanted) == {(CVX, code)}


def test_a_missing_value_set_is_an_error_that_names_it():
    terminology = ExpandedTerminology.of([value_set("urn:a", "1", compose=listed("1"))])
    with pytest.raises(UnknownValueSet, match=r"value set urn:b is not in the terminology \(1 value sets\)"):
        terminology.expand("urn:b")
    with pytest.raises(UnknownValueSet, match=r"value set urn:a\|2 is not in .*; of this one: 1"):
        terminology.expand("urn:a", "2")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "neither an expansion nor a compose"),
        ({"compose": {"include": [{"system": SNOMED}]}}, f"all codes of {SNOMED}"),
        ({"compose": {"include": [{"system": SNOMED, "filter": [{}]}]}}, f"codes of {SNOMED} by a filter"),
        ({"compose": {"include": [{"valueSet": ["urn:other"]}]}}, "draws on urn:other, which is not held"),
        ({"compose": {"include": [{"valueSet": ["urn:a"]}]}}, "draws on urn:a: it is defined in a circle"),
        ({"expansion": {"total": 3, "contains": [{"system": CVX, "code": "1"}]}}, "holds 1 of 3 codes"),
        ({"compose": {"include": [{}]}}, "names neither concepts nor value sets"),
    ],
)
def test_a_value_set_that_does_not_list_its_codes_is_an_error_when_it_is_used(content, reason):
    terminology = ExpandedTerminology.of([value_set("urn:a", **content), value_set("urn:good", compose=listed("1"))])
    assert terminology.expand("urn:good") == {(CVX, "1")}
    with pytest.raises(UnusableValueSet, match=reason):
        terminology.expand("urn:a")


@pytest.mark.parametrize("resource", [{"resourceType": "Bundle"}, {"resourceType": "ValueSet", "id": "no-url"}])
def test_only_value_sets_with_a_url_are_taken(resource):
    with pytest.raises(ValueError, match=r"resource 1 is .*: expected a ValueSet with a url"):
        ExpandedTerminology.of([resource])
