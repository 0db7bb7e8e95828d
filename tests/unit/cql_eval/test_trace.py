"""The trace of a define: per clause its value, its place in the source and the resources that decided it."""

import pytest

import cql_like
from cql_like.session import EmptyRecord

TEXT = """library Shots
using FHIR version '4.0.1'
context Patient
define "Completed": [Immunization] I where I.status = 'completed'
define "Enough": Count("Completed") >= 2
define "Refused": exists ([Immunization] I where I.status = 'not-done')
define "Met": "Enough" and not "Refused"
define "Either": "Refused" or "Enough"
define "With Visit":
  "Completed" I
    with [Encounter] E such that I.encounter.reference = 'Encounter/' + E.id
"""


class Child:
    """Two shots given, one refused, one visit."""

    def __init__(self, *shots, encounters=()):
        self.resources = {"Immunization": list(shots), "Encounter": list(encounters)}

    def retrieve(self, resource_type, code_path=None, codes=None):
        return self.resources.get(resource_type, [])


def shot(number, status, encounter=None):
    rest = {"encounter": {"reference": f"Encounter/{encounter}"}} if encounter else {}
    return {"resourceType": "Immunization", "id": f"i{number}", "status": status, **rest}


FIRST, SECOND, REFUSED = shot(1, "completed"), shot(2, "completed", "v"), shot(3, "not-done")
VISIT = {"resourceType": "Encounter", "id": "v"}


@pytest.fixture(scope="module")
def library():
    return cql_like.compile_library(TEXT)


def ids(resources):
    return [resource["id"] for resource in resources]


def test_a_trace_has_the_value_that_evaluate_has(library):
    session = library.session(Child(FIRST, SECOND))
    for define in library.defines:
        assert session.trace(define).value == session.evaluate(define)


def test_a_clause_stands_where_the_source_says(library):
    trace = library.session(Child(FIRST, SECOND)).trace("Enough")
    assert (trace.library, trace.define, trace.value, trace.clause.kind) == ("Shots", "Enough", True, "GreaterOrEqual")
    assert str(trace.clause.span) == "Shots:5:18"
    kinds = [(clause.kind, clause.value) for clause in trace.clause.walk()][:3]
    assert kinds == [("GreaterOrEqual", True), ("Count", 2), ("ExpressionRef", [FIRST, SECOND])]
    statuses = [clause.value for clause in trace.clause.walk() if clause.kind == "Equal"]
    assert statuses == [True, True]


def test_the_elements_that_met_the_conditions_decided(library):
    session = library.session(Child(FIRST, REFUSED, SECOND))
    assert ids(session.trace("Enough").resources) == ["i1", "i2"]
    assert ids(session.trace("Refused").resources) == ["i3"]


def test_where_none_met_them_all_that_were_looked_at_decided(library):
    assert ids(library.session(Child(FIRST, SECOND)).trace("Refused").resources) == ["i1", "i2"]


def test_of_and_and_or_the_operand_that_decided_counts(library):
    session = library.session(Child(FIRST, REFUSED, SECOND))
    assert (session.trace("Met").value, ids(session.trace("Met").resources)) == (False, ["i3"])
    assert (session.trace("Either").value, ids(session.trace("Either").resources)) == (True, ["i3"])
    session = library.session(Child(FIRST, SECOND))
    assert (session.trace("Either").value, ids(session.trace("Either").resources)) == (True, ["i1", "i2"])


def test_the_match_of_a_relationship_decided_too(library):
    trace = library.session(Child(FIRST, SECOND, encounters=[VISIT])).trace("With Visit")
    assert ids(trace.value) == ["i2"]
    assert ids(trace.resources) == ["i2", "v"]
    relationship = [clause for clause in trace.clause.clauses if clause.kind == "Retrieve"]
    assert ids(relationship[0].resources) == ["v"]


def test_a_define_used_twice_is_the_same_clause(library):
    text = "define A: 1 + 1\ndefine B: A * A"
    trace = cql_like.compile_library(text).session(EmptyRecord()).trace("B")
    left, right = trace.clause.clauses
    assert left.value == right.value == 2
    assert left.clauses[0] is right.clauses[0]


def test_a_trace_of_an_error_raises_it():
    text = "define A: Message(1, true, '7', 'Error', 'stop here')"
    with pytest.raises(cql_like.CqlMessageError, match="7: stop here"):
        cql_like.compile_library(text).session(EmptyRecord()).trace("A")
