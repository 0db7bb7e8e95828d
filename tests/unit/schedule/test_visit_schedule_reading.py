"""The visit schedule's data file: what is shipped holds what it should, and a wrong file is told whole."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from gapsvc.measures.valuesets import read_value_sets
from gapsvc.schedule.visits import NoSuchVisitSchedule, VisitScheduleError, installed, load, read_schedule
from gapsvc.schedule.visits.installed import SHIPPED

ROOT = Path(__file__).parents[3]
TEXT = (SHIPPED / "2024-06.toml").read_text("utf-8")

SMALL = """
name = "Small"
version = "1"
effective = 2026-01-01
windows = "ours"
notice = "7 days"

[sources]
ours = "made up"

[[slot]]
id = "first"
title = "First"
opens = "0 days"
target = "3 days"
overdue_after = "1 month"
source = "ours"

[[slot]]
id = "second"
title = "Second"
opens = "6 weeks"
target = "2 months"
overdue_after = "3 months"
closes = "6 months"
source = "ours"

[[item]]
id = "test"
title = "Test"
shown_by = "Lead Tests"
value_sets = ["lead-test"]
order = { system = "http://loinc.org", code = "77307-7" }
visits = ["first..second"]
source = "ours"

[[overlay]]
id = "plan"
title = "Plan"
source = "ours"

