"""Clinical operators: ages, and membership in value sets and code systems (CQL Appendix B §Clinical operators)."""

from collections.abc import Iterable, Sequence
from typing import Any

from cql_like.ir import Precision
from cql_like.retrieve import CodeKey
from cql_like.runtime import calendar
from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError
from cql_like.runtime.values import Code, CodeSystem, Concept, ValueSet


def calculate_age(birth: Any, *, precision: Precision | None = None, context: EvaluationContext) -> Any:
    """`CalculateAgeIn<precision>s(birth)`: the age on the day (or, below days, at the moment) of the request."""
    period = precision or "year"
    moment = context.today if period in ("year", "month", "week", "day") else context.moment
    return calendar.age_at(birth, moment, precision=period)


def calculate_age_at(birth: Any, moment: Any, *, precision: Precision | None = None) -> Any:
    """`CalculateAgeIn<precision>sAt(birth, moment)`."""
    return calendar.age_at(birth, moment, precision=precision or "year")


def expand_value_set(value_set: ValueSet, *, context: EvaluationContext) -> frozenset[CodeKey]:
    """The (system, code) pairs of a value set.

    Raises:
        UnknownValueSet: the terminology does not hold it.
        CqlRuntimeError: the evaluation was given no terminology.
    """
    if context.terminology is None:
        raise CqlRuntimeError(
            f"the value set {value_set.id} was asked for, but the evaluation has no terminology: give `terminology=`"
        )
    return context.terminology.expand(value_set.id, value_set.version)


def codes_of_value_set(value_set: ValueSet, *, context: EvaluationContext) -> list[Code]:
    """ExpandValueSet: a value set as a list of codes, in the order of (system, code)."""
    keys = expand_value_set(value_set, context=context)
    return [Code(code, system) for system, code in sorted(keys, key=lambda key: (key[0] or "", key[1]))]


def _members(value: Code | Concept) -> Iterable[Code]:
    return value.codes if isinstance(value, Concept) else (value,)


def in_value_set(value: Any, value_set: ValueSet | None, *, context: EvaluationContext) -> bool | None:
    """`code in "Value Set"`: one of its codes is. A String is sought in all systems of the value set.

    A null code is in no value set; null where the value set is.

    Raises:
        CqlRuntimeError: a String that the value set has in more than one system.
    """
    if value_set is None:
        return None
    if value is None:
        return False
    keys = expand_value_set(value_set, context=context)
    if isinstance(value, str):
        found = [system for system, code in keys if code == value]
        if len(found) > 1:
            raise CqlRuntimeError(
                f"the code {value!r} is in {len(found)} systems of {value_set.id}; a String can't say which is meant"
            )
        return bool(found)
    return any((code.system, code.code) in keys for code in _members(value))


def any_in_value_set(
    values: Sequence[Any] | None, value_set: ValueSet | None, *, context: EvaluationContext
) -> bool | None:
    """Whether any of several codes is in a value set; false of null."""
    if value_set is None:
        return None
    return any(in_value_set(value, value_set, context=context) is True for value in values or ())


def in_code_system(value: Any, code_system: CodeSystem | None) -> bool | None:
    """`code in "Code System"`: whether it states that system.

    Raises:
        CqlRuntimeError: a String; it states no system, and the terminology port lists no code systems.
    """
    if code_system is None:
        return None
    if value is None:
        return False
    if isinstance(value, str):
        raise CqlRuntimeError(f"a String can't be looked up in the code system {code_system.id}; expected a Code")
    return any(code.system == code_system.id for code in _members(value))


def any_in_code_system(values: Sequence[Any] | None, code_system: CodeSystem | None) -> bool | None:
    """Whether any of several codes states that system."""
    if code_system is None:
        return None
    return any(in_code_system(value, code_system) is True for value in values or ())
