"""The CDS Hooks builders: summary, detail, and text of others that must not become markup."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.cds_hooks import LONGEST_SUMMARY, Advice, CardContent, cards, detail, discovery, markdown, summary

DTAP = Advice(
    "DTaP, dose 3",
    "overdue since May 2, 2026, last day Mar 2, 2027",
    short="overdue since May 2, 2026",
    products=("Infanrix", "Daptacel", "Pediarix", "Pentacel", "Vaxelis"),
    reasons=(
        "CDC's immunization schedule 4.64: overdue since May 2, 2026",
        "counts for CIS",
        "and for this",
        "and that",
    ),
    remarks=("dose of Apr 1, 2026 does not count (given too young)",),
)
VISIT = Advice("Well-child visit, 6 months", "due now, by Jul 1, 2026", reasons=("chart: visit at 6 months",))
LATER = Advice("MMR, dose 1", "due from Nov 1, 2026")
CONTENT = CardContent(
    today=(DTAP, VISIT),
    later=(LATER, LATER, LATER, LATER),
    urgent=True,
    notes=("As of Jun 1, 2026.",),
    source="Bay Clinics",
    source_url=None,
    page_url="https://gaps.example/patients/child-1",
)
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


def test_discovery_describes_the_one_service() -> None:
    (service,) = discovery()["services"]
    assert (service["hook"], service["id"]) == ("patient-view", "childrens-care-gaps")
    assert service["prefetch"] == {"patient": "Patient/{{context.patientId}}"}
    assert service["title"] and service["description"]


def test_a_card_has_what_the_specification_asks_for() -> None:
    (card,) = cards(CONTENT, INSTANCE)["cards"]
    assert card == {
        "uuid": card["uuid"],
        "summary": "2 due today: DTaP, dose 3 (overdue since May 2, 2026); Well-child visit, 6 months",
        "indicator": "warning",
        "detail": detail(CONTENT),
        "source": {"label": "Bay Clinics"},
        "links": [
            {"label": "Open the child's page", "url": "https://gaps.example/patients/child-1", "type": "absolute"}
        ],
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", card["uuid"])


def test_the_same_call_gives_the_same_card_and_another_call_another() -> None:
    def name(instance: str) -> str:
        return cards(CONTENT, instance)["cards"][0]["uuid"]

    assert name(INSTANCE) == name(INSTANCE)
    assert name(INSTANCE) != name(INSTANCE.replace("d", "e"))


def test_no_card_where_nothing_is_due() -> None:
    assert cards(None, INSTANCE) == {"cards": []}


def test_the_detail_is_the_list_with_reasons() -> None:
    assert detail(CONTENT).splitlines() == [
        "**Due today**",
        "",
        "1. **DTaP, dose 3**: overdue since May 2, 2026, last day Mar 2, 2027",
        "   - with Infanrix, Daptacel, Pediarix, Pentacel or 1 more",
        "   - dose of Apr 1, 2026 does not count (given too young)",
        "   - CDC's immunization schedule 4.64: overdue since May 2, 2026",
        "   - counts for CIS",
        "   - and 2 more reasons",
        "2. **Well-child visit, 6 months**: due now, by Jul 1, 2026",
        "   - chart: visit at 6 months",
        "",
        "**Later**",
        "",
        "- MMR, dose 1: due from Nov 1, 2026",
        "- MMR, dose 1: due from Nov 1, 2026",
        "- MMR, dose 1: due from Nov 1, 2026",
        "- and 1 more",
        "",
        "_As of Jun 1, 2026._",
    ]


def test_a_card_shows_a_few_and_says_how_many_more_there_are() -> None:
    shown = detail(replace(CONTENT, today=(VISIT,) * 8, later=())).splitlines()
    assert [line for line in shown if line[:2] in ("6.", "7.", "8.")] == [
        "6. **Well-child visit, 6 months**: due now, by Jul 1, 2026"
    ]
    assert "And 2 more on the child's page." in shown


@given(
    st.lists(st.builds(Advice, text=st.text(max_size=200), when=st.just(""), short=st.text(max_size=60)), min_size=1)
)
def test_a_summary_is_one_line_of_less_than_140_characters(today: list[Advice]) -> None:
    said = summary(today)
    assert said.startswith(f"{len(today)} due today: ")
    assert len(said) <= LONGEST_SUMMARY
    assert not set("<>\n\r\t\x00") & set(said)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("[click](javascript:alert(1))", "\\[click\\](javascript:alert(1))"),
        ("![x](https://evil.example/p.png)", "\\!\\[x\\](https\\://evil.example/p.png)"),
        ("see www.evil.example", "see www\\.evil.example"),
        ("a@b.example", "a\\@b.example"),
        ("**bold** _it_ `code` ~~x~~ | # h", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\~\\~x\\~\\~ \\| \\# h"),
        ("one\n\n# two\r\n- three", "one \\# two - three"),
        ("&amp; \\*", "&amp;amp; \\\\\\*"),
        ("DTaP, dose 3: due (now)", "DTaP, dose 3: due (now)"),
    ],
)
def test_what_others_wrote_is_no_markup(text: str, shown: str) -> None:
    assert markdown(text) == shown


@given(st.text())
def test_nothing_that_is_written_makes_a_tag_or_a_line(text: str) -> None:
    said = markdown(text)
    assert "<" not in said and ">" not in said and "\n" not in said and "\r" not in said
    assert not re.search(r"(?<!\\)(\\\\)*[*_`\[\]]", said)


def test_what_must_be_known_first_begins_the_detail() -> None:
    told = cards(replace(CONTENT, notices=("In hospice care by this record: *ask*.",)), INSTANCE)["cards"][0]["detail"]
    assert told.startswith("**In hospice care by this record: \\*ask\\*.**\n\n**Due today**\n")
