"""Whatever a library says, analysis ends in a program or in CqlErrors."""

import re

from cql_analysing import FHIR_HEAD
from hypothesis import given, settings
from hypothesis import strategies as st

from cql_like import ir
from cql_like.analysis import analyse
from cql_like.errors import CqlErrors
from cql_like.syntax import parse_library

VISITS = """
define function Spaced(visits List<Tuple { onDay Date, id String }>, spacing Integer):
  visits V aggregate Kept starting (null as List<Tuple { onDay Date, id String }>):
    if Kept is null then { V }
    else if difference in days between Last(Kept).onDay and V.onDay >= spacing then flatten { Kept, { V } } else Kept
define "Visits":
  ([Encounter: "Well Visit"] E
    let visitDay: date from start of E.period
    with [Condition] C such that C.encounter.reference = E.id and C.code ~ "Well"
    where E.status in { 'finished', 'arrived' } and E.period starts 3 days or less before end of "Measurement Period"
    return all Tuple { onDay: visitDay, id: E.id.value }) V
    sort by onDay desc, id
define "Counted": Count(Spaced("Visits", 14)) >= 2
define "Age": AgeInMonthsAt(end of "Measurement Period") between 3 and 5
define "Dead": (Patient.deceased as FHIR.boolean).value is true or Patient.deceased is FHIR.dateTime
define "Window": Interval[Patient.birthDate, Patient.birthDate + 120 days] overlaps day of "Measurement Period"
define "Heights": [Observation] O where O.value > 5.5 'cm' or O.value.unit is null return First(O.code.coding).display
define "Case": case "Age" when true then 1 when false then 2.5 else null end
"""
TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\s+|[^\w\s]")
WORD = re.compile(r"'[^']*'|\"[^\"]*\"|\w+")
TOKENS = TOKEN.findall(VISITS)
WORDS = [position for position, token in enumerate(TOKENS) if WORD.fullmatch(token)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1, max_size=3))
def test_a_library_with_words_exchanged_is_analysed_or_refused(swaps: list[tuple[int, int]]) -> None:
    tokens = list(TOKENS)
    for left, right in swaps:
        tokens[left] = TOKENS[right]
    text = FHIR_HEAD + "".join(tokens)
    try:
        program = analyse(parse_library(text, "Test"), text=text)
    except CqlErrors as errors:
        assert all(error.line > 0 and error.column > 0 and error.message for error in errors.errors)
    else:
        assert isinstance(program, ir.Program)


def test_the_library_as_it_stands_is_right() -> None:
    text = FHIR_HEAD + VISITS
    program = analyse(parse_library(text, "Test"), text=text)
    defines = program.libraries[program.main].defines
    assert {name: str(define.expression.type) for name, define in defines.items()} == {
        "Patient": "FHIR.Patient",
        "Visits": "List<Tuple{id System.String, onDay System.Date}>",
        "Counted": "System.Boolean",
        "Age": "System.Boolean",
        "Dead": "System.Boolean",
        "Window": "System.Boolean",
        "Heights": "List<FHIR.string>",
        "Case": "System.Decimal",
    }
