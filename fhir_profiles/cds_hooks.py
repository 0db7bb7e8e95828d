"""CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/): the discovery answer and the card of a child's care gaps. Pure.

One card at most. Its summary is plain text of less than 140 characters, its detail GitHub-Flavoured Markdown. Texts may
come from measures and names that others wrote, so none of them is markup here: `markdown` and `plain` see to that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_profiles.plain import clean, stable_id

SERVICE_ID = "childrens-care-gaps"
LONGEST_SUMMARY = 139  # "<140-character summary message" (Card Attributes)
TODAY_SHOWN = 6
LATER_SHOWN = 3
REASONS_SHOWN = 2
PRODUCTS_SHOWN = 4

SERVICE: Mapping[str, Any] = {
    "hook": "patient-view",
    "id": SERVICE_ID,
    "title": "Children's care gaps",
    "description": (
        "What a child is due for today by preventive care measures, CDC's immunization schedule and the visit "
        "schedule: one card with the few things to do, until when each counts, and why."
    ),
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
    "usageRequirements": (
        "The patient's record is read from what the service has pulled of this EHR, not from the request: fhirServer "
        "says which source the patient id is of. The prefetched Patient is held against that record, nothing else."
    ),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do: `text` ("DTaP, dose 3"), `when` ("overdue since May 2, 2026, last day ..."), with what, and for
    which reasons. `short`: the timing where there is room for little ("overdue since May 2, 2026"; may be empty)."""

    text: str
    when: str
    short: str = ""
    products: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardContent:
    """What the card says. `today` is not empty; `urgent`: something is overdue or its last day is near. `notices` begin
    the detail: what to know before anything is done; `notes` end it: the day it is as of, how fresh the data are, what
    could not be evaluated."""

    today: tuple[Advice, ...]
    later: tuple[Advice, ...]
    urgent: bool
    notes: tuple[str, ...]
    source: str
    source_url: str | None
    page_url: str
    notices: tuple[str, ...] = ()


def discovery() -> dict[str, Any]:
    """The answer of `GET {baseUrl}/cds-services`."""
    return {"services": [dict(SERVICE)]}


def cards(content: CardContent | None, hook_instance: str) -> dict[str, Any]:
    """The answer of a service call: one card, or none where there is nothing to do today (an empty array)."""
    if content is None:
        return {"cards": []}
    source = {"label": plain(content.source)}
    if content.source_url is not None:
        source["url"] = content.source_url
    return {
        "cards": [
            {
                "uuid": stable_id("cds-hooks.card", SERVICE_ID, hook_instance),
                "summary": summary(content.today),
                "indicator": "warning" if content.urgent else "info",
                "detail": detail(content),
                "source": source,
                "links": [{"label": "Open the child's page", "url": content.page_url, "type": "absolute"}],
            }
        ]
    }


def summary(today: Sequence[Advice]) -> str:
    """One sentence of less than 140 characters: how many, and as many of them by name as there is room for, with the
    timing where there is."""
    head = f"{len(today)} due today: "
    said: list[str] = []
    for number, one in enumerate(today):
        rest = len(today) - number - 1
        room = LONGEST_SUMMARY - len(head) - len("; ".join([*said, ""])) - len(f" and {rest} more" if rest else "")
        name = plain(one.text)
        timed = f"{name} ({plain(one.short)})" if one.short else name
        if len(timed) <= room:
            said.append(timed)
        elif len(name) <= room:
            said.append(name)
        elif not said:
            said.append(name[: room - 1].rstrip() + "…")
        else:
            break
    rest = len(today) - len(said)
    return head + "; ".join(said) + (f" and {rest} more" if rest else "")


def detail(content: CardContent) -> str:
    """The first of the list in GitHub-Flavoured Markdown: what, when, with what, and the reasons beneath."""
    lines = [line for notice in content.notices for line in (f"**{markdown(notice)}**", "")]
    lines += ["**Due today**", ""]
    for number, one in enumerate(content.today[:TODAY_SHOWN], 1):
        lines.append(f"{number}. **{markdown(one.text)}**: {markdown(one.when)}")
        if one.products:
            more = len(one.products) - PRODUCTS_SHOWN
            named = ", ".join(markdown(name) for name in one.products[:PRODUCTS_SHOWN])
            lines.append(f"   - with {named}" + (f" or {more} more" if more > 0 else ""))
        lines += [f"   - {markdown(text)}" for text in (*one.remarks, *one.reasons[:REASONS_SHOWN])]
        more = len(one.reasons) - REASONS_SHOWN
        lines += [f"   - and {more} more reason{'s' if more > 1 else ''}"] if more > 0 else []
    more = len(content.today) - TODAY_SHOWN
    lines += ["", f"And {more} more on the child's page."] if more > 0 else []
    if content.later:
        lines += ["", "**Later**", ""]
        lines += [f"- {markdown(one.text)}: {markdown(one.when)}" for one in content.later[:LATER_SHOWN]]
        more = len(content.later) - LATER_SHOWN
        lines += [f"- and {more} more"] if more > 0 else []
    lines += ["", *(f"_{markdown(note)}_  " for note in content.notes)]
    return "\n".join(lines).rstrip()


_SPACES = re.compile(r"\s+")
# What begins or ends markup in GFM wherever it stands, links that need no brackets included (www., user@host, http:).
_MARKUP = re.compile(r"[\\`*_\[\]#|~!@^$]|(?<=[wW]{3})\.|:(?=//)")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: str) -> str:
    """One line of plain text; angle brackets become quotation marks, for clients that take it for HTML."""
    return _SPACES.sub(" ", clean(text)).strip().replace("<", "‹").replace(">", "›")


def markdown(text: str) -> str:
    """Text that stands in a line of GFM as it is: nothing in it is markup, HTML or a link."""
    line = "".join(_HTML.get(letter, letter) for letter in _SPACES.sub(" ", clean(text)).strip())
    return _MARKUP.sub(lambda found: f"\\{found[0]}", line)
