"""Run-time errors of CQL: what an expression can do wrong that no compile-time check sees.

CQL §Expression semantics: most bad operands give null (division by zero, overflow); the few cases that the
specification calls a run-time error end here.
"""


class CqlRuntimeError(ValueError):
    """An expression that cannot be evaluated. The message says what was wrong and what was expected.

    Messages hold values of the expression's own making (operands of an operator), never whole resources.
    """


class CqlMessageError(CqlRuntimeError):
    """`Message(..., severity 'Error', ...)`: the library itself asked to stop (CQL §Errors and Messages)."""

    def __init__(self, code: str | None, message: str | None) -> None:
        self.code, self.text = code, message
        super().__init__(f"the library stopped with error {code or '(no code)'}: {message or '(no message)'}")


class LimitExceeded(CqlRuntimeError):
    """A computation that would pass one of the limits of the evaluation context; the limits can be set."""


class BudgetExceeded(LimitExceeded):
    """An evaluation that as a whole took more time, or more steps, than its limits allow."""
