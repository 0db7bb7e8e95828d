"""Queries -> Python loops (CQL §Queries; see `ReferenceEvaluator.visit_Query` for what each part means)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from cql_like import ir
from cql_like.compiler.emit import NULL, Py
from cql_like.types import ANY, ChoiceOf, ListOf
from cql_like.walk import walk

if TYPE_CHECKING:
    from cql_like.compiler.operators import Operators

_DEEPEST_LOOP = 14  # of blocks; sources that would go deeper are combined by one loop


def compile_query(expressions: "Operators", node: ir.Query) -> Py:
    """The value of a query: a list, one value (singular or aggregate), or null where a source is null."""
    return _Query(expressions, node).compile()


def compile_exists(expressions: "Operators", node: ir.Query) -> Py | None:
    """Does a query give an element that is not null? Stops at the first. None: it has to be evaluated whole."""
    if node.singular or node.aggregate is not None or len(node.sources) != 1:
        return None
    return _Query(expressions, node).exists()


def _conjuncts(node: ir.Expression) -> list[ir.Expression]:
    """The parts of `a and b and c`, in order."""
    if isinstance(node, ir.Operator) and node.row.name == "And":
        return [part for operand in node.operands for part in _conjuncts(operand)]
    return [node]


def _and(left: ir.Expression | None, right: ir.Expression, whole: ir.Expression) -> ir.Expression:
    """`left and right`, by the operator of the whole they come from."""
    if left is None:
        return right
    assert isinstance(whole, ir.Operator)  # noqa: S101 - there are two parts only of an And
    return replace(whole, operands=(left, right))


class _Query:
    def __init__(self, expressions: "Operators", node: ir.Query) -> None:
        self.outer = expressions
        self.inner = expressions.within({})
        self.w = expressions.w
        self.unit = expressions.unit
        self.node = node
        self.result = self.w.temporary()
        self.hoisted: dict[int, Py] = {}

    def compile(self) -> Py:
        node, w = self.node, self.w
        sources = self._sources()
        if sources is None:
            return NULL
        nullable = [source.text for source in sources if source.nullable]
        if node.aggregate is not None and not node.aggregate.distinct:
            write, can_be_null = self._aggregate(node.aggregate, sources), True
        elif node.aggregate is not None:
            write, can_be_null = self._distinct_aggregate(node.aggregate, sources), True
        elif node.singular:
            write, can_be_null = self._singular(sources), True
        else:
            write, can_be_null = self._plural(sources), bool(nullable)
        if not nullable:
            write()
            return Py(self.result, can_be_null, True)
        w.block(f"if {' or '.join(f'{name} is None' for name in nullable)}:", lambda: w.line(f"{self.result} = None"))
        w.block("else:", write)
        return Py(self.result, True, True)

    def exists(self) -> Py:
        w, node = self.w, self.node
        sources = self._sources()
        if sources is None:
            return Py("False", False, True)
        w.line(f"{self.result} = False")

        def found() -> None:
            if node.returning is not None:
                value = self.inner.value(node.returning)
                self._found(value)
            else:
                self._found(self.inner.environment["alias", node.sources[0].alias])

        def loop() -> None:
            self._loops(sources, found)

        if sources[0].nullable:
            w.block(f"if {sources[0].text} is not None:", loop)
        else:
            loop()
        return Py(self.result, False, True)

    def _found(self, value: Py) -> None:
        w = self.w

        def stop() -> None:
            w.line(f"{self.result} = True")
            w.line("break")

        if value.nullable:
            w.block(f"if {value.text} is not None:", stop)
        else:
            stop()

    # ------------------------------------------------------------------------------------------- sources and rows

    def _sources(self) -> list[Py] | None:
        """The sources under names, as sequences; None if one of them is always null."""
        found: list[Py] = []
        for source in self.node.sources:
            value = self.outer.value(source.expression)
            if value.text == "None":
                return None
            found.append(self.w.atom(value))
        return found

    def _sequence(self, source: ir.Source | ir.Relationship, value: Py) -> str:
        """What a loop runs over. Sources of static list types are lists; others are lists of one or decide late."""
        kind = source.expression.type
        if isinstance(kind, ListOf):
            return value.text
        if kind == ANY or isinstance(kind, ChoiceOf):
            return f"elements({value.text}, {self.unit.constants.name(kind, kind)})"
        return f"({value.text},)"

    def _bind(self, source: ir.Source | ir.Relationship, name: str) -> None:
        nullable = not isinstance(source.expression.type, ListOf) or self.unit.nullness.can_hold_null(source.expression)
        if self.node.singular:
            nullable = False
        self.inner.environment["alias", source.alias] = Py(name, nullable, True)
        if isinstance(source.expression.type, ListOf) and self.unit.gives_resources(source.expression):
            self.inner.environment["object", source.alias] = Py(name, False, True)
        else:
            self.inner.environment.pop(("object", source.alias), None)

    def _loops(self, sources: list[Py], body: Callable[[], None]) -> None:
        """`for` each combination that meets the conditions: `body`."""
        names = [self.w.named("a", source.alias) for source in self.node.sources]
        for relationship in self.node.relationships:
            self._hoist(relationship)

        early, where = self._early()

        def level(number: int) -> None:
            if number == len(sources):
                self._conditions(body, where)
                return
            source = self.node.sources[number]
            self._bind(source, names[number])
            head = f"for {names[number]} in {self._sequence(source, sources[number])}:"
            self.w.block(head, lambda: tested(number + 1))

        def tested(number: int) -> None:
            condition = early.get(number)
            if condition is None:
                level(number)
            else:
                self.w.block(f"if {self.inner.true(condition).text}:", lambda: level(number))

        if len(sources) == 1 or self.w.depth + 2 * len(sources) < _DEEPEST_LOOP:
            lists = [
                value.text
                for source, value in zip(self.node.sources, sources, strict=True)
                if isinstance(source.expression.type, ListOf)
            ]
            if early and lists:  # without a row there is nothing to test
                self.w.block(f"if {' and '.join(dict.fromkeys(lists))}:", lambda: level(0))
            else:
                level(0)
            return
        for source, name in zip(self.node.sources, names, strict=True):
            self._bind(source, name)
        sequences = [self._sequence(source, value) for source, value in zip(self.node.sources, sources, strict=True)]
        head = f"for {', '.join(names)} in combinations([{', '.join(sequences)}]):"
        self.w.block(head, lambda: self._conditions(body, self.node.where))

    def _early(self) -> tuple[dict[int, ir.Expression], ir.Expression | None]:
        """The parts of `where` to test before the last source turns, by how many sources they need; and the rest.

        A row for which a part is not true is left out whatever the later parts say; so the parts keep their order, and
        none may emit messages, of which there would be fewer.
        """
        node = self.node
        if len(node.sources) == 1 or node.where is None or node.lets or node.relationships or self.unit.emits_messages:
            return {}, node.where
        places = {source.alias: place for place, source in enumerate(node.sources, 1)}
        early: dict[int, ir.Expression] = {}
        rest: ir.Expression | None = None
        reached = 1
        for part in _conjuncts(node.where):
            used = [
                places[below.name] for below in walk(part) if isinstance(below, ir.AliasRef) and below.name in places
            ]
            reached = max([reached, *used])
            if reached < len(node.sources):
                early[reached] = _and(early.get(reached), part, node.where)
            else:
                rest = _and(rest, part, node.where)
        return early, rest

    def _hoist(self, relationship: ir.Relationship) -> None:
        """A relationship's source that doesn't depend on the row is evaluated once, before the loops."""
        own = {source.alias for source in self.node.sources}
        lets = {name for name, _ in self.node.lets}
        for node in walk(relationship.expression):
            if (isinstance(node, ir.AliasRef) and node.name in own) or (
                isinstance(node, ir.LetRef) and node.name in lets
            ):
                return
        self.hoisted[id(relationship)] = self.w.atom(self.outer.value(relationship.expression))

    def _conditions(self, body: Callable[[], None], where: ir.Expression | None) -> None:
        """Lets, relationships and `where`, in the order of the standard, around `body`."""
        w, node = self.w, self.node
        used = {below.name for part in self._row_parts() for below in walk(part) if isinstance(below, ir.LetRef)}
        for name, expression in node.lets:
            if name in used:
                value = self.inner.value(expression)
                variable = w.named("l", name)
                w.line(f"{variable} = {value.text}")
                self.inner.environment["let", name] = Py(variable, value.nullable, True)

        def after(number: int) -> None:
            if number < len(node.relationships):
                found = self._related(node.relationships[number])
                negated = node.relationships[number].negated
                w.block(f"if {'not ' if negated else ''}{found}:", lambda: after(number + 1))
            elif where is None:
                body()
            else:
                w.block(f"if {self.inner.true(where).text}:", body)

        after(0)

    def _row_parts(self) -> list[ir.Expression]:
        node = self.node
        parts: list[ir.Expression] = [expression for _, expression in node.lets]
        for relationship in node.relationships:
            parts += [relationship.expression, relationship.such_that]
        parts += [part for part in (node.where, node.returning) if part is not None]
        if node.aggregate is not None:
            parts.append(node.aggregate.expression)
        return parts

    def _related(self, relationship: ir.Relationship) -> str:
        """The name that tells whether the current row has a match."""
        w = self.w
        found = w.temporary()
        source = self.hoisted.get(id(relationship)) or w.atom(self.inner.value(relationship.expression))
        w.line(f"{found} = False")

        def search() -> None:
            name = w.named("a", relationship.alias)
            self._bind(relationship, name)

            def test() -> None:
                condition = self.inner.true(relationship.such_that)

                def stop() -> None:
                    w.line(f"{found} = True")
                    w.line("break")

                w.block(f"if {condition.text}:", stop)

            w.block(f"for {name} in {self._sequence(relationship, source)}:", test)

        if source.nullable:
            w.block(f"if {source.text} is not None:", search)
        else:
            search()
        return found

    # ------------------------------------------------------------------------------------------- results

    def _returned(self) -> Py:
        if self.node.returning is None:
            return self.inner.environment["alias", self.node.sources[0].alias]
        return self.inner.value(self.node.returning)

    def _plural(self, sources: list[Py]) -> Callable[[], None]:
        def write() -> None:
            if self._is_its_source():
                self.w.line(f"{self.result} = {sources[0].text}")
            else:
                self._collect(sources)
            if self.node.distinct:
                self.w.line(f"{self.result} = distinct({self.result})")
            for item in reversed(self.node.sort):
                self._sort(item)

        return write

    def _is_its_source(self) -> bool:
        """Does the query give the very elements of its one source? Lists are never changed, so it can be that list."""
        node, source = self.node, self.node.sources[0]
        same = node.returning is None or node.returning == ir.AliasRef(type=node.returning.type, name=source.alias)
        bare = not node.relationships and node.where is None and len(node.sources) == 1
        return same and bare and isinstance(source.expression.type, ListOf)

    def _collect(self, sources: list[Py]) -> None:
        self.w.line(f"{self.result} = []")
        self._loops(sources, lambda: self.w.line(f"{self.result}.append({self._returned().text})"))

    def _sort(self, item: ir.SortItem) -> None:
        w = self.w
        keys, element = w.temporary(), w.temporary()
        w.line(f"{keys} = []")
        inner = self.outer.within({("iteration", "$this"): Py(element, True, True)})
        w.block(
            f"for {element} in {self.result}:",
            lambda: w.line(f"{keys}.append({inner.value(item.expression).text})"),
        )
        w.line(f"{self.result} = sorted_by({self.result}, {keys}, descending={item.descending})")

    def _singular(self, sources: list[Py]) -> Callable[[], None]:
        def write() -> None:
            for source, value in zip(self.node.sources, sources, strict=True):
                self._bind(source, value.text)
            self.w.line(f"{self.result} = None")
            self._conditions(lambda: self.w.line(f"{self.result} = {self._returned().text}"), self.node.where)

        return write

    def _aggregate(self, aggregate: ir.Aggregate, sources: list[Py]) -> Callable[[], None]:
        def write() -> None:
            self._start(aggregate)
            self._loops(sources, lambda: self._step(aggregate))

        return write

    def _start(self, aggregate: ir.Aggregate) -> None:
        self.w.line(f"{self.result} = {self.outer.value(aggregate.starting).text}")
        self.inner.environment["iteration", aggregate.name] = Py(self.result, True, True)

    def _step(self, aggregate: ir.Aggregate) -> None:
        self.w.line(f"{self.result} = {self.inner.value(aggregate.expression).text}")

    def _distinct_aggregate(self, aggregate: ir.Aggregate, sources: list[Py]) -> Callable[[], None]:
        """The rows are collected, freed of duplicates by their sources' elements, then folded."""
        w = self.w

        def write() -> None:
            rows, row = w.temporary(), w.temporary()
            w.line(f"{rows} = []")
            names: list[tuple[tuple[str, str], Py]] = []

            def collect() -> None:
                names.extend(
                    (key, value)
                    for key, value in self.inner.environment.items()
                    if key[0] in ("alias", "let") and self.outer.environment.get(key) is not value
                )
                own = [self.inner.environment["alias", source.alias].text for source in self.node.sources]
                w.line(f"{rows}.append(([{', '.join(own)}], {''.join(f'{value.text}, ' for _, value in names)}))")

            self._loops(sources, collect)
            w.line(f"{rows} = distinct_by({rows}, first)")
            self._start(aggregate)

            def step() -> None:
                w.line(f"_, {''.join(f'{value.text}, ' for _, value in names)}= {row}")
                self._step(aggregate)

            w.block(f"for {row} in {rows}:", step)

        return write
