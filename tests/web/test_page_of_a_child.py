"""The page of one child: what it says, what it never lets through, and how it is made up."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from web_children import LONG_NAME, MARKUP
from web_clinic import Clinic

from gapsvc.store import Store, StoreError

Bearer = Callable[..., str]
BROWSER = {"Accept": "text/html", "Authorization": "Bearer token-nurse"}
CHILDREN = ("behind", "newborn", "toddler", "teen", "dead", "undated", "nameless")
BLOCKS = {"p", "li", "dt", "dd", "td", "th", "tr", "summary", "details", "h1", "h2", "h3", "text", "div", "caption"}
VOID = {"meta", "link", "input", "br", "rect", "line", "circle", "hr", "img"}


class Outline(HTMLParser):
    """Headings with their levels, ids, elements left open, attributes, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.text += " " if tag in BLOCKS else ""
        if tag not in VOID:
            self._open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID, tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.text += " " if tag in BLOCKS else ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if any(re.fullmatch(r"h[1-6]", tag) for tag in self._open):
            level, text = self.headings[-1]
            self.headings[-1] = (level, " ".join(f"{text} {data}".split()))


def words(text: str) -> str:
    """The text of a page, with single blanks."""
    return " ".join(Outline(text).text.split())


def part(text: str, section: str) -> str:
    """The text of one section."""
    found = re.search(rf'<section id="{section}".*?</section>', text, re.DOTALL)
    assert found
    return words(found[0])


