"""Retrieves and queries (CQL grammar, productions retrieve, query and their clauses; Author's Guide, Queries)."""

from abc import abstractmethod

from cql_like.syntax import tree
from cql_like.syntax.phrases import PhraseParser

TERM = 140  # binding power from which on only expression terms may stand: see cql_like.syntax.expressions

_COMPARATORS: dict[str, tree.CodeComparator] = {"in": "in", "=": "=", "~": "~"}
_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
CLAUSE_WORDS = frozenset({"let", "with", "without", "where", "return", "aggregate", "sort"})


class QueryParser(PhraseParser):
    """Reads retrieves and queries; the expressions within them are read by the subclass."""

    @abstractmethod
    def expression(self, power: int = 0) -> tree.Expression:
        """An expression of operators that bind at least as tightly as `power`."""

    @abstractmethod
    def parenthesized(self) -> tree.Expression:
        """`( expression )`."""

    # --- retrieves

    def retrieve(self) -> tree.Retrieve:
        """`[context -> Type: path in terminology]`."""
        start = self.start()
        self.enter()
        self.expect("[", "to begin a retrieve")
        context: tree.Expression | None = None
        if self._at_context():
            context = self.name_chain()
            self.expect("->", "after the context of a retrieve")
        named = self.named_type()
        path: tuple[tree.PathStep, ...] | None = None
        comparator: tree.CodeComparator | None = None
        terminology: tree.Expression | None = None
        if self.accept(":"):
            path = self._code_path()
            if path is not None:
                comparator = _COMPARATORS[self.advance().kind]
            terminology = self.expression()
        if self.kind != "]":
            self.fail("']' to end the retrieve" if terminology else "':' and a terminology, or ']' to end the retrieve")
        self.advance()
        self.nesting -= 1
        return tree.Retrieve(context, named, path, comparator, terminology, span=self.since(start))

    def _at_context(self) -> bool:
        """Whether `name ->` or `a.b ->` stands here."""
        distance = 0
        while self.at_element_name(distance):
            after = self.kind_after(distance + 1)
            if after != ".":
                return after == "->"
            distance += 2
        return False

    def _code_path(self) -> tuple[tree.PathStep, ...] | None:
        """The code path before a comparator; None, and the cursor as before, if none stands here."""
        begin = self.index
        steps: list[tree.PathStep] = []
        while True:
            start = self.start()
            if not self.at_referential_identifier():
                break
            name = self.advance().value
            index: int | str | None = None
            if self.kind == "[" and self.kind_after() in ("number", "string") and self.kind_after(2) == "]":
                self.advance()
                literal = self.advance()
                index = int(literal.value) if literal.value.isdecimal() and literal.kind == "number" else literal.value
                self.advance()
            steps.append(tree.PathStep(name=name, index=index, span=self.since(start)))
            if not self.accept("."):
                break
        if steps and self.kind in _COMPARATORS:
            return tuple(steps)
        self.move_to(begin)
        return None

    # --- sources

    def at_alias(self) -> bool:
        """Whether an alias stands here, which makes what stands before it the source of a query."""
        return self.kind == "word" or self.kind == "quoted"

    def name_chain(self) -> tree.Expression:
        """`name` or `a.b.c`."""
        start = self.start()
        name = self.referential_identifier("a name")
        chain: tree.Expression = tree.Identifier(name=name, span=self.since(start))
        while self.accept("."):
            chain = tree.Member(source=chain, name=self.element_name("a name after '.'"), span=self.since(start))
        return chain

    def aliased_source(self) -> tree.AliasedSource:
        """`[Encounter] E`, `"Visits" V`, `(expression) X`."""
        start = self.start()
        source: tree.Expression
        if self.kind == "[":
            source = self.retrieve()
        elif self.kind == "(":
            source = self.parenthesized()
        elif self.at_referential_identifier():
            source = self.name_chain()
        else:
            self.fail("a query source: a retrieve, a name or an expression in parentheses")
        if not self.at_alias():
            hint = "put the source in parentheses" if self.kind in ("(", "[", "{") else "the source needs an alias"
            self.fail("an alias, as in [Encounter] E", hint)
        return tree.AliasedSource(source=source, alias=self.advance().value, span=self.since(start))

    def _at_further_source(self) -> bool:
        """Whether `, source alias` stands here: in a query without `from` the comma may also belong to a list."""
        if self.kind != ",":
            return False
        index = self.index + 1
        opening = self.tokens[index].kind
        if opening == "[" or opening == "(":
            depth = 0
            while index < len(self.tokens):
                kind = self.tokens[index].kind
                depth += (kind in "([{") - (kind in ")]}") if len(kind) == 1 else 0
                index += 1
                if depth == 0:
                    break
        else:
            distance = 1
            while self.at_element_name(distance) and self.kind_after(distance + 1) == ".":
                distance += 2
            if not self.at_element_name(distance):
                return False
            index = self.index + distance + 1
        return index < len(self.tokens) and self.tokens[index].kind in ("word", "quoted")

    # --- queries

    def from_query(self) -> tree.Query:
        """`from source alias, ...` and the clauses."""
        start = self.start()
        self.expect("from", "to begin a query")
        sources = [self.aliased_source()]
        while self.accept(","):
            sources.append(self.aliased_source())
        return self._clauses(start, sources)

    def query_from(self, source: tree.Expression, start: int) -> tree.Query:
        """The query whose first source has been read; its alias stands here. `start`: where the source starts."""
        alias = self.advance().value
        sources = [tree.AliasedSource(source=source, alias=alias, span=self.since(start))]
        while self._at_further_source():
            self.advance()
            sources.append(self.aliased_source())
        return self._clauses(start, sources)

    def _clauses(self, start: int, sources: list[tree.AliasedSource]) -> tree.Query:
        self.enter()
        lets: list[tree.LetItem] = []
        if self.accept("let"):
            lets.append(self._let_item())
            while self.accept(","):
                lets.append(self._let_item())
        relationships: list[tree.Relationship] = []
        while self.kind == "with" or self.kind == "without":
            relationships.append(self._relationship())
        where = self.expression() if self.accept("where") else None
        returning: tree.ReturnClause | None = None
        aggregate: tree.AggregateClause | None = None
        if self.kind == "return":
            returning = self._return()
        elif self.kind == "aggregate":
            aggregate = self._aggregate()
        sort = self._sort() if self.kind == "sort" else ()
        self.nesting -= 1
        return tree.Query(
            tuple(sources), tuple(lets), tuple(relationships), where, returning, aggregate, sort, span=self.since(start)
        )

    def _let_item(self) -> tree.LetItem:
        start = self.start()
        name = self.identifier("a name, as in let period: E.period")
        self.expect(":", "after the name in a let clause")
        return tree.LetItem(name=name, expression=self.expression(), span=self.since(start))

    def _relationship(self) -> tree.Relationship:
        start = self.start()
        negated = self.advance().kind == "without"
        source = self.aliased_source()
        self.expect("such that", f"and a condition after '{'without' if negated else 'with'} ... {source.alias}'")
        return tree.Relationship(source, self.expression(), negated, span=self.since(start))

    def _return(self) -> tree.ReturnClause:
        start = self.start()
        self.advance()
        distinct = True
        if self.accept("all"):
            distinct = False
        else:
            self.accept("distinct")
        return tree.ReturnClause(distinct=distinct, expression=self.expression(), span=self.since(start))

    def _aggregate(self) -> tree.AggregateClause:
        start = self.start()
        self.advance()
        distinct = self.accept("distinct")
        if not distinct:
            self.accept("all")
        name = self.identifier("a name for the accumulated value, as in aggregate Total starting 0: ...")
        starting = self._starting() if self.accept("starting") else None
        self.expect(":", "before the expression of an aggregate clause")
        return tree.AggregateClause(distinct, name, starting, self.expression(), span=self.since(start))

    def _starting(self) -> tree.Expression:
        """A literal, quantity or parenthesised expression; a number here is never the beginning of a ratio."""
        if self.kind != "number":
            return self.expression(TERM)
        return self.plain_number() if self.kind_after() == ":" else self.quantity()

    def _sort(self) -> tuple[tree.SortItem, ...]:
        start = self.start()
        self.advance()
        if self.kind in _DIRECTIONS:
            descending = _DIRECTIONS[self.advance().kind]
            return (tree.SortItem(expression=None, descending=descending, span=self.since(start)),)
        self.expect("by", "or asc, ascending, desc, descending after sort")
        items = [self._sort_item()]
        while self.accept(","):
            items.append(self._sort_item())
        return tuple(items)

    def _sort_item(self) -> tree.SortItem:
        start = self.start()
        expression = self.expression(TERM)
        descending = _DIRECTIONS[self.advance().kind] if self.kind in _DIRECTIONS else False
        return tree.SortItem(expression=expression, descending=descending, span=self.since(start))
