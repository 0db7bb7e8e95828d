"""What can be null: static knowledge that lets the compiler leave out tests for None.

"It can be" is always a safe answer.
"""

from collections.abc import Callable, Sequence
from typing import cast

from cql_like import ir
from cql_like.types import ListOf, Named

# Operators whose result is never null, whatever their operands are (CQL Appendix B).
_NEVER_NULL = frozenset({"Exists", "IsNull", "IsTrue", "IsFalse", "Count"})
# Operators that are null only where an operand is.
_AS_OPERANDS = frozenset({"And", "Or", "Implies", "Not", "Xor"})
_EXACT = frozenset({"String", "Boolean"})
_NUMERIC = frozenset({"Integer", "Long", "Decimal"})
_COUNTS = frozenset({"Count", "Length", "IndexOf", "PositionOf", "LastPositionOf"})


class Nullness:
    """Answers for the expressions of one program; remembers them per define."""

    def __init__(self, program: ir.Program) -> None:
        self._program = program
        self._defines: dict[tuple[str, str, str], bool] = {}

    def can_be_null(self, node: ir.Expression) -> bool:
        """False only where the value is never null."""
        match node:
            case ir.Constant():
                return node.value is None
            case ir.ValueSetRef() | ir.CodeSystemRef() | ir.Is() | ir.ListSelector() | ir.TupleSelector():
                return False
            case ir.Retrieve():
                return node.codes is not None and self.can_be_null(node.codes)
            case ir.ExpressionRef():
                return self._of_define(node, "null", self.can_be_null)
            case ir.Query():
                if node.aggregate is not None or node.singular:
                    return True
                return any(self.can_be_null(source.expression) for source in node.sources)
            case ir.If():
                return self.can_be_null(node.then) or self.can_be_null(node.otherwise)
            case ir.Case():
                results = [result for _, result in node.items]
                return any(self.can_be_null(result) for result in (*results, node.otherwise))
            case ir.Operator():
                if node.row.name in _NEVER_NULL:
                    return False
                if node.row.name in _AS_OPERANDS or is_plain_equal(node):
                    return any(self.can_be_null(operand) for operand in node.operands)
                return True
            case _:
                return True

    def can_hold_null(self, node: ir.Expression) -> bool:
        """False only where the value is a list (or null) none of whose elements is null."""
        match node:
            case ir.Retrieve():
                return False
            case ir.ExpressionRef():
                return self._of_define(node, "holds", self.can_hold_null)
            case ir.Constant():
                value: object = node.value
                return not isinstance(value, list | tuple) or None in cast("Sequence[object]", value)
            case ir.ListSelector():
                return any(self.can_be_null(item) for item in node.items)
            case ir.Query():
                if node.aggregate is not None or node.singular:
                    return True
                if node.returning is not None:
                    return self.can_be_null(node.returning)
                source = node.sources[0].expression
                return not isinstance(source.type, ListOf) or self.can_hold_null(source)
            case ir.If():
                return self.can_hold_null(node.then) or self.can_hold_null(node.otherwise)
            case _:
                return True

    def _of_define(self, node: ir.ExpressionRef, question: str, ask: Callable[[ir.Expression], bool]) -> bool:
        key = (question, node.library, node.name)
        if key not in self._defines:
            self._defines[key] = True  # while it is being found out
            self._defines[key] = ask(self._program.libraries[node.library].defines[node.name].expression)
        return self._defines[key]


def is_certain(node: ir.Expression) -> bool:
    """Is a number surely a number? Durations between incomplete dates are uncertain: a range where a number stands."""
    match node:
        case ir.Constant():
            return True
        case ir.Operator():
            return node.row.name in _COUNTS
        case _:
            return False


def is_plain_equal(node: ir.Operator) -> bool:
    """Is this an `=` of two values of one exact simple type, which is null only where an operand is?"""
    if node.row.name != "Equal":
        return False
    left, right = (operand.type for operand in node.operands)
    if left != right or not isinstance(left, Named) or left.model != "System":
        return False
    return left.name in _EXACT or (left.name in _NUMERIC and all(is_certain(operand) for operand in node.operands))
