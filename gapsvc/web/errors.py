"""Errors for people: a page that says what happened and what to do, and nothing of the inside.

Programs, and whoever asks for an address of the API, get an OperationOutcome (gapsvc.api.answers).
"""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from flask import Response, request

from fhir_profiles.outcome import OutcomeIssue
from gapsvc.web.html import page, see_other, wants_html

# status -> what happened, what to do
WORDS: Final = {
    400: ("This request can’t be read", "Go back and try again, or find the child anew."),
    401: ("This token is not known", "Sign in with a token that your administrator gave you."),
    403: ("Your token does not open this page", "Ask your administrator for a token with the scopes named below."),
    404: ("There is nothing here", "The address may be mistyped, or the child's record was merged or taken out."),
    405: ("This address does not answer to that", "Find the child anew."),
    429: ("Too many wrong tokens", "Wait a minute, then try again."),
    503: ("The records can’t be reached now", "Try again in a few seconds."),
}
OTHERWISE: Final = ("Something went wrong here", "Try again. If it stays, give your administrator the number below.")


def error_page(status: int, issues: Sequence[OutcomeIssue], headers: Iterable[tuple[str, str]] = ()) -> Response | None:
    """The error as a page, or the way to the sign-in; None where no person asked for a page of ours."""
    if not _asked_by_a_person():
        return None
    if status == 401 and "Authorization" not in request.headers:
        return see_other(sign_in_for(request.path if request.method == "GET" else "/"))
    title, advice = WORDS.get(status, OTHERWISE)
    # Only what a token lacks is told in the API's own words: they name scopes, which the reader has to ask for.
    details = [issue.diagnostics for issue in issues if status == 403 and issue.diagnostics]
    return page("error.html", status, headers=headers, title=title, advice=advice, details=details)


def sign_in_for(local: str) -> str:
    """The address of the sign-in that leads on to `local`."""
    return "/sign-in" if local == "/" else f"/sign-in?next={quote(local, safe='/')}"


def _asked_by_a_person() -> bool:
    if request.blueprint not in (None, "pages"):
        return False
    if request.blueprint is None and request.path.split("/")[1:2] == ["fhir"]:
        return False
    return wants_html()
