# pyright: strict
"""What an OperationOutcome says, in words that hold no patient data.

Only codes are used: severity, IssueType, and the vendor's own code where its meaning is known. The free text
(diagnostics, details.text, display) may name patients or echo parameters, so it goes nowhere but the quarantine.
Source: FHIR R4 OperationOutcome.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from adapters.base import JsonObject

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,39}\Z", re.ASCII)
_ISSUE_TYPE = re.compile(r"[a-z][a-z\-]{0,39}\Z", re.ASCII)


def issues_of(outcome: JsonObject) -> Iterator[JsonObject]:
    """The issues that are objects."""
    found: Any = outcome.get("issue")
    for issue in cast(list[Any], found) if isinstance(found, list) else []:
        if isinstance(issue, dict):
            yield cast(JsonObject, issue)


def codes_of(outcome: JsonObject) -> tuple[str, ...]:
    """The vendor's codes (issue.details.coding.code) in order, each once."""
    return tuple(dict.fromkeys(code for issue in issues_of(outcome) for code in _codes(issue)))


def is_error(outcome: JsonObject) -> bool:
    """Whether any issue is an error or fatal; an outcome without issues is not."""
    return any(issue.get("severity") in ("error", "fatal") for issue in issues_of(outcome))


def worded(outcome: JsonObject, meanings: Mapping[str, str]) -> str:
    """The issues in words: `warning 4117: immunizations without a CVX code`, joined with `; `, each once."""
    return "; ".join(dict.fromkeys(_worded(issue, meanings) for issue in issues_of(outcome)))


def _worded(issue: JsonObject, meanings: Mapping[str, str]) -> str:
    severity: Any = issue.get("severity")
    kind: Any = issue.get("code")
    words = [severity if severity in ("fatal", "error", "warning", "information") else "issue"]
    codes = list(_codes(issue))
    words.extend(codes or ([kind] if isinstance(kind, str) and _ISSUE_TYPE.match(kind) else []))
    meaning = [meanings[code] for code in codes if code in meanings]
    return " ".join(words) + (": " + ", ".join(meaning) if meaning else "")


def _codes(issue: JsonObject) -> Iterator[str]:
    details: Any = issue.get("details")
    codings: Any = cast(JsonObject, details).get("coding") if isinstance(details, dict) else None
    for coding in cast(list[Any], codings) if isinstance(codings, list) else []:
        code: Any = cast(JsonObject, coding).get("code") if isinstance(coding, dict) else None
        if isinstance(code, str) and _CODE.match(code):
            yield code
