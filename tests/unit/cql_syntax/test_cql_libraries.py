"""Libraries: every declaration, comments and tags, spans, and the names that keywords may be."""

import pytest
from cql_syntax_samples import WELL_CHILD, shown

from cql_like.ir import Span
from cql_like.syntax import parse_expression, parse_library, tree


def test_a_library_with_every_declaration() -> None:
    """Each declaration keeps all of its parts, in the order of the text."""
    library = parse_library(WELL_CHILD)

    assert shown(library.name) == "LibraryName(QualifiedName([Network, WellChild]), 1.0.0)"
    assert [shown(definition) for definition in library.definitions] == [
        "UsingDefinition(QualifiedName([FHIR]), 4.0.1, -)",
        "IncludeDefinition(QualifiedName([Network, Common]), 2.1, Common)",
        "IncludeDefinition(QualifiedName([FHIRHelpers]), -, FHIRHelpers)",
        "CodesystemDefinition(CPT, http://www.ama-assn.org/go/cpt, 2024, True)",
        "ValuesetDefinition(Well Visits, http://example.org/vs/well, 1,"
        " [QualifiedName([CPT]), QualifiedName([Common, SNOMED])], False)",
        "CodeDefinition(Visit, infant, 99381, QualifiedName([CPT]), Initial visit, True)",
        "ConceptDefinition(Visit, [QualifiedName([Visit, infant]), QualifiedName([Common, Visit, child])],"
        " Visit, True)",
        "ParameterDefinition(Measurement Period, IntervalType(DateTime),"
        " IntervalSelector(DateTimeLiteral(2024, 1, 1, 0, 0, 0, 0, -),"
        " DateTimeLiteral(2025, 1, 1, 0, 0, 0, 0, -), True, False), True)",
        "ParameterDefinition(code, Integer, -, True)",
        "ParameterDefinition(Days, -, 120, True)",
    ]
    assert [shown(statement) for statement in library.statements] == [
        "ContextDefinition(FHIR, Patient)",
        "ExpressionDefinition(Visits, Query([AliasedSource(Retrieve(-, Encounter, -, -, Well Visits), E)], [], [],"
        " Timing(Member(E, period), TimingPhrase(after, start, -, False, -, QuantityOffset(120 days, or less)),"
        " Member(Patient, birthDate)), -, -, []), Patient, True)",
        "ExpressionDefinition(NoComment, Call(-, Count, [Visits]), Patient, False)",
        "FunctionDefinition(to days, [OperandDefinition(value, Quantity),"
        " OperandDefinition(code, ListType(ChoiceType([Integer, String])))], Integer, Member(value, value), True,"
        " Patient, True)",
        "FunctionDefinition(Now, [], -, -, False, Patient, True)",
        "ContextDefinition(-, Unfiltered)",
        "ExpressionDefinition(All, Retrieve(-, Encounter, -, -, -), Unfiltered, True)",
    ]
    assert [using.model.name for using in library.usings] == ["FHIR"]
    assert [include.alias for include in library.includes] == ["Common", "FHIRHelpers"]


def test_comments_and_tags_stay_with_the_declaration_below_them() -> None:
    """A comment at the end of a line belongs to that line; a quoted tag value may span lines."""
    library = parse_library(WELL_CHILD)
    name = library.name
    assert name is not None
    visits, no_comment = library.statements[1:3]

    assert name.tags == (_tag("author", "Health Begins"), _tag("description", "counts visits\n   by day 120"))
    assert name.comment.startswith("Well-child visits.\n@author: Health Begins\n")
    assert (visits.comment, visits.tags) == ("How many visits count.\n@strict", (_tag("strict", ""),))
    assert (no_comment.comment, no_comment.tags) == ("", ())


def _tag(name: str, value: str) -> tree.Tag:
    return tree.Tag(name=name, value=value, span=Span("", 0, 0, 0, 0))


