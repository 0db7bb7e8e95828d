"""FHIR R4 OperationOutcome: what went wrong, where, and what to do, for a reader.

Source: FHIR R4 OperationOutcome, value sets issue-severity and issue-type (both required bindings).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_profiles.plain import Resource, bullets, clean, narrative

SEVERITIES: Final = frozenset({"fatal", "error", "warning", "information"})

# FHIR R4 CodeSystem issue-type
ISSUE_TYPES: Final = frozenset(
    {
        "invalid", "structure", "required", "value", "invariant",
        "security", "login", "unknown", "expired", "forbidden", "suppressed",
        "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
        "code-invalid", "extension", "too-costly", "business-rule", "conflict",
        "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
        "informational",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutcomeIssue:
    """One issue. `expression` holds FHIRPath of the elements at fault (`Parameters.parameter[2]`) or, for a
    request, the names of its parameters (`periodStart`); `details` is the sentence for a person, `diagnostics`
    what a developer needs. Raises ValueError for a severity or code outside FHIR's value sets.
    """

    severity: str
    code: str
    diagnostics: str | None = None
    expression: Sequence[str] = ()
    details: str | None = None

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"issue severity {self.severity!r} is none of {', '.join(sorted(SEVERITIES))}")
        if self.code not in ISSUE_TYPES:
            raise ValueError(f"issue code {self.code!r} is not in FHIR R4's issue-type")


def operation_outcome(issues: Iterable[OutcomeIssue]) -> Resource:
    """An OperationOutcome of the given issues. Raises ValueError when there are none (FHIR: issue 1..*)."""
    built = [_issue(issue) for issue in issues]
    if not built:
        raise ValueError("an OperationOutcome needs at least one issue; say what was done with severity information")
    said = [issue.get("details", {}).get("text") or issue.get("diagnostics") or issue["code"] for issue in built]
    return {"resourceType": "OperationOutcome", "text": narrative(bullets(said)), "issue": built}


def _issue(issue: OutcomeIssue) -> Resource:
    found: Resource = {"severity": issue.severity, "code": issue.code}
    if issue.details:
        found["details"] = {"text": clean(issue.details)}
    if issue.diagnostics:
        found["diagnostics"] = clean(issue.diagnostics)
    if issue.expression:
        found["expression"] = [clean(each) for each in issue.expression]
    return found
