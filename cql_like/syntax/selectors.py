"""Selectors: expressions in brackets that make lists, tuples, intervals, codes, concepts and instances of classes.

Source: CQL grammar, productions term and intervalSelector to conceptSelector.
"""

from collections.abc import Mapping
from types import MappingProxyType

from cql_like.syntax import tree
from cql_like.syntax.queries import QueryParser

_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {"Code": "Code '99392' from \"CPT\"", "Concept": "Concept { Code '99392' from \"CPT\" }"}
)


class SelectorParser(QueryParser):
    """Reads what stands in brackets; the expressions within are read by the subclass."""

    def operands(self) -> tuple[tree.Expression, ...]:
        """`( expression, ... )`: the operands of a call."""
        self.expect("(", "to begin the operands")
        operands: list[tree.Expression] = []
        if self.kind != ")":
            operands.append(self.expression())
            while self.accept(","):
                operands.append(self.expression())
        self.expect(")", "or ',' after an operand")
        return tuple(operands)

    def instance(self, start: int, name: tree.Expression) -> tree.InstanceSelector:
        """`Type { ... }`, whose name has been read."""
        parts: list[str] = []
        node = name
        while isinstance(node, tree.Member):
            parts.append(node.name)
            node = node.source
        if isinstance(node, tree.Identifier):
            parts.append(node.name)
        named = tree.NamedType(parts=tuple(reversed(parts)), span=name.span)
        return tree.InstanceSelector(type=named, elements=self._elements(), span=self.since(start))

    def _elements(self) -> tuple[tree.ElementSelector, ...]:
        """`{ name: value, ... }` or `{ : }`."""
        self.expect("{", "to begin the elements")
        elements: list[tree.ElementSelector] = []
        if not self.accept(":"):
            while True:
                start = self.start()
                name = self.element_name("the name of an element, or ':' alone for none")
                self.expect(":", "after the name of an element")
                value = self.expression()
                elements.append(tree.ElementSelector(name=name, value=value, span=self.since(start)))
                if not self.accept(","):
                    break
        self.expect("}", "or ',' after an element")
        return tuple(elements)

    def parenthesized(self) -> tree.Expression:
        """`( expression )`."""
        self.expect("(", "to begin an expression in parentheses")
        inner = self.expression()
        self.expect(")", "to end the parentheses")
        return inner

    def braces(self) -> tree.Expression:
        """A list, or a tuple without its word."""
        start = self.start()
        if self.kind_after() == ":" or (self.at_element_name(1) and self.kind_after(2) == ":"):
            return tree.TupleSelector(elements=self._elements(), span=self.since(start))
        return self._list(start, None)

    def _list(self, start: int, element_type: tree.TypeSpecifier | None) -> tree.ListSelector:
        self.expect("{", "to begin the elements of a list")
        items: list[tree.Expression] = []
        if self.kind != "}":
            items.append(self.expression())
            while self.accept(","):
                items.append(self.expression())
        self.expect("}", "or ',' after an element of a list")
        return tree.ListSelector(element_type=element_type, items=tuple(items), span=self.since(start))

    def list_selector(self) -> tree.ListSelector:
        """`List { ... }`, `List<Integer> { ... }`."""
        start = self.start()
        self.advance()
        element_type: tree.TypeSpecifier | None = None
        if self.accept("<"):
            element_type = self.type_specifier()
            self.expect(">", "to end List<")
        return self._list(start, element_type)

    def tuple_selector(self) -> tree.TupleSelector:
        """`Tuple { ... }`."""
        start = self.start()
        self.advance()
        return tree.TupleSelector(elements=self._elements(), span=self.since(start))

    def interval_selector(self) -> tree.IntervalSelector:
        """`Interval[low, high)`."""
        start = self.start()
        self.advance()
        opening = self.advance_one_of("[", "(", "after Interval")
        low = self.expression()
        self.expect(",", "between the bounds of an interval")
        high = self.expression()
        closing = self.advance_one_of("]", ")", "to end the interval")
        return tree.IntervalSelector(low, high, opening == "[", closing == "]", span=self.since(start))

    def code_or_instance(self) -> tree.Expression:
        """`Code '...' from "System"`, `Concept { Code ... }`; `Code { ... }` and `Concept { codes: ... }`."""
        start = self.start()
        word = self.kind
        if word == "Code" and self.kind_after() == "string":
            return self.code_selector()
        if (
            word == "Concept"
            and self.kind_after() == "{"
            and self.kind_after(2) == "Code"
            and self.kind_after(3) != ":"
        ):
            return self._concept_selector()
        if self.kind_after() != "{":
            self.fail("an expression", f"a {word} is written {_EXAMPLES[word]}")
        self.advance()
        return self.instance(start, tree.Identifier(name=word, span=self.since(start)))

    def code_selector(self) -> tree.CodeSelector:
        """`Code '99392' from "CPT" display 'Well visit'`."""
        start = self.start()
        self.expect("Code", f"as in {_EXAMPLES['Code']}")
        code = self.string("the code in single quotes")
        self.expect("from", "and a code system after the code")
        system = self.qualified_name("the name of a code system")
        return tree.CodeSelector(code, system, self.display(), span=self.since(start))

    def _concept_selector(self) -> tree.ConceptSelector:
        start = self.start()
        self.advance()
        self.advance()
        codes = [self.code_selector()]
        while self.accept(","):
            codes.append(self.code_selector())
        self.expect("}", "or ',' after a code")
        return tree.ConceptSelector(codes=tuple(codes), display=self.display(), span=self.since(start))

    def display(self) -> str | None:
        """`display '...'`, if it stands here."""
        return self.string("a display text in single quotes") if self.accept("display") else None
