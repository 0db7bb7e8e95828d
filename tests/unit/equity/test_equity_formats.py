"""The report for other programs, JSON and CSV, and as a chart: stable, safe to open, and told without seeing it."""

import csv
import io
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from equity_examples import ASIAN, BLACK, LAST_YEAR, WHITE, rollup

from gapsvc.equity import chart
from gapsvc.equity.configuration import Benchmark, EquityGoal
from gapsvc.equity.report import Asked, EquityReport, report
from gapsvc.equity.tables import COLUMNS, as_csv, as_json
from gapsvc.evaluation.disparity import Goal
from gapsvc.evaluation.rollup import Category

HALF = EquityGoal(
    Goal("half", "Half by 2027", Fraction(1, 2), date(2027, 12, 31)),
    ("w30",), (), "race", frozenset({BLACK.code}), None, None, "test", "certain",
)  # fmt: skip
MPL = Benchmark("MPL", "w30", "first-15-months", 2024, 2025, Fraction("0.6038"), "DHCS", "checked")
ASKED = Asked(reference="white", goals=(HALF,), benchmarks=(MPL,), suppress_below=None, population="clinic")


def example(asked: Asked = ASKED) -> EquityReport:
    """Black children went from 40% to 60%, White children stayed at 80%; of Asian children nobody has a result."""
    now = rollup({BLACK: (60, 100), WHITE: (80, 100), ASIAN: (0, 0)})
    before = rollup({BLACK: (40, 100), WHITE: (80, 100)}, period=LAST_YEAR, as_of=date(2026, 1, 1))
    return report(now, asked, before)


# ---- JSON


def test_the_whole_report_as_json() -> None:
    said = as_json(example())
    assert {key: value for key, value in said.items() if key != "rates"} == {
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "as_of": "2026-11-22",
        "baseline": {"start": "2025-01-01", "end": "2025-12-31"},
        "population": "clinic",
        "confidence": 0.95,
        "suppress_below": None,
        "notice": "internal: not for publication; small counts are shown",
        "notes": ["population: clinic"],
    }
    rate = said["rates"][0]
    assert {key: value for key, value in rate.items() if key not in ("overall", "groups")} == {
        "measure": "w30",
        "rate": "first-15-months",
        "title": "Six or more visits",
        "dimension": "race",
        "basis": "final",
        "baseline_basis": "final",
        "reference": "White",
        "benchmarks": [
            {
                "name": "MPL",
                "level": 0.6038,
                "measurement_year": 2024,
                "reporting_year": 2025,
                "source": "DHCS",
                "certainty": "checked",
            }
        ],
        "notes": [],
    }
    black, white = rate["groups"]
    words = black.pop("words")
    assert words.startswith("Black or African American: 60.0% (50.2 to 69.1) of 100; 20.0 points below White")
    assert black == {
        "code": "2054-5",
        "text": "Black or African American",
        "source": "direct",
        "status": "shown",
        "is_reference": False,
        "numerator": 60,
        "denominator": 100,
        "share": 0.6,
        "share_interval": [0.502003, 0.690599],
        "gap": {
            "points": 20.0,
            "points_interval": [7.3119, 31.8505],
            "relative": 0.25,
            "relative_interval": [0.098882, 0.382845],
            "ratio": 0.75,
            "ratio_interval": [0.617155, 0.901118],
            "difference_shown": True,
            "more_to_close": 20,
        },
        "gap_to_overall": {
            "points": 10.0,
            "points_interval": [3.656, 15.9253],
            "relative": 0.142857,
            "relative_interval": [0.052013, 0.23674],
            "ratio": 0.857143,
            "ratio_interval": [0.76326, 0.947987],
            "difference_shown": True,
            "more_to_close": 20,
        },
        "change": {
            "numerator": 40,
            "denominator": 100,
            "share_points": 20.0,
            "share_points_interval": [6.1411, 32.8126],
            "gap_before": {
                "points": 40.0,
                "points_interval": [26.7735, 51.2464],
                "relative": 0.5,
                "relative_interval": [0.358287, 0.617641],
                "ratio": 0.5,
                "ratio_interval": [0.382359, 0.641713],
                "difference_shown": True,
                "more_to_close": 40,
            },
            "gap_points": -20.0,
            "gap_points_interval": [-36.9549, -2.2412],
            "gap_change_shown": True,
            "gap_reduction": 0.5,
        },
        "goals": [
            {
                "goal": "half",
                "title": "Half by 2027",
                "due": "2027-12-31",
                "reduction": 0.5,
                "standing": "reached",
                "baseline_end": "2025-12-31",
                "gap_before_points": 40.0,
                "reduction_now": 0.5,
                "reduction_on_its_date": None,
                "expected_by_now": 0.223288,
                "gap_allowed_points": 20.0,
                "more": 0,
            }
        ],
        "benchmarks": [{"benchmark": "MPL 2024", "more": 1}],
    }
    assert (white["is_reference"], white["gap"], white["goals"]) == (True, None, [])


