"""`Message`: what a library reports while it is evaluated (CQL Appendix B §Errors and messages)."""

from typing import Any

from cql_like.runtime.context import EmittedMessage, EvaluationContext
from cql_like.runtime.errors import CqlMessageError, CqlRuntimeError

_SEVERITIES = ("Trace", "Message", "Warning", "Error")


def message(
    source: Any,
    condition: bool | None,
    code: str | None,
    severity: str | None,
    text: str | None,
    *,
    context: EvaluationContext,
) -> Any:
    """The source, unchanged; if the condition is true the message is emitted.

    Raises:
        CqlMessageError: the condition is true and the severity is Error.
        CqlRuntimeError: an unknown severity.
    """
    if condition is not True:
        return source
    level = severity or "Message"
    if level not in _SEVERITIES:
        raise CqlRuntimeError(f"Message has severity {level!r}; expected one of {', '.join(_SEVERITIES)}")
    context.messages.append(EmittedMessage(level, code, text))
    if level == "Error":
        raise CqlMessageError(code, text)
    return source
