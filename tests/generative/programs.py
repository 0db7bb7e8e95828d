"""Random programs of typed IR: every node type, every operator row, over random values with nulls and partial dates.

`Programs(choose)` builds expressions of a wanted type; `choose(n)` gives a number below n, from Hypothesis or from a
seeded `random.Random`. Operator rows are taken from the table itself: a new row is generated without a word here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from cql_like import ir
from cql_like.model.loader import built_in
from cql_like.model.registry import Models
from cql_like.operators import OPERATORS
from cql_like.runtime.values import (
    Code,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    Quantity,
    Ratio,
    Time,
)
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CODESYSTEM,
    CONCEPT,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    RATIO,
    STRING,
    TIME,
    VALUESET,
    VOCABULARY,
    ChoiceOf,
    IntervalOf,
    ListOf,
    Named,
    TupleOf,
    Type,
    Variable,
)

LIBRARY = "Generated"
VISITS, VACCINES = "urn:vs:visits", "urn:vs:vaccines"
CODES = {
    VISITS: frozenset({("urn:cs:visit", "well"), ("urn:cs:visit", "sick")}),
    VACCINES: frozenset({("urn:cs:cvx", "20"), ("urn:cs:cvx", "03")}),
}
PRECISIONS: tuple[ir.Precision, ...] = (
    "year", "month", "week", "day", "hour", "minute", "second", "millisecond",
)  # fmt: skip
SHORT_CIRCUIT = ("And", "Or", "Implies", "Coalesce")

POINTS = (INTEGER, LONG, DECIMAL, DATE, DATETIME, TIME, QUANTITY)
SIMPLE = (*POINTS, BOOLEAN, STRING, CODE, CONCEPT, RATIO)
TUPLE = TupleOf((("day", DATE), ("name", STRING)))

FHIR = Models.of(built_in("FHIR", "4.0.1"))


def fhir(name: str) -> Named:
    return Named("FHIR", name)


VALUE = tuple(
    ir.JsonChoice("value" + name[:1].upper() + name[1:], fhir(name))
    for name in ("Quantity", "string", "boolean", "dateTime", "CodeableConcept", "Period", "integer")
)
VALUE_CHOICE = ChoiceOf(frozenset(choice.type for choice in VALUE))
# element name, its alternatives in JSON, its type: of the resource types that the records hold
ELEMENTS: dict[str, tuple[tuple[str, tuple[ir.JsonChoice, ...], Type], ...]] = {
    "Patient": (
        ("birthDate", (ir.JsonChoice("birthDate", fhir("date")),), fhir("date")),
        ("active", (ir.JsonChoice("active", fhir("boolean")),), fhir("boolean")),
    ),
    "Encounter": (
        ("status", (ir.JsonChoice("status", fhir("code")),), fhir("code")),
        ("period", (ir.JsonChoice("period", fhir("Period")),), fhir("Period")),
        ("type", (ir.JsonChoice("type", fhir("CodeableConcept")),), ListOf(fhir("CodeableConcept"))),
        ("class", (ir.JsonChoice("class", fhir("Coding")),), fhir("Coding")),
    ),
    "Observation": (
        ("status", (ir.JsonChoice("status", fhir("code")),), fhir("code")),
        ("code", (ir.JsonChoice("code", fhir("CodeableConcept")),), fhir("CodeableConcept")),
        ("issued", (ir.JsonChoice("issued", fhir("instant")),), fhir("instant")),
        ("value", VALUE, VALUE_CHOICE),
    ),
}
CODE_PATHS = {"Encounter": "type", "Observation": "code"}

Option = TypeVar("Option")
Scope = tuple[tuple[str, str, Type], ...]  # kind (alias, let, operand, iteration), name, type


SOME_TYPES: tuple[Type, ...] = (
    *SIMPLE,
    BOOLEAN,
    IntervalOf(DATE),
    IntervalOf(INTEGER),
    IntervalOf(DECIMAL),
    ListOf(INTEGER),
    ListOf(STRING),
    TUPLE,
    ListOf(TUPLE),
    ListOf(Named("FHIR", "Encounter")),
)


class Programs:
    """Builds expressions and programs by numbers that `choose` gives."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self._names = 0
        self._defines: dict[str, ir.Define] = {}
        self._functions: dict[str, ir.Function] = {}
        self._parameters: dict[str, ir.Parameter] = {}

    def one(self, options: Sequence[Option]) -> Option:
        return options[self.choose(len(options))]

    def name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix} {self._names}"

    # ------------------------------------------------------------------------------------------ programs

    def program(self, main: Callable[[Scope], ir.Expression]) -> ir.Program:
        """A program whose define "Main" is what `main` builds, beside the defines and functions that it refers to."""
        expression = main(())
        self._defines["Main"] = _define("Main", expression)
        library = ir.Library(LIBRARY, LIBRARY, None, self._parameters, self._defines, self._functions)
        return ir.Program(LIBRARY, {LIBRARY: library}, ())

    def anything(self, scope: Scope, depth: int) -> ir.Expression:
        return self.expression(self.some_type(), scope, depth)

    def some_type(self) -> Type:
        return self.one(SOME_TYPES)

    # ------------------------------------------------------------------------------------------ expressions

    def expression(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        """An expression of exactly that static type."""
        if depth <= 0:
            return self.leaf(kind, scope)
        return self.one(self.builders(kind))(kind, scope, depth - 1)

    def builders(self, kind: Type) -> list[Callable[[Type, Scope, int], ir.Expression]]:
        """The ways to make a value of that type, the likelier ones more than once."""
        ways: list[Callable[[Type, Scope, int], ir.Expression]] = [
            lambda kind, scope, depth: self.leaf(kind, scope), self.if_, self.case, self.define, self.call, self.as_,
            self.singular_query, self.aggregate_query,
        ]  # fmt: skip
        if rows_for(kind):
            ways += [self.operator] * 8
        if kind == BOOLEAN:
            ways += [self.is_]
        if isinstance(kind, ListOf):
            ways += [self.list_selector, self.query, self.query, self.query, self.sorted_query]
            if isinstance(kind.element, Named) and kind.element.model == "System":
                ways += [self.list_convert]
        if isinstance(kind, IntervalOf):
            ways += [self.interval_selector, self.interval_selector]
            if kind.point == DECIMAL:
                ways += [self.interval_convert] * 4
        if isinstance(kind, TupleOf):
            ways += [self.tuple_selector, self.tuple_selector]
        if kind in (QUANTITY, CODE, CONCEPT):
            ways += [self.instance_selector]
        if kind in (STRING, DATE, DATETIME, BOOLEAN, CODE, CONCEPT, IntervalOf(DATETIME)):
            ways += [self.converted_element, self.converted_element]
        if kind in (STRING, DATE, DECIMAL):
            ways += [self.property]
        return ways

    def leaf(self, kind: Type, scope: Scope) -> ir.Expression:
        known = [_reference(entry) for entry in scope if entry[2] == kind]
        if known and self.choose(4):
            return self.one(known)
        if kind in (VALUESET, VOCABULARY):
            url = self.one((VISITS, VACCINES))
            return ir.ValueSetRef(type=kind, library=LIBRARY, name=url, url=url, version=None)
        if kind == CODESYSTEM:
            return ir.CodeSystemRef(type=kind, library=LIBRARY, name="CVX", url="urn:cs:cvx", version=None)
        if isinstance(kind, ListOf) and kind.element in RESOURCES:
            return self.retrieve(kind)
        if isinstance(kind, Named) and kind.model == "FHIR":
            return ir.Constant(type=kind, value=None)
        if not self.choose(12):
            return self.parameter(kind)
        return ir.Constant(type=kind, value=self.value(kind))

    # ------------------------------------------------------------------------------------------ values

    def value(self, kind: Type) -> Any:
        """A constant of the type; null now and then."""
        if not self.choose(7):
            return None
        if isinstance(kind, ListOf):
            return [self.value(kind.element) for _ in range(self.choose(4))]
        if isinstance(kind, IntervalOf):
            return self.interval(kind.point)
        if isinstance(kind, TupleOf):
            return CqlTuple({name: self.value(element) for name, element in kind.elements})
        if isinstance(kind, ChoiceOf):
            return None
        if kind == ANY:
            return self.value(self.one(SIMPLE))
        if kind in (VALUESET, VOCABULARY, CODESYSTEM) or kind not in VALUES:
            return None
        return self.one(VALUES[kind])

    def interval(self, point: Type) -> Interval | None:
        from cql_like.runtime.errors import CqlRuntimeError
        from cql_like.runtime.interval import interval

        low, high = self.value(point), self.value(point)
        closed = (bool(self.choose(2)), bool(self.choose(2)))
        for ends in ((low, high), (high, low)):
            try:
                return interval(*ends, *closed, point)
            except CqlRuntimeError:
                continue
        return None

    # ------------------------------------------------------------------------------------------ operators

    def operator(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        row, bound = self.one(rows_for(kind))
        return self.of_row(row, bound, scope, depth)

    def any_of_row(self, row: ir.OperatorRow, scope: Scope, depth: int) -> ir.Expression:
        """The operator with type variables bound at random."""
        bound = {name: self.one(POINTS if _in_interval(row, name) else (*SIMPLE, TUPLE)) for name in _variables(row)}
        return self.of_row(row, bound, scope, depth)

    def of_row(self, row: ir.OperatorRow, bound: dict[str, Type], scope: Scope, depth: int) -> ir.Expression:
        operands = tuple(self.expression(substitute(kind, bound), scope, depth) for kind in row.operands)
        precision = self.precision(row) if row.takes_precision else None
        return ir.Operator(type=substitute(row.result, bound), row=row, operands=operands, precision=precision)

    def precision(self, row: ir.OperatorRow) -> ir.Precision | None:
        options: list[ir.Precision | None] = list(precisions_of(row))
        if row.name not in NEEDS_PRECISION:
            options.append(None)
        return self.one(options)

    # ------------------------------------------------------------------------------------------ control

    def if_(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        condition = self.expression(BOOLEAN, scope, depth)
        then, otherwise = self.expression(kind, scope, depth), self.expression(kind, scope, depth)
        return ir.If(type=kind, condition=condition, then=then, otherwise=otherwise)

    def case(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        items = tuple(
            (self.expression(BOOLEAN, scope, depth), self.expression(kind, scope, depth))
            for _ in range(1 + self.choose(3))
        )
        return ir.Case(type=kind, items=items, otherwise=self.expression(kind, scope, depth))

    def define(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        known = [name for name, define in self._defines.items() if define.expression.type == kind]
        if known and self.choose(2):
            name = self.one(known)
        else:
            expression = self.expression(kind, (), depth)
            name = self.name("Define")
            self._defines[name] = _define(name, expression)
        return ir.ExpressionRef(type=kind, library=LIBRARY, name=name)

    def parameter(self, kind: Type) -> ir.Expression:
        name = self.name("Parameter")
        default = ir.Constant(type=kind, value=self.value(kind))
        self._parameters[name] = ir.Parameter(name, kind, default, None)
        return ir.ParameterRef(type=kind, library=LIBRARY, name=name)

    def call(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        operands = tuple((self.name("operand"), self.some_type()) for _ in range(self.choose(3)))
        inner: Scope = tuple(("operand", name, operand) for name, operand in operands)
        body = self.expression(kind, inner, depth)
        key = self.name("Function")
        self._functions[key] = ir.Function(key, key, operands, kind, body, False, None)
        arguments = tuple(self.expression(operand, scope, depth) for _, operand in operands)
        return ir.FunctionCall(type=kind, library=LIBRARY, function=key, operands=arguments)

    # ------------------------------------------------------------------------------------------ types

    def as_(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        widened = self.widened(kind if self.choose(4) else self.one(SIMPLE), scope, depth)
        return ir.As(type=kind, operand=widened, target=kind, strict=not self.choose(6))

    def widened(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        """A value whose static type is Any, or a choice read from a resource."""
        if self.choose(3):
            return ir.As(type=ANY, operand=self.expression(kind, scope, depth), target=ANY, strict=False)
        return self.choice_element(scope)

    def is_(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        target = self.one((*SIMPLE, fhir("Quantity"), fhir("string"), fhir("Encounter"), IntervalOf(DATE)))
        return ir.Is(type=BOOLEAN, operand=self.widened(self.one(SIMPLE), scope, depth), target=target)

    # ------------------------------------------------------------------------------------------ selectors

    def list_selector(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        assert isinstance(kind, ListOf)
        items = tuple(self.expression(kind.element, scope, depth) for _ in range(self.choose(4)))
        return ir.ListSelector(type=kind, items=items)

    def interval_selector(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        assert isinstance(kind, IntervalOf)
        ends = [self.expression(kind.point, scope, depth) for _ in range(2)]
        closed = [ir.Constant(type=BOOLEAN, value=bool(self.choose(2))) for _ in range(2)]
        return ir.IntervalSelector(type=kind, low=ends[0], high=ends[1], low_closed=closed[0], high_closed=closed[1])

    def tuple_selector(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        assert isinstance(kind, TupleOf)
        elements = tuple((name, self.expression(element, scope, depth)) for name, element in kind.elements)
        return ir.TupleSelector(type=kind, elements=elements)

    def instance_selector(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        assert isinstance(kind, Named)
        parts = {
            "Quantity": (("value", DECIMAL), ("unit", STRING)),
            "Code": (("code", STRING), ("system", STRING)),
            "Concept": (("codes", ListOf(CODE)), ("display", STRING)),
        }[kind.name]
        elements = tuple((name, self.expression(element, scope, depth)) for name, element in parts)
        return ir.InstanceSelector(type=kind, elements=elements)

    # ------------------------------------------------------------------------------------------ elements

    def property(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        if kind == DECIMAL:
            return ir.Property(type=kind, source=self.expression(QUANTITY, scope, depth), name="value")
        name = "day" if kind == DATE else "name"
        return ir.Property(type=kind, source=self.expression(TUPLE, scope, depth), name=name)

    def resource(self, name: str, scope: Scope) -> ir.Expression:
        """One resource: an alias in scope, or the first of a retrieve."""
        kind = fhir(name)
        known = [_reference(entry) for entry in scope if entry[2] == kind]
        if known:
            return self.one(known)
        first = next(row for row in OPERATORS if row.name == "First")
        return ir.Operator(type=kind, row=first, operands=(self.retrieve(ListOf(kind)),))

    def element(self, name: str, kind: Type, scope: Scope) -> ir.Expression:
        """An element of some resource that has the type; `kind` is one of FHIR's."""
        places = [
            (resource, element) for resource, elements in ELEMENTS.items() for element in elements if element[2] == kind
        ]
        resource, (element_name, choices, element_type) = self.one(places)
        source = self.resource(resource, scope)
        return ir.ModelProperty(type=element_type, source=source, name=element_name, choices=choices)

    def choice_element(self, scope: Scope) -> ir.Expression:
        return self.element("value", VALUE_CHOICE, scope)

    def converted_element(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        """A FHIR element as the System value that the model converts it to."""
        options = [source for source in CONVERTED if FHIR.conversions(source)[0].result == kind]
        source = self.one(options)
        if source == fhir("CodeableConcept") and self.choose(2):
            first = next(row for row in OPERATORS if row.name == "First")
            listed = self.element("type", ListOf(source), scope)
            operand: ir.Expression = ir.Operator(type=source, row=first, operands=(listed,))
        elif source in (choice.type for choice in VALUE) and self.choose(2):
            operand = ir.As(type=source, operand=self.choice_element(scope), target=source, strict=False)
        else:
            places = [kind for elements in ELEMENTS.values() for _, _, kind in elements]
            operand = self.element("", source, scope) if source in places else ir.Constant(type=source, value=None)
        return ir.Convert(type=kind, operand=operand, conversion=FHIR.conversions(source)[0])

    def list_convert(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        """Each item of a list by way of `$this`: a FHIR list to System values, or System values to System values."""
        assert isinstance(kind, ListOf)
        if kind.element == CONCEPT:
            source: Type = fhir("CodeableConcept")
            operand = self.element("type", ListOf(source), scope)
            this = ir.IterationRef(type=source, name="$this")
            item: ir.Expression = ir.Convert(type=CONCEPT, operand=this, conversion=FHIR.conversions(source)[0])
        else:
            source = self.one((INTEGER, kind.element))
            operand = self.expression(ListOf(source), scope, depth)
            item = self.expression(kind.element, (*scope, ("iteration", "$this", source)), depth)
        return ir.ListConvert(type=kind, operand=operand, item=item)

    def interval_convert(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        row = next(row for row in OPERATORS if row.name == "ToDecimal" and row.operands == (INTEGER,))
        this = ir.IterationRef(type=INTEGER, name="$this")
        point = ir.Convert(type=DECIMAL, operand=this, conversion=row)
        operand = self.expression(IntervalOf(INTEGER), scope, depth)
        return ir.IntervalConvert(type=kind, operand=operand, point=point)

    # ------------------------------------------------------------------------------------------ data

    def retrieve(self, kind: Type) -> ir.Expression:
        assert isinstance(kind, ListOf)
        assert isinstance(kind.element, Named)
        name = kind.element.name
        path = CODE_PATHS.get(name)
        filters: list[ir.Expression | None] = [None]
        if path is not None:
            filters += [
                self.leaf(VALUESET, ()),
                ir.CodeSystemRef(type=CODESYSTEM, library=LIBRARY, name="CVX", url="urn:cs:cvx", version=None),
                ir.Constant(type=CODE, value=Code("well", "urn:cs:visit")),
                ir.Constant(type=ListOf(CODE), value=[Code("20", "urn:cs:cvx"), Code("sick", "urn:cs:visit")]),
                ir.Constant(type=CONCEPT, value=Concept((Code("03", "urn:cs:cvx"),))),
            ]
        codes = self.one(filters)
        comparator = "~" if codes is not None and codes.type == CODE else "in"
        return ir.Retrieve(
            type=kind, resource_type=name, code_path=path, codes=codes, comparator=comparator, unfiltered=False
        )

    def source(self, scope: Scope, depth: int, *, singular: bool) -> tuple[ir.Source, tuple[str, str, Type]]:
        element = self.one((fhir("Encounter"), fhir("Observation"), INTEGER, STRING, DATE, TUPLE))
        if singular and isinstance(element, Named) and element.model == "FHIR":
            element = INTEGER
        alias = self.name("alias")
        expression = self.expression(element if singular else ListOf(element), scope, depth)
        return ir.Source(alias, expression), ("alias", alias, element)

    def singular_query(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        return self._query(kind, kind, scope, depth, singular=True)

    def query(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        assert isinstance(kind, ListOf)
        return self._query(kind, kind.element, scope, depth, singular=False)

    def _query(self, kind: Type, element: Type, scope: Scope, depth: int, *, singular: bool) -> ir.Query:
        made = [self.source(scope, depth, singular=singular) for _ in range(1 + (not self.choose(4)))]
        inner = scope + tuple(entry for _, entry in made)
        lets: list[tuple[str, ir.Expression]] = []
        for _ in range(self.choose(3)):
            name, let = self.name("let"), self.some_type()
            lets.append((name, self.expression(let, inner, depth - 1)))
            inner = (*inner, ("let", name, let))
        relationships: list[ir.Relationship] = []
        if not self.choose(3):
            source, entry = self.source(inner, depth - 1, singular=False)
            such_that = self.expression(BOOLEAN, (*inner, entry), depth)
            relationships.append(ir.Relationship(source.alias, source.expression, such_that, bool(self.choose(2))))
        return ir.Query(
            type=kind,
            sources=tuple(source for source, _ in made),
            lets=tuple(lets),
            relationships=tuple(relationships),
            where=self.expression(BOOLEAN, inner, depth) if self.choose(2) else None,
            returning=self.expression(element, inner, depth),
            distinct=not singular and bool(self.choose(2)),
            aggregate=None,
            sort=(),
            singular=singular,
        )

    def sorted_query(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        query = self.query(kind, scope, depth)
        assert isinstance(query, ir.Query)
        assert isinstance(kind, ListOf)
        this: Scope = (("iteration", "$this", kind.element),)
        keys = tuple(
            ir.SortItem(self.expression(self.one((INTEGER, STRING, DATE)), scope + this, depth), bool(self.choose(2)))
            for _ in range(1 + self.choose(2))
        )
        return replace(query, sort=keys)

    def aggregate_query(self, kind: Type, scope: Scope, depth: int) -> ir.Expression:
        source, entry = self.source(scope, depth, singular=False)
        total = self.name("total")
        inner = (*scope, entry)
        aggregate = ir.Aggregate(
            name=total,
            starting=self.expression(kind, scope, depth),
            expression=self.expression(kind, (*inner, ("iteration", total, kind)), depth),
            distinct=bool(self.choose(2)),
        )
        where = self.expression(BOOLEAN, inner, depth) if self.choose(2) else None
        return ir.Query(
            type=kind, sources=(source,), lets=(), relationships=(), where=where, returning=None, distinct=False,
            aggregate=aggregate, sort=(), singular=False,
        )  # fmt: skip


RESOURCES = frozenset(fhir(name) for name in ELEMENTS)
CONVERTED = tuple(
    fhir(name) for name in ("string", "code", "boolean", "date", "dateTime", "instant", "Coding", "CodeableConcept",
                            "Period")
)  # fmt: skip


def _define(name: str, expression: ir.Expression) -> ir.Define:
    return ir.Define(name, "Patient", expression, True, None)


def _reference(entry: tuple[str, str, Type]) -> ir.Expression:
    kinds = {"alias": ir.AliasRef, "let": ir.LetRef, "operand": ir.OperandRef, "iteration": ir.IterationRef}
    return kinds[entry[0]](type=entry[2], name=entry[1])


# ---------------------------------------------------------------------------------------------------- rows and types

NEEDS_PRECISION = frozenset({"DurationBetween", "DifferenceBetween", "DateTimeComponentFrom", "CalculateAge",
                             "CalculateAgeAt"})  # fmt: skip


def precisions_of(row: ir.OperatorRow) -> tuple[ir.Precision, ...]:
    """The precisions that make sense for a row's operands."""
    points = {point for operand in row.operands for point in _points(operand)}
    weeks = row.name in ("DurationBetween", "DifferenceBetween", "CalculateAge", "CalculateAgeAt")
    if TIME in points:
        return ("hour", "minute", "second", "millisecond")
    if DATE in points:
        return ("year", "month", "week", "day") if weeks else ("year", "month", "day")
    return PRECISIONS if weeks else tuple(precision for precision in PRECISIONS if precision != "week")


def _points(kind: Type) -> list[Type]:
    if isinstance(kind, ListOf):
        return _points(kind.element)
    if isinstance(kind, IntervalOf):
        return _points(kind.point)
    return [kind]


def _variables(row: ir.OperatorRow) -> list[str]:
    found: dict[str, None] = {}
    for kind in (*row.operands, row.result):
        found.update(dict.fromkeys(point.name for point in _points(kind) if isinstance(point, Variable)))
    return list(found)


def _in_interval(row: ir.OperatorRow, name: str) -> bool:
    return any(f"Interval<{name}>" in str(kind) for kind in (*row.operands, row.result))


def substitute(kind: Type, bound: dict[str, Type]) -> Type:
    """The type with its variables replaced."""
    if isinstance(kind, Variable):
        return bound[kind.name]
    if isinstance(kind, ListOf):
        return ListOf(substitute(kind.element, bound))
    if isinstance(kind, IntervalOf):
        return IntervalOf(substitute(kind.point, bound))
    return kind


def _unify(pattern: Type, kind: Type, bound: dict[str, Type]) -> bool:
    if isinstance(pattern, Variable):
        return bound.setdefault(pattern.name, kind) == kind
    if isinstance(pattern, ListOf) and isinstance(kind, ListOf):
        return _unify(pattern.element, kind.element, bound)
    if isinstance(pattern, IntervalOf) and isinstance(kind, IntervalOf):
        return _unify(pattern.point, kind.point, bound)
    return pattern == kind


_ROWS: dict[Type, list[tuple[ir.OperatorRow, dict[str, Type]]]] = {}


def rows_for(kind: Type) -> list[tuple[ir.OperatorRow, dict[str, Type]]]:
    """The rows that can give a value of the type, each with its type variables bound."""
    if kind not in _ROWS:
        found: list[tuple[ir.OperatorRow, dict[str, Type]]] = []
        for row in OPERATORS:
            bound: dict[str, Type] = {}
            if not _unify(row.result, kind, bound):
                continue
            for place, name in enumerate(name for name in _variables(row) if name not in bound):
                bound[name] = (POINTS if _in_interval(row, name) else SIMPLE)[(len(found) + place) % len(POINTS)]
            if all(bound[name] in POINTS for name in _variables(row) if _in_interval(row, name)):
                found.append((row, bound))
        _ROWS[kind] = found
    return _ROWS[kind]


VALUES: dict[Type, tuple[Any, ...]] = {
    INTEGER: (0, 1, 2, 3, 7, -1, -5, 2**31 - 1, -(2**31)),
    LONG: (Long(0), Long(1), Long(-3), Long(2**63 - 1), Long(-(2**63))),
    DECIMAL: tuple(map(Decimal, ("0", "1", "1.0", "-2.5", "3.14159265", "1e20", "0.00000001"))),
    STRING: ("", "a", "B", "abc", "well", "finished", "2020-02-29", "1", "a,b", "\u00e9"),
    BOOLEAN: (True, False),
    DATE: (Date(2020, 2, 29), Date(2020, 2, 28), Date(2021, 3, 1), Date(2020, 2), Date(2020), Date(1, 1, 1),
           Date(9999, 12, 31)),
    DATETIME: (DateTime(2020, 2, 29, 23, 59, 59, 999, 0), DateTime(2020, 2, 29, 12, 0, 0, 0, -480),
               DateTime(2020, 2, 29), DateTime(2020, 3), DateTime(2021), DateTime(2020, 3, 1, 8, 30)),
    TIME: (Time(0, 0, 0, 0), Time(12, 30), Time(23, 59, 59, 999), Time(12)),
    QUANTITY: (Quantity(Decimal(1), "day"), Quantity(Decimal(2), "month"), Quantity(Decimal(1), "year"),
               Quantity(Decimal("5.5"), "mg"), Quantity(Decimal(1), "g"), Quantity(Decimal(3))),
    RATIO: (Ratio(Quantity(Decimal(1)), Quantity(Decimal(128))),
            Ratio(Quantity(Decimal(5), "mg"), Quantity(Decimal(2), "mL"))),
    CODE: (Code("well", "urn:cs:visit"), Code("20", "urn:cs:cvx", None, "DTaP"), Code("x")),
    CONCEPT: (Concept((Code("well", "urn:cs:visit"), Code("20", "urn:cs:cvx"))), Concept((Code("x"),), "X")),
}  # fmt: skip
