"""Casts and type tests that need no look at the value's structure: what `leaves.cast` and `leaves.is_type` come to.

Values of System types are of one Python class each, and no class of ours has subclasses.
"""

from collections.abc import Mapping
from decimal import Decimal

from cql_like import ir
from cql_like.runtime.values import Code, Concept, Date, DateTime, Long, Quantity, Ratio, Time
from cql_like.types import ANY, ChoiceOf, Named, Type

# Classes that generated code names, beside Python's own.
CLASSES: Mapping[str, type] = {
    "Code": Code,
    "Concept": Concept,
    "Date": Date,
    "DateTime": DateTime,
    "Decimal": Decimal,
    "Long": Long,
    "Quantity": Quantity,
    "Ratio": Ratio,
    "Time": Time,
}
_OF_PYTHON: Mapping[str, str] = {"Boolean": "bool", "Integer": "int", "String": "str"}


def class_test(operand: Type, target: Type) -> str | None:
    """The name of the Python class that values of `target` have, and no others of type `operand`; None: look closer.

    FHIR values of a statically known type are plain JSON, whose classes say nothing.
    """
    if not isinstance(target, Named) or target.model != "System" or _is_plain_json(operand):
        return None
    return target.name if target.name in CLASSES else _OF_PYTHON.get(target.name)


def is_widening(node: ir.As) -> bool:
    """Is it a cast to a type that holds every value of the operand's type, which need not be boxed for it?"""
    source, target = node.operand.type, node.target
    if _is_plain_json(source) or node.type != target:
        return False
    if isinstance(source, ChoiceOf):
        return isinstance(target, ChoiceOf) and source.alternatives <= target.alternatives
    return source != ANY and (target == ANY or (isinstance(target, ChoiceOf) and source in target.alternatives))


def _is_plain_json(kind: Type) -> bool:
    return isinstance(kind, Named) and kind.model != "System"