[[overlay.item]]
id = "test"
visits = ["second"]
"""


def test_the_shipped_schedule_has_the_visits_of_the_chart() -> None:
    schedule = load()
    assert (schedule.version, schedule.effective, schedule.notice) == ("2024-06", date(2024, 6, 1), 14)
    assert schedule.label == "Bright Futures/AAP periodicity 2024-06, windows gapsvc 2026-11"
    assert load(overlay="medi-cal").label == f"{schedule.label}, Medi-Cal"
    months = [f"{age}-months" for age in (2, 4, 6, 9, 12, 15, 18, 24, 30)]
    years = [f"{age}-years" for age in range(3, 22)]
    assert [slot.id for slot in schedule.slots] == ["newborn", "3-to-5-days", "1-month", *months, *years]
    assert [slot.id for slot in schedule.slots if slot.in_hospital] == ["newborn"]


def test_every_row_of_the_shipped_schedule_says_its_source_and_its_value_sets_exist() -> None:
    schedule = load(overlay="medi-cal")
    ours = {one["id"] for one in read_value_sets(ROOT / "gapsvc" / "measures" / "valuesets")}
    for item in schedule.items:
        assert item.source in schedule.sources
        assert item.value_sets and set(item.value_sets) <= ours, item.id
        assert re.fullmatch(r"https?://\S+", item.order[0])
    assert all(slot.source in schedule.sources for slot in schedule.slots)


def test_the_measures_that_reckon_with_slots_name_this_version() -> None:
    for folder in ("three_by_120", "w30"):
        measure = tomllib.loads((ROOT / "gapsvc" / "measures" / folder / "measure.toml").read_text("utf-8"))
        assert measure["schedule"] == load().label


def test_a_slot_closes_when_the_next_one_opens_and_an_item_can_be_made_up_for_until_then() -> None:
    schedule = read_schedule(SMALL, "small.toml")
    birth = date(2026, 3, 31)
    first, second = schedule.slots
    assert (first.closes.after(birth), second.closes.after(birth)) == (date(2026, 5, 11), date(2026, 9, 30))
    (item,) = schedule.items
    assert [(one.id, one.last_day.after(birth)) for one in item.universal] == [
        ("test.first", date(2026, 5, 11)),
        ("test.second", date(2026, 9, 30)),
    ]


def test_an_overlay_says_an_item_anew() -> None:
    (item,) = read_schedule(SMALL, "small.toml", "plan").items
    assert [one.id for one in item.universal] == ["test.second"]
    assert read_schedule(SMALL, "small.toml", "plan").overlay == "Plan"


WRONG = {
    "not TOML": (SMALL + "\n[", ["small.toml: "]),
    "a missing key": (
        SMALL.replace('windows = "ours"\n', ""),
        ["small.toml, windows: missing; expected text"],
    ),
    "an unknown key": (
        SMALL.replace("overdue_after", "overdue_afer", 1),
        [
            "small.toml: slot 1 (first), overdue_after: missing; expected an age such as '6 weeks'",
            "small.toml: slot 1 (first), overdue_afer: unknown key; did you mean 'overdue_after'?",
        ],
    ),
    "no age": (
        SMALL.replace('"6 weeks"', '"6 wekks"'),
        ["small.toml: slot 2 (second), opens: '6 wekks' is no age; expected one such as '3 months + 15 days'"],
    ),
    "another kind of value": (
        SMALL.replace("2026-01-01", '"soon"').replace('notice = "7 days"', "notice = 7"),
        [
            "small.toml, effective: 'soon' is not a day such as 2024-06-01",
            "small.toml, notice: 7 is not an age such as '6 weeks'",
        ],
    ),
    "notice in months": (
        SMALL.replace('notice = "7 days"', 'notice = "1 month"'),
        ["small.toml, notice: '1 month' must be in days or weeks"],
    ),
    "an unknown source": (
        SMALL.replace('source = "ours"', 'source = "theirs"', 1),
        ["small.toml: slot 1 (first), source: there is no 'theirs' among [sources] (ours)"],
    ),
    "an unknown slot": (
        SMALL.replace("first..second", "first..third"),
        ["small.toml: item 1 (test), visits: there is no slot 'third'; there are first, second"],
    ),
    "never wanted": (
        SMALL.replace('visits = ["first..second"]\n', ""),
        [
            "small.toml: item 1 (test), visits: missing: say when it is wanted "
            "(visits, once, each_year, repeat, risk_visits)"
        ],
    ),
    "slots out of order": (
        SMALL.replace('opens = "6 weeks"', 'opens = "4 months"'),
        ["small.toml: slot second, target: '2 months' is before opens ('4 months')"],
    ),
    "two slots of one id": (
        SMALL.replace('id = "second"', 'id = "first"')
        .replace("first..second", "first")
        .replace('["second"]', '["first"]'),
        ["small.toml, slot: two slots have the id 'first'"],
    ),
    "an overlay of nothing": (
        SMALL.replace('[[overlay.item]]\nid = "test"', '[[overlay.item]]\nid = "toast"'),
        ["small.toml: overlay 1 (plan): item 1 (toast), id: there is no item 'toast'; there are test"],
    ),
    "times that overlap": (
        SMALL.replace(
            'visits = ["first..second"]',
            'once = [{ at = "a", from = "0 days", to = "1 year", until = "2 years" }, '
            '{ at = "b", from = "1 year", to = "3 years" }]',
        ),
        ["small.toml: item test, at b: is due from '1 year', before the time for a is over ('2 years')"],
    ),
    "two errors at once": (
        SMALL.replace('title = "First"\n', "").replace('code = "77307-7"', "code = 77307"),
        [
            "small.toml: slot 1 (first), title: missing; expected text",
            "small.toml: item 1 (test), order, code: 77307 is not text",
        ],
    ),
}


@pytest.mark.parametrize(("text", "problems"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_told_whole(text: str, problems: list[str]) -> None:
    with pytest.raises(VisitScheduleError) as error:
        read_schedule(text, "small.toml")
    told = error.value.problems
    if problems == ["small.toml: "]:
        assert len(told) == 1 and told[0].startswith(problems[0])
    else:
        assert list(told) == problems
    assert str(error.value) == "\n".join(told)


def test_an_overlay_that_is_not_there_is_told() -> None:
    with pytest.raises(VisitScheduleError, match=r"there is none with the id 'ohio' \(there are: plan\)"):
        read_schedule(SMALL, "small.toml", "ohio")


@pytest.mark.parametrize("line", range(0, TEXT.count("\n"), 13))
def test_a_line_left_out_of_the_shipped_file_never_ends_in_anything_but_words(line: int) -> None:
    lines = TEXT.splitlines()
    del lines[line]
    try:
        read_schedule("\n".join(lines), "cut.toml", "medi-cal")
    except VisitScheduleError as error:
        assert all(problem.startswith("cut.toml") for problem in error.problems)


# ---- installed versions


def write(folder: Path, version: str, effective: str) -> None:
    text = SMALL.replace('version = "1"', f'version = "{version}"').replace("2026-01-01", effective)
    (folder / f"{version}.toml").write_text(text, encoding="utf-8")


def test_latest_is_the_version_that_is_in_force_last(tmp_path: Path) -> None:
    write(tmp_path, "2026-02", "2026-02-01")
    write(tmp_path, "2019", "2019-01-01")
    assert [one.version for one in installed(tmp_path)] == ["2019", "2024-06", "2026-02"]
    assert load(folder=tmp_path).version == "2026-02"
    assert load("2024-06", tmp_path).version == "2024-06"


def test_one_s_own_file_goes_before_the_shipped_one_of_its_version(tmp_path: Path) -> None:
    write(tmp_path, "2024-06", "2024-06-01")
    assert load("2024-06", tmp_path).name == "Small"


def test_any_file_can_be_named_by_its_path(tmp_path: Path) -> None:
    write(tmp_path, "mine", "2026-02-01")
    assert load(str(tmp_path / "mine.toml"), overlay="plan").overlay == "Plan"
    with pytest.raises(NoSuchVisitSchedule, match=r"there is no file .*other\.toml"):
        load(str(tmp_path / "other.toml"))


def test_what_is_not_installed_is_refused_with_what_is(tmp_path: Path) -> None:
    write(tmp_path, "2026-02", "2026-02-01")
    with pytest.raises(
        NoSuchVisitSchedule, match=r"visit schedule 2031 is not installed \(installed: 2024-06, 2026-02\)"
    ):
        load("2031", tmp_path)


def test_a_file_must_be_called_by_its_version_and_be_readable(tmp_path: Path) -> None:
    (tmp_path / "2027.toml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(VisitScheduleError, match=r"version: '1' must be the file's name, '2027'"):
        load("2027", tmp_path)
    (tmp_path / "broken.toml").write_bytes(b"\xff\xfe")
    assert next(one.version for one in installed(tmp_path)) == "broken"  # never the latest
    with pytest.raises(VisitScheduleError, match="can't be read"):
        load("broken", tmp_path)