def _text_of(text: str, span: Span) -> str:
    lines = text.splitlines(keepends=True)
    first, last = span.line - 1, span.end_line - 1
    if first == last:
        return lines[first][span.column - 1 : span.end_column - 1]
    return lines[first][span.column - 1 :] + "".join(lines[first + 1 : last]) + lines[last][: span.end_column - 1]


def test_spans_cover_exactly_the_text_of_their_node() -> None:
    """Spans carry the library's own name, and parsing a node's text again gives the node."""
    library = parse_library(WELL_CHILD, name_hint="not this")
    seen = 0
    waiting: list[tree.Node] = list(library.statements)
    while waiting:
        node = waiting.pop()
        waiting.extend(tree.children(node))
        assert node.span.library == "Network.WellChild"
        text = _text_of(WELL_CHILD, node.span)
        if isinstance(
            node, tree.Identifier | tree.Member | tree.Call | tree.Timing | tree.Query | tree.QuantityLiteral
        ):
            assert parse_expression(text) == node
            seen += 1
    assert seen == 12
    visits = library.statements[1]
    assert _text_of(WELL_CHILD, visits.span).startswith('define "Visits":')
    assert str(visits.span) == "Network.WellChild:24:1"


@pytest.mark.parametrize("operator", ["and", "or", "union", "&"])
def test_a_long_chain_becomes_a_balanced_tree(operator: str) -> None:
    """Its leaves keep their order and each part covers its own piece of the text."""
    text = f" {operator} ".join(f"(a{number})" for number in range(200))
    leaves: list[str] = []

    def depth_of(node: tree.Expression) -> int:
        if isinstance(node, tree.Identifier):
            leaves.append(node.name)
            return 0
        assert isinstance(node, tree.Binary)
        assert parse_expression(_text_of(text, node.span)) == node
        return 1 + max(depth_of(node.left), depth_of(node.right))

    assert depth_of(parse_expression(text)) < 25
    assert leaves == [f"a{number}" for number in range(200)]


def test_a_short_chain_is_read_from_the_left() -> None:
    """`a or b xor c or d`: the two operators bind alike."""
    assert shown(parse_expression("a or b or c xor d or e")) == (
        "Binary(or, Binary(xor, Binary(or, Binary(or, a, b), c), d), e)"
    )


def test_a_library_without_a_name_goes_by_its_hint() -> None:
    """The caller's hint (a file name) names the spans; nothing else is needed of a library."""
    library = parse_library("define A: 1", name_hint="a.cql")
    assert (library.name, library.statements[0].span) == (None, Span("a.cql", 1, 1, 1, 12))
    assert parse_library("").statements == ()
    assert parse_library("// nothing").definitions == ()


@pytest.mark.parametrize("name", ["value", "such", "more", "less", "included", "returns", "external", "Choice", "on"])
def test_words_that_are_keywords_only_in_company_are_names(name: str) -> None:
    """`less`, `such`, `value` ... are ordinary identifiers where no second word follows."""
    library = parse_library(f"define {name}: [Encounter] {name} where {name}.{name} = {name}")
    define = library.statements[0]
    assert shown(define) == (
        f"ExpressionDefinition({name}, Query([AliasedSource(Retrieve(-, Encounter, -, -, -), {name})], [], [],"
        f" Binary(=, Member({name}, {name}), {name}), -, -, []), -, True)"
    )


@pytest.mark.parametrize("name", ["code", "version", "start", "date", "union", "contains", "display", "time", "end"])
def test_keywords_that_are_not_reserved_are_names_where_one_is_referred_to(name: str) -> None:
    """The grammar's keywordIdentifier: operands, elements and references, not declarations."""
    text = f"define function F({name} Integer): Tuple {{ {name}: {name} + X.{name} }}"
    assert shown(parse_library(text).statements[0]) == (
        f"FunctionDefinition(F, [OperandDefinition({name}, Integer)], -,"
        f" TupleSelector([ElementSelector({name}, Binary(+, {name}, Member(X, {name})))]), False, -, True)"
    )
