"""String operators (CQL Appendix B §String operators).

Regular expressions are Python's, matched against the whole string. Before one runs, the worst number of steps its
repeats can take on the given input is estimated, and refused beyond the limit: Python's matcher can't be stopped.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from cql_like.runtime.context import EvaluationContext
from cql_like.runtime.errors import CqlRuntimeError, LimitExceeded


def concatenate(left: str, right: str, *, context: EvaluationContext) -> str:
    """`left + right`."""
    _limit(len(left) + len(right), context)
    return left + right


def _limit(size: int, context: EvaluationContext) -> None:
    if size > context.limits.string:
        raise LimitExceeded(f"a string of more than {context.limits.string} characters; see the limit `string`")


def combine(
    parts: Sequence[str | None] | None, separator: str | None = "", *, context: EvaluationContext
) -> str | None:
    """The strings joined; nulls are left out; null if nothing is left."""
    if parts is None or separator is None:
        return None
    known = [part for part in parts if part is not None]
    _limit(sum(map(len, known)) + len(separator) * len(known), context)
    return separator.join(known) if known else None


def length(text: str) -> int:
    """Characters."""
    return len(text)


def upper(text: str) -> str:
    """All upper case, without regard to any locale."""
    return text.upper()


def lower(text: str) -> str:
    """All lower case, without regard to any locale."""
    return text.lower()


def indexer(text: str, index: int) -> str | None:
    """The character at an index from 0; null outside."""
    return text[index] if 0 <= index < len(text) else None


def substring(text: str | None, start: int | None, size: int | None = None) -> str | None:
    """From `start`, `size` characters at most (null: to the end); null if it starts outside the string."""
    if text is None or start is None or not 0 <= start <= len(text):
        return None
    return text[start:] if size is None else text[start : start + max(0, size)]


def position_of(pattern: str, text: str) -> int:
    """The index of the first occurrence, -1 if there is none."""
    return text.find(pattern)


def last_position_of(pattern: str, text: str) -> int:
    """The index of the last occurrence, -1 if there is none."""
    return text.rfind(pattern)


def starts_with(text: str, prefix: str) -> bool:
    """Whether `text` begins with `prefix`."""
    return text.startswith(prefix)


def ends_with(text: str, suffix: str) -> bool:
    """Whether `text` ends with `suffix`."""
    return text.endswith(suffix)


def split(text: str | None, separator: str | None) -> list[str] | None:
    """The parts between separators; the whole string where there is no separator."""
    if text is None:
        return None
    return text.split(separator) if separator else [text]


def to_chars(text: str) -> list[str]:
    """The characters."""
    return list(text)


# --- regular expressions ---------------------------------------------------------------------------------------

_STEPS = 100_000_000
_CHOICES = 16  # optional parts and alternatives, each of which may double the steps
_GROUP_KIND = re.compile(r"\(\?(?:[:=!>]|<[=!]|P?<\w+>)")
_ESCAPED_OR_SET = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\d*\}")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{\d*,?\d*\})")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> tuple[re.Pattern[str], int, bool]:
    """The pattern, how many unbounded repeats it has, and whether its steps may double with every character."""
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise CqlRuntimeError(f"{pattern!r} is not a regular expression: {error}") from None
    skeleton = _GROUP_KIND.sub("(", _ESCAPED_OR_SET.sub("x", pattern))
    repeats = len(_UNBOUNDED.findall(skeleton))
    groups = len(_REPEATED_GROUP.findall(skeleton))
    choices = skeleton.count("?") + skeleton.count("|")
    nested = choices > _CHOICES or (groups > 0 and (repeats > groups or groups > 1 or choices > 0))
    return compiled, repeats, nested


def _regex(pattern: str, text: str, context: EvaluationContext) -> re.Pattern[str]:
    limits = context.limits
    if len(pattern) > limits.regex_pattern:
        raise LimitExceeded(f"a regular expression of more than {limits.regex_pattern} characters")
    compiled, repeats, nested = _compiled(pattern)
    allowed = limits.regex_input
    if nested:
        allowed = min(allowed, limits.regex_nested_input)
    elif repeats > 1:
        allowed = min(allowed, int((_STEPS * math.factorial(min(repeats, 20))) ** (1 / min(repeats, 20))))
    if len(text) > allowed:
        raise LimitExceeded(
            f"the regular expression {pattern!r} could run away on a string of {len(text)} characters; "
            f"at most {allowed} for its kind"
        )
    return compiled


def matches(text: str, pattern: str, *, context: EvaluationContext) -> bool:
    """Whether the whole string matches a regular expression."""
    return _regex(pattern, text, context).fullmatch(text) is not None


_SUBSTITUTION = re.compile(r"\\(.)|\$(\d+)|\$\{(\w+)\}", re.DOTALL)


def replace_matches(text: str, pattern: str, substitution: str, *, context: EvaluationContext) -> str:
    """Every match replaced; `$1` stands for a group, `\\$` for a dollar."""
    compiled = _regex(pattern, text, context)
    made = len(text)

    def put(match: re.Match[str]) -> str:
        nonlocal made

        def part(reference: re.Match[str]) -> str:
            literal, number, name = reference.groups()
            if literal is not None:
                return str(literal)
            try:
                return match[int(number)] if number else match[name]
            except (IndexError, TypeError):
                raise CqlRuntimeError(f"the substitution names a group that {pattern!r} has not") from None

        replaced = _SUBSTITUTION.sub(lambda reference: part(reference) or "", substitution)
        made += len(replaced)
        _limit(made, context)
        return replaced

    return compiled.sub(put, text)


def split_on_matches(text: str | None, pattern: str | None, *, context: EvaluationContext) -> list[str] | None:
    """The parts between matches of a regular expression."""
    if text is None:
        return None
    if pattern is None:
        return [text]
    parts: list[str] = []
    position = 0
    for match in _regex(pattern, text, context).finditer(text):
        if match.end() > match.start():
            parts.append(text[position : match.start()])
            position = match.end()
    return [*parts, text[position:]]