@pytest.mark.parametrize("child", CHILDREN)
def test_every_page_is_whole_and_in_order(bearer: Bearer, child: str) -> None:
    outline = Outline(bearer(f"/patients/{child}"))
    assert len(outline.ids) == len(set(outline.ids))
    assert [text for level, text in outline.headings if level == 2] == [
        "Due now",
        "Visits",
        "Immunizations",
        "Measures",
        "Data",
    ]
    levels = [level for level, _ in outline.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    targets = [value[1:] for tag, name, value in outline.attributes if (tag, name) == ("a", "href") and value[0] == "#"]
    assert set(targets) <= set(outline.ids)


@pytest.mark.parametrize("child", CHILDREN)
def test_no_page_has_what_its_policy_forbids(bearer: Bearer, child: str) -> None:
    outline = Outline(bearer(f"/patients/{child}"))
    names = {name for _, name, _ in outline.attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert not {tag for tag, _, _ in outline.attributes} & {"script", "style", "iframe", "object", "base"}


def test_what_is_due_comes_first_with_its_reasons(bearer: Bearer) -> None:
    said = part(bearer("/patients/behind"), "due")
    assert said.startswith("Due now as of Nov 22, 2026")
    assert re.search(r"\d+ things can be done today, \d+ overdue\.", said)
    assert "DTaP, dose 1 Vaccine ! Overdue since" in said
    assert "Infanrix" in said
    assert "Immunization schedule:" in said
    assert said.index("! Overdue") < said.index("● Due")
    assert "Later" in said


def test_a_dose_that_nobody_can_read_is_told_before_vaccines_are_named(bearer: Bearer) -> None:
    said = part(bearer("/patients/behind"), "due")
    assert "Look first: one recorded dose could not be judged (Penta shot, Nov 17, 2026)." in said
    assert said.index("Look first") < said.index("! Overdue")
    assert "Penta shot, Nov 17, 2026: No vaccine code" in part(bearer("/patients/behind"), "immunizations")


def test_each_dose_has_its_verdict_its_reason_and_its_source(bearer: Bearer) -> None:
    said = part(bearer("/patients/behind"), "immunizations")
    assert "2 doses, 1 not valid of HepB" in said
    assert "✓ Jun 20, 2026 at 0 days Valid" in said
    assert re.search(r"× Jun 30, 2026 at 10 days Not valid: [a-z].*?, from clinic-ehr", said)


def test_every_source_of_the_person_is_told_with_its_doses(bearer: Bearer) -> None:
    text = bearer("/patients/behind")
    assert re.search(r"✓ Sep 1, 2026 at 2 months 1 week Valid .*?, from registry", part(text, "immunizations"))
    assert "Reported twice: the same dose as Immunization/" in part(text, "immunizations")
    assert re.search(r"registry Nov 22, 2026, 18:00 UTC", part(text, "data"))


def test_an_id_of_one_source_leads_to_the_persons_page(anybody: FlaskClient) -> None:
    response = anybody.get("/patients/reg-77", headers=BROWSER)
    assert (response.status_code, response.headers["Location"]) == (303, "/patients/behind")


def test_a_resource_without_words_is_named_by_its_code(bearer: Bearer) -> None:
    assert "CVX 03 Dose, Oct 2, 2025, from clinic-ehr ✓ Counts" in part(bearer("/patients/toddler"), "measures")


def test_measures_say_where_the_child_stands_and_by_what(bearer: Bearer) -> None:
    said = part(bearer("/patients/behind"), "measures")
    assert "3 by 120" in said
    assert "Counts in this rate (denominator), and not as met (not in the numerator)" in said
    assert "Well child visit Visit, Jun 24, 2026, from clinic-ehr ✓ Counts" in said
    assert "Sick visit Visit, Sep 1, 2026, from clinic-ehr – Does not Not a well-child visit" in said
    assert "Not about this child in this period:" in said


def test_the_visits_are_drawn_and_said(bearer: Bearer) -> None:
    text = bearer("/patients/behind")
    said = part(text, "visits")
    assert "3 to 5 days, Jun" in said
    assert "✓ Done Jun 24, 2026" in said
    assert "× Missed closed" in said
    assert text.count('<svg aria-hidden="true"') >= 5
    assert 'class="dot"' in text
    assert 'class="today"' in text


def test_the_page_says_what_it_rests_on(bearer: Bearer) -> None:
    said = part(bearer("/patients/behind"), "data")
    assert "clinic-ehr Nov 22, 2026, 18:00 UTC" in said
    assert "Measure three-by-120" in said
    assert "Immunization schedule CDC, version" in said
    assert "Visit schedule" in said


def test_what_a_record_holds_stays_text(bearer: Bearer) -> None:
    text = bearer("/patients/teen")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; “Zoë”" in text
    assert Outline(text).headings[0] == (1, f"{MARKUP} {LONG_NAME}")


def test_a_child_who_has_died_is_asked_for_nothing(bearer: Bearer) -> None:
    text = bearer("/patients/dead")
    said = words(text)
    assert "Died on Feb 18, 2026. Nothing is to be done." in said
    assert "Nothing is due today." in said
    assert "15 months · female" in said
    for word in ("Overdue", "Due now by", "Missed", "The next change"):
        assert word not in said
    assert "– Excluded" in said
    assert "deceased" in said


@pytest.mark.parametrize(("child", "born"), [("undated", "2026-08"), ("nameless", "not recorded")])
def test_without_a_whole_birth_date_schedules_say_so(bearer: Bearer, child: str, born: str) -> None:
    text = bearer(f"/patients/{child}")
    sentence = f"The schedule needs a whole birth date that is not in the future. The record says: {born}."
    assert sentence in part(text, "visits")
    assert sentence in part(text, "immunizations")
    due = part(text, "due")
    assert "what is due can't be told. Complete it in the record." in due
    assert "What is due can’t be told." in due
    assert "Nothing is due" not in due


def test_influenza_of_a_season_without_data_is_never_called_complete(bearer: Bearer) -> None:
    """CDC's 4.64 ends with the season of June 2026; the day is in November 2026."""
    text = bearer("/patients/teen")
    said = "ends with an earlier season: check this season's recommendation"
    assert "Influenza, this season" in part(text, "due")
    assert said in part(text, "due")
    assert said in part(text, "immunizations")


def test_what_may_be_confidential_is_marked(bearer: Bearer) -> None:
    text = bearer("/patients/teen")
    item = re.search(r'<li class="todo (?:due|overdue) private">.*?</li>', text, re.DOTALL)
    assert item is not None
    assert "Depression and suicide risk screening" in item[0]
    assert "Confidential: speak of it with the patient alone" in item[0]
    assert '<tr class="private"><th scope="row">Depression and suicide risk screening' in text
    assert "Confidential services are left out on paper." in text
    toddler = bearer("/patients/toddler")
    assert 'private"' not in toddler
    assert "Confidential" not in toddler


def test_the_title_names_nobody(bearer: Bearer) -> None:
    """Titles stay in the history of a shared computer's browser."""
    text = bearer("/patients/behind")
    assert "<title>Due now for one child · Children’s care gaps</title>" in text


def test_the_page_is_kept_by_nobody_and_framed_by_nobody(anybody: FlaskClient) -> None:
    headers = anybody.get("/patients/behind", headers=BROWSER).headers
    said = {
        name: headers[name]
        for name in (
            "Cache-Control",
            "Content-Security-Policy",
            "Content-Type",
            "Referrer-Policy",
            "X-Content-Type-Options",
            "X-Frame-Options",
        )
    }
    assert said == {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Content-Type": "text/html; charset=utf-8",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


@pytest.mark.parametrize(
    "address", ["/patients/nobody", "/patients/a%20b", "/nothing", "/patients", "/patients/" + "x" * 65]
)
def test_what_is_not_there_is_a_page_too(anybody: FlaskClient, address: str) -> None:
    response = anybody.get(address, headers=BROWSER)
    assert (response.status_code, response.content_type) == (404, "text/html; charset=utf-8")
    assert "There is nothing here" in response.text
    assert "Content-Security-Policy" in response.headers
    program = anybody.get(address, headers={"Authorization": BROWSER["Authorization"]})
    assert (program.status_code, program.get_json()["resourceType"]) == (404, "OperationOutcome")


def test_a_failure_shows_nothing_of_the_inside(
    anybody: FlaskClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("Emiliano Peña")

    monkeypatch.setattr("gapsvc.web.pages.child_page", fail)
    response = anybody.get("/patients/behind", headers=BROWSER)
    assert response.status_code == 500
    assert "Something went wrong here" in response.text
    assert response.headers["X-Request-Id"] in response.text
    assert "KeyError" not in response.text
    assert "Emiliano" not in response.text + capsys.readouterr().err


def test_when_the_records_can_not_be_reached_the_page_says_when_to_try_again(
    anybody: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("postgresql+psycopg://gapsvc:secret@db/records: refused")

    monkeypatch.setattr(Store, "record_of_patient", fail)
    response = anybody.get("/patients/behind", headers=BROWSER)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "The records can’t be reached now" in response.text
    assert "secret" not in response.text


def test_an_address_that_does_not_answer_to_a_method_says_so(anybody: FlaskClient) -> None:
    response = anybody.post("/patients/behind", headers=BROWSER)
    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert "This address does not answer to that" in response.text


def test_a_measure_that_fails_is_named_and_the_rest_stays(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gapsvc.evaluation.evaluator import PreparedEvaluation

    evaluate = PreparedEvaluation.evaluate

    def fail(self: PreparedEvaluation, *args: object) -> object:
        if self.measure.id == "w30":
            raise ValueError("Emiliano Peña")
        return evaluate(self, *args)

    monkeypatch.setattr(PreparedEvaluation, "evaluate", fail)
    response = clinic.client().get("/patients/behind", headers=BROWSER)
    assert response.status_code == 200
    assert "The measure w30 could not be evaluated on this record." in words(response.text)
    assert "3 by 120" in response.text
    logged = capsys.readouterr().err
    assert '"measure": "w30"' in logged
    assert "Emiliano" not in logged


def test_the_style_sheet_is_kept_under_the_address_of_its_content(anybody: FlaskClient) -> None:
    text = anybody.get("/sign-in").text
    (address,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text)
    style = anybody.get(address)
    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert style.headers["Cache-Control"] == "public, max-age=86400, immutable"
    assert anybody.get("/style.css").headers["Cache-Control"] == "no-cache"
    again = anybody.get("/style.css", headers={"If-None-Match": style.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
