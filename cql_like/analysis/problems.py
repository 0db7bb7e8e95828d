"""Collecting what is wrong with a library, and words for it (cql.md: all problems at once, with suggestions).

A wrong expression is recorded once and then stands as `broken(...)`, a null of the type `UNKNOWN` that fits
everywhere, so that one mistake gives one message and the rest of the library is still checked.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from cql_like.errors import CqlError, error_at
from cql_like.ir import Constant, Span
from cql_like.types import ChoiceOf, IntervalOf, ListOf, TupleOf, Type, Variable

UNKNOWN: Type = Variable("?")
PROBLEM_LIMIT = 200  # beyond that many, more messages help nobody


class Problems:
    """The problems of one analysis. `texts` holds the library texts, for the excerpt under a message."""

    def __init__(self) -> None:
        self.errors: list[CqlError] = []
        self.texts: dict[str, str] = {}
        self._seen: set[tuple[str, int, int, str]] = set()

    def report(self, span: Span, message: str, expected: str | None = None) -> None:
        """Record a problem at a place (once)."""
        key = (span.library, span.line, span.column, message)
        if key not in self._seen and len(self.errors) < PROBLEM_LIMIT:
            self._seen.add(key)
            self.errors.append(error_at(span, message, expected, self.texts.get(span.library)))


def broken(span: Span | None) -> Constant:
    """What stands for an expression that could not be analysed."""
    return Constant(type=UNKNOWN, span=span, value=None)


def is_known(kind: Type) -> bool:
    """Whether a type was made out whole: nothing in it stands for what could not be analysed."""
    match kind:
        case ListOf(element):
            return is_known(element)
        case IntervalOf(point):
            return is_known(point)
        case TupleOf(elements):
            return all(is_known(element) for _, element in elements)
        case ChoiceOf(alternatives):
            return all(map(is_known, alternatives))
        case _:
            return kind != UNKNOWN


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean "Encounter"?`, from the names that would have been right; None if nothing is close."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.7)
    if not close:
        folded = {candidate.casefold(): candidate for candidate in names}
        close = [folded[match] for match in get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.7)]
    return f'did you mean "{close[0]}"?' if close else None
