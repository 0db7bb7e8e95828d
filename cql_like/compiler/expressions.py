"""Typed IR -> Python expressions and statements, one method per node (see `cql_like.reference` for what they mean).

Here: references, selectors, elements, conversions, types and data; operators and branches are in `operators`, queries
in `queries`.
"""

# ruff: noqa: N802, S101 (methods are called after the nodes; an unknown node is a bug of ours, so an assertion)

from collections.abc import Callable, Mapping
from typing import Any

from cql_like import ir, leaves
from cql_like.compiler import fast
from cql_like.compiler.casts import CLASSES, class_test, is_widening
from cql_like.compiler.emit import NULL, Py, join, literal
from cql_like.compiler.operators import Operators
from cql_like.compiler.queries import compile_query
from cql_like.model import fhir_conversions
from cql_like.runtime import temporal
from cql_like.runtime.values import CqlTuple
from cql_like.types import ANY, IntervalOf, ListOf, Named, TupleOf


class Expressions(Operators):
    """Compiles every node of the IR."""

    # ------------------------------------------------------------------------------------------ references

    def compile_Constant(self, node: ir.Constant) -> Py:
        return literal(node.value, self.unit.constants)

    def compile_ParameterRef(self, node: ir.ParameterRef) -> Py:
        return Py(self.unit.parameters.name((node.library, node.name), (node.library, node.name)), True, True)

    def compile_ExpressionRef(self, node: ir.ExpressionRef) -> Py:
        slot, function = self.unit.define(node.library, node.name)
        name = self.w.temporary()
        nullable = self.unit.nullness.can_be_null(node)
        return Py(f"({name} if ({name} := s[{slot}]) is not U else {function}(s))", nullable, False, 1)

    def compile_FunctionCall(self, node: ir.FunctionCall) -> Py:
        operands = [self.value(operand) for operand in node.operands]
        function = self.unit.function(node.library, node.function)
        depth = 1 + max((operand.depth for operand in operands), default=0)
        return Py(f"{function}({', '.join(['s', *(o.text for o in operands)])})", True, False, depth)

    def compile_OperandRef(self, node: ir.OperandRef) -> Py:
        return self.environment["operand", node.name]

    def compile_AliasRef(self, node: ir.AliasRef) -> Py:
        return self.environment["alias", node.name]

    def compile_LetRef(self, node: ir.LetRef) -> Py:
        return self.environment["let", node.name]

    def compile_IterationRef(self, node: ir.IterationRef) -> Py:
        return self.environment["iteration", node.name]

    def compile_ValueSetRef(self, node: ir.ValueSetRef) -> Py:
        key = ("value set", node.url, node.version, node.name)
        return Py(self.unit.constants.name(leaves.value_set(node), key), False, True)

    def compile_CodeSystemRef(self, node: ir.CodeSystemRef) -> Py:
        key = ("code system", node.url, node.version, node.name)
        return Py(self.unit.constants.name(leaves.code_system(node), key), False, True)

    # ------------------------------------------------------------------------------------------ selectors

    def compile_IntervalSelector(self, node: ir.IntervalSelector) -> Py:
        parts = [self.value(part) for part in (node.low, node.high, node.low_closed, node.high_closed)]
        return join("interval({}, {}, {}, {}, {})", *parts, self._point(node.type), nullable=False)

    def _point(self, kind: Any) -> Py:
        assert isinstance(kind, IntervalOf)
        return Py(self.unit.constants.name(kind.point, kind.point), False, True)

    def compile_ListSelector(self, node: ir.ListSelector) -> Py:
        if all(isinstance(item, ir.Constant) for item in node.items):
            values = [item.value for item in node.items if isinstance(item, ir.Constant)]
            return Py(self.unit.constants.name(values, ("list", id(node))), False, True)
        items = [self.value(item) for item in node.items]
        return join(f"[{', '.join(['{}'] * len(items))}]", *items, nullable=False)

    def compile_TupleSelector(self, node: ir.TupleSelector) -> Py:
        return join("CqlTuple({})", self._elements(node.elements), nullable=False)

    def compile_InstanceSelector(self, node: ir.InstanceSelector) -> Py:
        assert isinstance(node.type, Named)
        kind = Py(self.unit.constants.name(node.type, node.type), False, True)
        return join("instance({}, {})", kind, self._elements(node.elements), nullable=True)

    def _elements(self, elements: tuple[tuple[str, ir.Expression], ...]) -> Py:
        values = [(literal(name, self.unit.constants), self.value(element)) for name, element in elements]
        depth = 1 + max((value.depth for _, value in values), default=0)
        return Py(f"{{{', '.join(f'{name.text}: {value.text}' for name, value in values)}}}", False, False, depth)

    # ------------------------------------------------------------------------- elements, conversions and types

    def compile_ModelProperty(self, node: ir.ModelProperty) -> Py:
        source = self.value(node.source)
        plural = isinstance(node.type, ListOf)
        if len(node.choices) == 1:
            return self._member(source, node.choices[0].key, plural, self.is_object(node.source))
        choices = Py(self.unit.constants.name(node.choices, ("choices", node.choices)), False, True)
        return join("model_property({}, {}, False)", source, choices, nullable=True)

    def _member(self, source: Py, key: str, plural: bool, is_object: bool) -> Py:
        """The member of a JSON object; null (or no elements) where the source is null or no object."""
        name = literal(key, self.unit.constants).text
        if is_object and not source.nullable:
            text = f"{source.text}.get({name})"
        elif source.atom:
            text = f"({source.text}.get({name}) if {source.text}.__class__ is dict else None)"
        else:
            held = self.w.temporary()
            text = f"({held}.get({name}) if ({held} := {source.text}).__class__ is dict else None)"
        if not plural:
            return Py(text, True, False, source.depth + 1)
        found = self.w.temporary()
        if source.nullable:
            held = self.w.atom(source)
            text = f"{held.text}.get({name}) if {held.text}.__class__ is dict else None"
            return Py(
                f"(None if {held.text} is None else {found} if ({found} := {text}).__class__ is list "
                f"else as_list({found}))",
                True, False, held.depth + 2,
            )  # fmt: skip
        return Py(
            f"({found} if ({found} := {text}).__class__ is list else as_list({found}))", False, False, source.depth + 2
        )

    def is_object(self, node: ir.Expression) -> bool:
        """Is the value surely a JSON object where it is not null? So are the elements of a retrieve."""
        return isinstance(node, ir.AliasRef) and ("object", node.name) in self.environment

    def compile_Property(self, node: ir.Property) -> Py:
        source = self.value(node.source)
        if isinstance(node.source.type, TupleOf):
            held = self.w.atom(source) if source.nullable else source
            key = literal(node.name, self.unit.constants).text
            text = f"{held.text}._elements.get({key})"
            return Py(f"({text} if {held.text} is not None else None)" if held.nullable else text, True, False,
                      held.depth + 1)  # fmt: skip
        name = literal(node.name, self.unit.constants)
        return join("system_property({}, {})", source, name, nullable=True)

    def compile_Convert(self, node: ir.Convert) -> Py:
        row = node.conversion
        operand = self.value(node.operand)
        scalar = _SCALARS.get(row.implementation)
        if scalar is not None:
            python_class, parse = scalar
            name = operand.text if operand.atom else self.w.temporary()
            test = operand.text if operand.atom else f"({name} := {operand.text})"
            found = name if parse is None else f"{self.unit.implementations.name(parse)}({name})"
            return Py(f"({found} if {test}.__class__ is {python_class} else None)", True, False, operand.depth + 1)
        call = self.unit.implementations.name(row.implementation)
        context = ", context=C" if row.takes_context else ""
        if not operand.nullable or not row.propagates_null:
            return Py(f"{call}({operand.text}{context})", True, False, operand.depth + 1)
        if operand.atom:
            return Py(f"({call}({operand.text}{context}) if {operand.text} is not None else None)", True, False, 1)
        name = self.w.temporary()
        return Py(
            f"({call}({name}{context}) if ({name} := {operand.text}) is not None else None)",
            True, False, operand.depth + 1,
        )  # fmt: skip

    def compile_ListConvert(self, node: ir.ListConvert) -> Py:
        source = self.w.atom(self.value(node.operand))
        result, item = self.w.temporary(), self.w.temporary()
        w = self.w
        w.line(f"{result} = []" if not source.nullable else f"{result} = None if {source.text} is None else []")

        def body() -> None:
            inner = self.within({("iteration", "$this"): Py(item, False, True)})
            converted, before = w.captured(lambda: inner.value(node.item))
            if not before:
                w.line(f"{result}.append({converted.text} if {item} is not None else None)")
                return
            w.line(f"if {item} is None:")
            w.lines.append((w.indent + 1, f"{result}.append(None)"))
            w.lines.append((w.indent + 1, "continue"))
            w.paste(before)
            w.line(f"{result}.append({converted.text})")

        w.block(f"for {item} in {source.text}:" if not source.nullable else f"for {item} in {source.text} or ():", body)
        return Py(result, source.nullable, True)

    def compile_IntervalConvert(self, node: ir.IntervalConvert) -> Py:
        source = self.w.atom(self.value(node.operand))
        result = self.w.temporary()
        w = self.w
        w.line(f"{result} = None")

        def body() -> None:
            ends: list[str] = []
            for end in ("low", "high"):
                name, point = w.temporary(), w.temporary()
                w.line(f"{point} = {source.text}.{end}")
                w.line(f"{name} = None")

                def convert(point: str = point, name: str = name) -> None:
                    inner = self.within({("iteration", "$this"): Py(point, False, True)})
                    w.line(f"{name} = {inner.value(node.point).text}")

                w.block(f"if {point} is not None:", convert)
                ends.append(name)
            closed = f"{source.text}.low_closed, {source.text}.high_closed"
            w.line(f"{result} = Interval({ends[0]}, {ends[1]}, {closed}, {self._point(node.type).text})")

        w.block(f"if {source.text} is not None:", body)
        return Py(result, True, True)

    def compile_As(self, node: ir.As) -> Py:
        fused = self._one_choice(node.operand, node.target)
        if fused is not None and not node.strict and node.type == node.target:
            return fused
        if is_widening(node):
            return self.value(node.operand)
        python_class = None if node.strict else class_test(node.operand.type, node.target)
        if python_class is not None:
            value = self.w.atom(self.value(node.operand))
            return join(f"({{0}} if ({{0}}).__class__ is {python_class} else None)", value, nullable=True)
        known = Py(self.unit.constants.name(node), False, True)
        return join("cast({}, {})", self.value(node.operand), known, nullable=True)

    def compile_Is(self, node: ir.Is) -> Py:
        fused = self._one_choice(node.operand, node.target)
        if fused is not None:
            return join("({} is not None)", fused, nullable=False)
        python_class = class_test(node.operand.type, node.target)
        if python_class is not None:
            return join(f"(({{}}).__class__ is {python_class})", self.value(node.operand), nullable=False)
        known = Py(self.unit.constants.name(node), False, True)
        return join("is_a({}, {})", self.value(node.operand), known, nullable=False)

    def _one_choice(self, operand: ir.Expression, target: Any) -> Py | None:
        """`Patient.deceased as FHIR.dateTime`: the one JSON key that holds that type, without boxing."""
        if not isinstance(operand, ir.ModelProperty) or len(operand.choices) < 2:
            return None
        keys = [choice.key for choice in operand.choices if choice.type == target]
        if len(keys) != 1 or not isinstance(target, Named) or target == ANY:
            return None
        return self._member(self.value(operand.source), keys[0], False, self.is_object(operand.source))

    # ------------------------------------------------------------------------------------------ data

    def compile_Retrieve(self, node: ir.Retrieve) -> Py:
        codes = node.codes
        if codes is None or isinstance(codes, ir.ValueSetRef | ir.Constant):
            if isinstance(codes, ir.Constant) and codes.value is None:
                return NULL
            slot, function = self.unit.retrieve(node)
            name = self.w.temporary()
            return Py(f"({name} if ({name} := s[{slot}]) is not U else {function}(s))", False, False, 1)
        wanted = self.w.atom(self.value(codes))
        known = Py(self.unit.constants.name(node), False, True)
        text = f"retrieve(s, {known.text}, {wanted.text})"
        return Py(f"({text} if {wanted.text} is not None else None)" if wanted.nullable else text, wanted.nullable)

    def compile_Query(self, node: ir.Query) -> Py:
        return compile_query(self, node)