def test_a_hidden_group_is_suppressed_and_says_nothing_else() -> None:
    now = rollup({BLACK: (60, 100), WHITE: (80, 100), ASIAN: (3, 20)})
    said = as_json(report(now, Asked()))["rates"][0]["groups"][0]
    assert said == {
        "code": "2028-9",
        "text": "Asian",
        "source": "direct",
        "status": "suppressed",
        "is_reference": False,
        "numerator": None,
        "denominator": None,
        "share": None,
        "share_interval": None,
        "gap": None,
        "gap_to_overall": None,
        "change": None,
        "goals": [],
        "benchmarks": [],
        "words": "Asian: not shown",
    }


# ---- CSV


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_report_as_csv_has_a_row_for_everybody_and_each_group() -> None:
    text = as_csv(example())
    assert text.splitlines()[0] == ",".join(COLUMNS)
    everybody, black, white = rows(text)
    assert (everybody["category"], everybody["category_code"], everybody["denominator"]) == ("All children", "", "200")
    assert black == {
        "measure": "w30",
        "rate": "first-15-months",
        "title": "Six or more visits",
        "dimension": "race",
        "category_code": "2054-5",
        "category": "Black or African American",
        "source": "direct",
        "status": "shown",
        "basis": "final",
        "period_start": "2026-01-01",
        "period_end": "2026-12-31",
        "as_of": "2026-11-22",
        "numerator": "60",
        "denominator": "100",
        "share": "0.6",
        "share_low": "0.502003",
        "share_high": "0.690599",
        "reference": "White",
        "gap_points": "20.0",
        "gap_points_low": "7.3119",
        "gap_points_high": "31.8505",
        "gap_relative": "0.25",
        "ratio": "0.75",
        "ratio_low": "0.617155",
        "ratio_high": "0.901118",
        "difference_shown": "true",
        "more_to_close": "20",
        "overall_gap_points": "10.0",
        "overall_gap_points_low": "3.656",
        "overall_gap_points_high": "15.9253",
        "overall_gap_relative": "0.142857",
        "overall_ratio": "0.857143",
        "overall_ratio_low": "0.76326",
        "overall_ratio_high": "0.947987",
        "baseline_start": "2025-01-01",
        "baseline_end": "2025-12-31",
        "baseline_basis": "final",
        "baseline_numerator": "40",
        "baseline_denominator": "100",
        "share_change_points": "20.0",
        "gap_change_points": "-20.0",
        "gap_change_points_low": "-36.9549",
        "gap_change_points_high": "-2.2412",
        "gap_reduction": "0.5",
        "goals": "half",
        "goal_standings": "reached",
        "goal_more": "0",
        "benchmarks": "MPL 2024",
        "benchmark_more": "1",
        "notice": "internal: not for publication; small counts are shown",
    }
    assert (white["gap_points"], white["more_to_close"]) == ("", "")


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r1"])
def test_a_name_that_a_spreadsheet_would_run_is_text(name: str) -> None:
    clinic = Category("race", "c", name)
    found = report(rollup({clinic: (60, 100), WHITE: (80, 100)}), Asked(suppress_below=None))
    assert [row["category"] for row in rows(as_csv(found)) if row["category_code"] == "c"] == [f"'{name}"]


def test_a_name_with_commas_quotes_and_lines_is_one_cell() -> None:
    clinic = Category("race", "c", 'Smith, "Al"\nand Sons')
    found = report(rollup({clinic: (60, 100), WHITE: (80, 100)}), Asked(suppress_below=None))
    assert [row["category"] for row in rows(as_csv(found)) if row["category_code"] == "c"] == ['Smith, "Al"\nand Sons']


# ---- the chart

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def test_the_chart_says_what_it_shows_as_text() -> None:
    said = texts(chart.as_svg(example()))
    for text in (
        "Rates by group, 1 Jan 2026 to 31 Dec 2026, as of 22 Nov 2026; baseline 1 Jan 2025 to 31 Dec 2025",
        "Six or more visits (w30), final results, compared with White",
        "Black or African American",
        "60.0% of 100; 20.0 points below; 20 more children",
        "MPL",
        "goal",
        "baseline",
        "benchmark",
    ):
        assert text in said


