"""A CQL 1.5 engine (HL7 Clinical Quality Language) over FHIR R4 JSON. Knows no measure, no network, no database.

import cql_like
cql_like.evaluate("1 + 1")                                     # 2
library = cql_like.compile_library(text, libraries={("FHIRHelpers", "4.0.1"): other_text})
session = library.session(record, parameters={...}, terminology=..., now=...)
session.evaluate("Numerator")
session.trace("Numerator")                                     # with every clause: value, place, resources
"""

from datetime import UTC, datetime
from typing import Any

from cql_like.analysis import EXPRESSION, analyse_expression, is_known
from cql_like.errors import CqlError, CqlErrors
from cql_like.library import (
    CheckedLibrary,
    Library,
    WrongParameter,
    check_library,
    compile_library,
    prepare_together,
)
from cql_like.profile import Profile, Timed
from cql_like.retrieve import CodeKey, JsonObject, Retriever
from cql_like.runtime.context import Limits
from cql_like.runtime.errors import CqlMessageError, CqlRuntimeError, LimitExceeded
from cql_like.runtime.literals import to_cql
from cql_like.runtime.values import (
    Code,
    CodeSystem,
    Concept,
    CqlTuple,
    Date,
    DateTime,
    Interval,
    Long,
    ModelValue,
    Quantity,
    Ratio,
    Time,
    Uncertainty,
    ValueSet,
)
from cql_like.session import EmptyRecord, Engine, Session, SessionFactory, UnknownName
from cql_like.syntax import parse_expression
from cql_like.terminology import ExpandedTerminology, Terminology, UnknownValueSet
from cql_like.trace import Clause, Trace


def evaluate(
    expression: str,
    *,
    engine: Engine = "compiled",
    now: datetime | DateTime | None = None,
    limits: Limits | None = None,
    profile: Profile | None = None,
) -> Any:
    """The value of one expression of the System model.

    Args:
        expression: CQL text that refers to no library, parameter or data.
        engine: "compiled" or "reference".
        now: the moment for `Now()`, `Today()`, `TimeOfDay()`. Only here it may be left out, for the current one: a
            library's session never reads the clock.
        limits: how much the evaluation may make and take; the defaults of `Limits` if left out.
        profile: adds up the time that it takes (compiled engine only).

    Raises:
        CqlErrors: the expression is not valid; every problem with its place.
        CqlRuntimeError: it is valid but ends in an error.
    """
    library = Library(analyse_expression(parse_expression(expression), expression))
    moment = now or datetime.now(UTC)
    session = library.session(EmptyRecord(), now=moment, engine=engine, limits=limits, profile=profile)
    return session.evaluate(EXPRESSION)


__all__ = [
    "CheckedLibrary",
    "Clause",
    "Code",
    "CodeKey",
    "CodeSystem",
    "Concept",
    "CqlError",
    "CqlErrors",
    "CqlMessageError",
    "CqlRuntimeError",
    "CqlTuple",
    "Date",
    "DateTime",
    "Engine",
    "ExpandedTerminology",
    "Interval",
    "JsonObject",
    "Library",
    "LimitExceeded",
    "Limits",
    "Long",
    "ModelValue",
    "Profile",
    "Quantity",
    "Ratio",
    "Retriever",
    "Session",
    "SessionFactory",
    "Terminology",
    "Time",
    "Timed",
    "Trace",
    "Uncertainty",
    "UnknownName",
    "UnknownValueSet",
    "ValueSet",
    "WrongParameter",
    "check_library",
    "compile_library",
    "evaluate",
    "is_known",
    "prepare_together",
    "to_cql",
]
