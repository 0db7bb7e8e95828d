"""Syntax trees as one line of text, so that a table of cases states whole trees; a library with every declaration."""

from cql_like.syntax import tree

WELL_CHILD = """\
/* Well-child visits.
 * @author: Health Begins
 * @description: "counts visits
   by day 120"
 */
library Network.WellChild version '1.0.0'

using FHIR version '4.0.1'
include Network.Common version '2.1' called Common
include FHIRHelpers // unversioned, no local name

codesystem "CPT": 'http://www.ama-assn.org/go/cpt' version '2024'
private valueset "Well Visits": 'http://example.org/vs/well' version '1' codesystems { "CPT", Common."SNOMED" }
code "Visit, infant": '99381' from "CPT" display 'Initial visit'
concept "Visit": { "Visit, infant", Common."Visit, child" } display 'Visit'
parameter "Measurement Period" Interval<DateTime> default Interval[@2024-01-01T00:00:00.0, @2025-01-01T00:00:00.0)
parameter "code" Integer
parameter Days default 120

context FHIR.Patient

// How many visits count.
// @strict
define "Visits": // trailing: belongs to the line above
  [Encounter: "Well Visits"] E
    where E.period starts 120 days or less after Patient.birthDate

define private NoComment: Count("Visits")

define fluent function "to days"(value Quantity, code List<Choice<Integer, String>>) returns Integer:
  value.value

define function Now(): external

context Unfiltered
define public All: [Encounter]
"""


def shown(value: object) -> str:
    """Names and literals as CQL writes them, other nodes as Class(field, ...), `-` for what is not there."""
    match value:
        case tree.Identifier():
            return value.name
        case tree.IntegerLiteral():
            return str(value.value)
        case tree.NullLiteral():
            return "null"
        case tree.StringLiteral():
            return repr(value.value)
        case tree.NamedType():
            return ".".join(value.parts)
        case tree.QuantityLiteral():
            return f"{value.value} {value.unit}" if value.calendar else f"{value.value} {value.unit!r}"
        case tree.Node():
            fields = [name for name in value.__dataclass_fields__ if name not in ("span", "comment", "tags")]
            return f"{type(value).__name__}({', '.join(shown(getattr(value, name)) for name in fields)})"
        case tuple():
            return f"[{', '.join(map(shown, value))}]"
        case None:
            return "-"
        case _:
            return str(value)
