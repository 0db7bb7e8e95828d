"""Operator rows: list, clinical (CQL Appendix B, those sections)."""

from cql_like.ir import OperatorRow
from cql_like.runtime import clinical, lists
from cql_like.runtime.rows import context_row, open_row, row, timed_row
from cql_like.types import (
    ANY,
    BOOLEAN,
    CODE,
    CODESYSTEM,
    CONCEPT,
    DATE,
    DATETIME,
    INTEGER,
    STRING,
    VALUESET,
    ListOf,
    T,
)

_LIST = ListOf(T)
_LISTS: tuple[OperatorRow, ...] = (
    open_row("Contains", (_LIST, T), BOOLEAN, lists.contains),
    open_row("In", (T, _LIST), BOOLEAN, lists.in_),
    open_row("ProperContains", (_LIST, T), BOOLEAN, lists.properly_contains),
    open_row("ProperIn", (T, _LIST), BOOLEAN, lists.properly_in),
    row("Includes", (_LIST, _LIST), BOOLEAN, lists.includes),
    row("IncludedIn", (_LIST, _LIST), BOOLEAN, lists.included_in),
    row("ProperIncludes", (_LIST, _LIST), BOOLEAN, lists.properly_includes),
    row("ProperIncludedIn", (_LIST, _LIST), BOOLEAN, lists.properly_included_in),
    open_row("Exists", (_LIST,), BOOLEAN, lists.exists),
    row("Distinct", (_LIST,), _LIST, lists.distinct),
    context_row("Union", (_LIST, _LIST), _LIST, lists.union, propagates_null=False),
    row("Intersect", (_LIST, _LIST), _LIST, lists.intersect),
    open_row("Except", (_LIST, _LIST), _LIST, lists.except_),
    row("First", (_LIST,), T, lists.first),
    row("Last", (_LIST,), T, lists.last),
    row("Indexer", (_LIST, INTEGER), T, lists.indexer),
    row("IndexOf", (_LIST, T), INTEGER, lists.index_of),
    open_row("Length", (_LIST,), INTEGER, lists.length),
    row("SingletonFrom", (_LIST,), T, lists.singleton_from),
    context_row("Flatten", (ListOf(_LIST),), _LIST, lists.flatten),
    context_row("Flatten", (_LIST,), ListOf(ANY), lists.flatten),
    open_row("Slice", (_LIST,), _LIST, lists.slice_),
    open_row("Slice", (_LIST, INTEGER), _LIST, lists.slice_),
    open_row("Slice", (_LIST, INTEGER, INTEGER), _LIST, lists.slice_),
    open_row("Skip", (_LIST, INTEGER), _LIST, lists.skip),
    open_row("Take", (_LIST, INTEGER), _LIST, lists.take),
    row("Tail", (_LIST,), _LIST, lists.tail),
    open_row("ToList", (T,), _LIST, lists.to_list),
    row("Children", (ANY,), ListOf(ANY), lists.children),
    context_row("Descendents", (ANY,), ListOf(ANY), lists.descendents),
)

_CLINICAL: tuple[OperatorRow, ...] = (
    *(
        OperatorRow("CalculateAge", (kind,), INTEGER, clinical.calculate_age, takes_precision=True, takes_context=True)
        for kind in (DATE, DATETIME)
    ),
    timed_row("CalculateAgeAt", (DATE, DATE), INTEGER, clinical.calculate_age_at),
    timed_row("CalculateAgeAt", (DATETIME, DATETIME), INTEGER, clinical.calculate_age_at),
    timed_row("CalculateAgeAt", (DATE, DATETIME), INTEGER, clinical.calculate_age_at),
    *(
        context_row("InValueSet", (kind, VALUESET), BOOLEAN, clinical.in_value_set, propagates_null=False)
        for kind in (CODE, CONCEPT, STRING)
    ),
    *(
        context_row(
            "AnyInValueSet", (ListOf(kind), VALUESET), BOOLEAN, clinical.any_in_value_set, propagates_null=False
        )
        for kind in (CODE, CONCEPT, STRING)
    ),
    *(
        open_row("InCodeSystem", (kind, CODESYSTEM), BOOLEAN, clinical.in_code_system)
        for kind in (CODE, CONCEPT, STRING)
    ),
    *(
        open_row("AnyInCodeSystem", (ListOf(kind), CODESYSTEM), BOOLEAN, clinical.any_in_code_system)
        for kind in (CODE, CONCEPT, STRING)
    ),
    context_row("ExpandValueSet", (VALUESET,), ListOf(CODE), clinical.codes_of_value_set),
)

LIST_ROWS: tuple[OperatorRow, ...] = (*_LISTS, *_CLINICAL)
