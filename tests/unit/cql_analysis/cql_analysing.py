"""What the analysis tests share: analysing a text, and writing typed IR short enough to read."""

from collections.abc import Mapping

import pytest

from cql_like import ir
from cql_like.analysis import EXPRESSION, analyse, analyse_expression
from cql_like.errors import CqlErrors
from cql_like.syntax import parse_expression, parse_library

FHIR_HEAD = """library Test version '1'
using FHIR version '4.0.1'
codesystem "CPT": 'http://www.ama-assn.org/go/cpt'
valueset "Well Visit": 'urn:vs:well'
code "Well infant": '99391' from "CPT"
concept "Well": { "Well infant" }
parameter "Measurement Period" Interval<DateTime>
context Patient
"""


def expression(text: str) -> ir.Expression:
    """The typed IR of an expression of the System model."""
    program = analyse_expression(parse_expression(text), text)
    return program.libraries[program.main].defines[EXPRESSION].expression


def program(text: str, libraries: Mapping[tuple[str, str | None], str] | None = None) -> ir.Program:
    """The program of a library."""
    return analyse(parse_library(text, "Test"), libraries, text=text)


def fhir(text: str, before: str = "") -> ir.Expression:
    """The typed IR of an expression in a library that uses FHIR; `before`: more definitions."""
    made = program(f'{FHIR_HEAD}{before}\ndefine "Test": {text}')
    return made.libraries[made.main].defines["Test"].expression


def problems(text: str, libraries: Mapping[tuple[str, str | None], str] | None = None) -> list[str]:
    """`line: message (expected)` of every problem of a library."""
    with pytest.raises(CqlErrors) as caught:
        program(text, libraries)
    return [
        f"{error.line}: {error.message}" + (f" ({error.expected})" if error.expected else "")
        for error in caught.value.errors
    ]


def short(node: ir.Expression) -> str:
    """IR as a short text: `Add(1, ToDecimal(2))`, `E.period`, `Convert` nodes by their conversion's name."""
    match node:
        case ir.Constant():
            return "null" if node.value is None else str(node.value)
        case ir.Operator():
            words = [short(operand) for operand in node.operands] + ([node.precision] if node.precision else [])
            return f"{node.row.name}({', '.join(words)})"
        case ir.AliasRef() | ir.LetRef() | ir.OperandRef() | ir.IterationRef() | ir.ExpressionRef() | ir.ParameterRef():
            return node.name
        case ir.ValueSetRef() | ir.CodeSystemRef():
            return node.url
        case ir.Property():
            return f"{short(node.source)}.{node.name}"
        case ir.ModelProperty():
            return f"{short(node.source)}." + "|".join(choice.key for choice in node.choices)
        case ir.Convert():
            return f"{node.conversion.name}({short(node.operand)})"
        case ir.ListConvert():
            return f"each({short(node.operand)}, {short(node.item)})"
        case ir.IntervalConvert():
            return f"ends({short(node.operand)}, {short(node.point)})"
        case ir.As():
            return f"{'cast ' if node.strict else ''}{short(node.operand)} as {node.target}"
        case ir.Is():
            return f"{short(node.operand)} is {node.target}"
        case ir.If():
            return f"if {short(node.condition)} then {short(node.then)} else {short(node.otherwise)}"
        case ir.Case():
            items = " ".join(f"when {short(when)} then {short(then)}" for when, then in node.items)
            return f"case {items} else {short(node.otherwise)}"
        case ir.IntervalSelector():
            low, high = ("[" if node.low_closed.value else "("), ("]" if node.high_closed.value else ")")
            return f"Interval{low}{short(node.low)}, {short(node.high)}{high}"
        case ir.ListSelector():
            return "{" + ", ".join(map(short, node.items)) + "}"
        case ir.TupleSelector() | ir.InstanceSelector():
            return "{" + ", ".join(f"{name}: {short(value)}" for name, value in node.elements) + "}"
        case ir.FunctionCall():
            return f"{node.function.split('(')[0]}({', '.join(map(short, node.operands))})"
        case ir.Retrieve():
            filtered = "" if node.codes is None else f": {node.code_path} {node.comparator} {short(node.codes)}"
            return f"[{node.resource_type}{filtered}]"
        case ir.Query():
            return _short_query(node)
    raise AssertionError(f"unknown node {type(node).__name__}")


def _short_query(node: ir.Query) -> str:
    words = ["from " + ", ".join(f"{short(source.expression)} {source.alias}" for source in node.sources)]
    words += [f"let {name}: {short(value)}" for name, value in node.lets]
    for item in node.relationships:
        word = "without" if item.negated else "with"
        words.append(f"{word} {short(item.expression)} {item.alias} such that {short(item.such_that)}")
    if node.where is not None:
        words.append(f"where {short(node.where)}")
    if node.returning is not None:
        words.append(f"return {'' if node.distinct else 'all '}{short(node.returning)}")
    if node.aggregate is not None:
        item = node.aggregate
        words.append(f"aggregate {item.name} starting {short(item.starting)}: {short(item.expression)}")
    words += [f"sort by {short(item.expression)}{' desc' if item.descending else ''}" for item in node.sort]
    return "(" + " ".join(words) + ")"