# Conversions of FHIR primitives: the Python class that the JSON scalar must have, and what reads it (None: as it is).
_SCALARS: Mapping[Any, tuple[str, Callable[..., Any] | None]] = {
    fhir_conversions.to_string: ("str", None),
    fhir_conversions.to_boolean: ("bool", None),
    fhir_conversions.to_date: ("str", temporal.parse_date),
    fhir_conversions.to_datetime: ("str", temporal.parse_datetime),
}

# What generated code calls by name; the rest it reads from tables.
SUPPORT: Mapping[str, Any] = {
    **CLASSES,
    "CqlTuple": CqlTuple,
    "Interval": leaves.Interval,
    "as_list": leaves.as_list,
    "cast": leaves.cast,
    "date_in": fast.date_in,
    "day_of": fast.day_of,
    "distinct": leaves.distinct,
    "distinct_by": leaves.distinct_by,
    "combinations": leaves.combinations,
    "elements": leaves.elements,
    "exists": fast.exists,
    "external": leaves.external,
    "first": fast.first,
    "instance": leaves.instance,
    "interval": leaves.interval,
    "is_a": fast.is_a,
    "model_property": leaves.model_property,
    "plus_months": fast.plus_months,
    "sorted_by": fast.sorted_by,
    "system_property": leaves.system_property,
}
