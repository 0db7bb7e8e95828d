"""Value set and code system membership (CQL Appendix B §Clinical operators)."""

import pytest

from cql_like.runtime import clinical
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Code, CodeSystem, Concept, ValueSet
from cql_like.terminology import UnknownValueSet

CPT, SNOMED = "http://www.ama-assn.org/go/cpt", "http://snomed.info/sct"
VISITS = ValueSet("urn:well-visits", name="Well Visits")


class Expansions:
    """A terminology of one value set; `410620009` is there in two systems."""

    def expand(self, url, version=None):
        if url != VISITS.id:
            raise UnknownValueSet(url, version, "the test's expansions")
        return frozenset({(CPT, "99381"), (SNOMED, "410620009"), (CPT, "410620009")})


HERE = EvaluationContext(terminology=Expansions())


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (Code("99381", CPT), True),
        (Code("99381", SNOMED), False),
        (Code("99381"), False),
        (Concept((Code("x", CPT), Code("410620009", SNOMED))), True),
        (Concept(()), False),
        ("99381", True),
        ("00000", False),
        (None, False),
    ],
)
def test_membership_is_decided_by_system_and_code(value, found):
    assert clinical.in_value_set(value, VISITS, context=HERE) is found
    assert clinical.any_in_value_set([None, value], VISITS, context=HERE) is found


def test_a_null_value_set_gives_null_and_a_null_list_false():
    assert clinical.in_value_set(Code("99381", CPT), None, context=HERE) is None
    assert clinical.any_in_value_set(None, VISITS, context=HERE) is False


def test_a_missing_value_set_is_an_error_that_names_it():
    with pytest.raises(UnknownValueSet, match=r"value set urn:other\|2 is not in the test's expansions"):
        clinical.in_value_set(Code("1"), ValueSet("urn:other", "2"), context=HERE)
    with pytest.raises(CqlRuntimeError, match="urn:well-visits was asked for, but the evaluation has no terminology"):
        clinical.in_value_set(Code("1"), VISITS, context=EvaluationContext())


def test_a_string_in_two_systems_is_ambiguous():
    with pytest.raises(CqlRuntimeError, match="in 2 systems"):
        clinical.in_value_set("410620009", VISITS, context=HERE)


def test_code_systems():
    cpt = CodeSystem(CPT)
    assert clinical.in_code_system(Code("99381", CPT), cpt) is True
    assert clinical.in_code_system(Concept((Code("1", SNOMED),)), cpt) is False
    assert clinical.in_code_system(None, cpt) is False
    assert clinical.any_in_code_system([Code("1", SNOMED), Code("2", CPT)], cpt) is True
    assert clinical.in_code_system(Code("99381", CPT), None) is None
    with pytest.raises(CqlRuntimeError, match="expected a Code"):
        clinical.in_code_system("99381", cpt)


def test_expanding_a_value_set_is_ordered():
    assert clinical.codes_of_value_set(VISITS, context=HERE) == [
        Code("410620009", SNOMED),
        Code("410620009", CPT),
        Code("99381", CPT),
    ]