def test_the_chart_is_told_to_those_who_do_not_see_it() -> None:
    root = ElementTree.fromstring(chart.as_svg(example()))  # noqa: S314 - our own
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "equity-title equity-description")
    title, described = root[0], root[1]
    assert (title.tag, title.get("id"), described.tag, described.get("id")) == (
        f"{SVG}title", "equity-title", f"{SVG}desc", "equity-description",
    )  # fmt: skip
    assert described.text == chart.description(example())
    assert "Black or African American: 60.0% (50.2 to 69.1) of 100; 20.0 points below White" in (described.text or "")


def test_the_same_report_gives_the_same_bytes_and_no_date_of_making() -> None:
    first, second = chart.as_svg(example()), chart.as_svg(example())
    assert first == second
    assert b"<dc:date>" not in first
    assert chart.as_png(example()) == chart.as_png(example())


def test_the_chart_as_png_carries_its_description() -> None:
    data = chart.as_png(example())
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height > 300) == (1320, True)
    assert _png_text(data)["Description"] == chart.description(example())


def _png_text(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += size + 12
        if kind == b"tEXt":
            key, _, text = body.partition(b"\0")
            found[key.decode("latin-1")] = text.decode("latin-1")
        elif kind in (b"iTXt", b"zTXt"):
            key, _, rest = body.partition(b"\0")
            packed = kind == b"zTXt" or rest[:1] == b"\1"
            rest = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[2]
            found[key.decode("latin-1")] = (zlib.decompress(rest) if packed else rest).decode("utf-8")
    return found


def test_hidden_groups_share_a_row_of_the_chart_and_one_of_nobody_has_none() -> None:
    nobody = Category("race", "2076-8", "Native Hawaiian or Other Pacific Islander", "direct")
    now = rollup({BLACK: (60, 100), WHITE: (80, 100), ASIAN: (3, 20), nobody: (0, 0)})
    said = texts(chart.as_svg(report(now, Asked())))
    # Asian children and those who are hidden so that they can't be worked out.
    assert (said.count("2 groups"), said.count("not shown"), nobody.text in said) == (1, 1, False)
    assert "not shown: fewer than 11 children, or it would tell such a number" in " ".join(said)


def test_names_are_drawn_as_they_are_or_shortened() -> None:
    odd = Category("race", "a", "$5 & <b> Clinic$ 診療所")
    long = Category("race", "b", "A clinic with a name that goes on and on and on and on")
    wide = Category("race", "c", "W" * 200)
    found = report(rollup({odd: (60, 100), long: (80, 100), wide: (80, 100)}), Asked(suppress_below=None))
    said = texts(chart.as_svg(found))
    assert "$5 & <b> Clinic$ 診療所" in said
    # What fits is by width: there is room for about 40 letters, but not for as many of the widest.
    (shortened,) = (text for text in said if text.startswith("A clinic") and text.endswith("…"))
    (widest,) = (text for text in said if text.startswith("WW") and text.endswith("…"))
    assert long.text.startswith(shortened[:-1]) and 35 <= len(shortened) <= 50
    assert 15 <= len(widest) <= 30
    assert chart.as_png(found)[:4] == b"\x89PNG"


def test_a_report_that_hides_nothing_says_that_it_is_not_for_publication() -> None:
    shown, hidden = example(), example(replace(ASKED, suppress_below=11))
    for found, said in ((shown, True), (hidden, False)):
        drawn = chart.as_svg(found).decode()
        assert drawn.count("internal: not for publication; small counts are shown") == (2 if said else 0)
        assert ("internal" in as_csv(found), as_json(found)["notice"] is not None) == (said, said)


def test_shapes_and_lines_tell_groups_apart_without_colour() -> None:
    # In grey, the two colours differ clearly in lightness too: relative luminance 0.16 and 0.24 against white's 1.
    drawn = chart.as_svg(example()).decode()
    assert set(re.findall(r"#[0-9a-f]{6}", drawn)) <= {"#0072b2", "#d55e00", "#595959", "#d9d9d9", "#ffffff", "#000000"}


def test_more_than_can_be_drawn_is_refused() -> None:
    found = example()
    with pytest.raises(chart.TooMuch, match="up to 12 rates and 400 groups; these are 13 and 39"):
        chart.as_svg(replace(found, rates=found.rates * 13))


def test_the_ending_of_the_file_says_what_is_drawn(tmp_path: Path) -> None:
    chart.draw(example(), tmp_path / "a.SVG")
    chart.draw(example(), tmp_path / "a.png")
    assert (tmp_path / "a.SVG").read_bytes() == chart.as_svg(example())
    assert (tmp_path / "a.png").read_bytes() == chart.as_png(example())


def test_commands_that_draw_nothing_do_not_wait_for_matplotlib() -> None:
    code = "import sys, gapsvc.cli; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False\n"


def test_every_column_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "equity.md").read_text(encoding="utf-8")
    table = page[page.index("| column | meaning |") :]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == COLUMNS
