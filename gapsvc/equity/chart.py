"""The equity report as a chart, SVG or PNG: a panel for each rate, a dot and its interval for each group.

Read without colour too: shapes, fills and line styles carry everything. The same report gives the same bytes. Importing
this imports matplotlib, which takes a while: only who draws should.
"""

import io
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import PercentFormatter

from gapsvc.equity import words
from gapsvc.equity.report import EquityReport, RateReport
from gapsvc.evaluation.disparity import Disparity
from gapsvc.evaluation.suppression import NOT_SHOWN

MOST_PANELS, MOST_ROWS = 12, 400  # more can't be read, nor drawn as PNG
# Two colours of Okabe and Ito (Color Universal Design, 2008): told apart by all kinds of colour vision, and in grey.
_BLUE, _VERMILION, _GREY, _FAINT = "#0072B2", "#D55E00", "#595959", "#D9D9D9"
_WIDTH, _ROW, _PANEL, _TOP, _BOTTOM = 11.0, 0.30, 0.85, 0.5, 1.0  # inches
_LEFT, _RIGHT = 0.27, 0.66  # the axes' sides, as shares of the width: names are left of them, figures right
_NAME_ROOM = _LEFT * _WIDTH - 0.25  # inches
_FOOT = 190  # characters of a line at the foot that there is room for
# Words in the right margin, beside a row.
_BESIDE: dict[str, Any] = {
    "xycoords": ("axes fraction", "data"),
    "va": "center",
    "fontsize": 8.5,
    "annotation_clip": False,
}
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "gapsvc",
    "svg.fonttype": "none",  # text stays text: it can be searched, enlarged and read aloud
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,  # a clinic may have a dollar sign in its name
}


class TooMuch(ValueError):
    """The report has more rates or groups than a chart can show."""


def draw(report: EquityReport, file: Path) -> None:
    """Write the chart; the file's ending says how.

    Raises:
        TooMuch: the report has more than `MOST_PANELS` rates, or more than `MOST_ROWS` groups in all.
        OSError: the file can't be written.
    """
    file.write_bytes(as_svg(report) if file.suffix.lower() == ".svg" else as_png(report))


def as_png(report: EquityReport) -> bytes:
    """The chart as PNG, with its description as text within."""
    out = io.BytesIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a name in a script that the font lacks
        figure = _figure(report)
        FigureCanvasAgg(figure).print_png(
            out, metadata={"Software": None, "Title": _title(report), "Description": description(report)}
        )
    return out.getvalue()


def as_svg(report: EquityReport) -> bytes:
    """The chart as SVG, with a title and a description for those who don't see it."""
    out = io.StringIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure = _figure(report)
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None, "Title": _title(report)})
    head, tag, rest = out.getvalue().partition("<svg ")
    attributes, end, body = rest.partition(">")
    said = f'<title id="equity-title">{escape(_title(report))}</title>'
    said += f'\n <desc id="equity-description">{escape(description(report))}</desc>'
    tag += 'role="img" aria-labelledby="equity-title equity-description" '
    return f"{head}{tag}{attributes}{end}\n {said}{body}".encode()


def description(report: EquityReport) -> str:
    """What the chart shows, in words: a paragraph a rate."""
    said = "" if report.notice is None else f"{report.notice}\n"
    return said + "\n".join(
        f"{one.title}, by {one.dimension}. "
        + " ".join(f"{words.sentence(each, one.reference)}." for each in (one.compared.overall, *one.compared.groups))
        for one in report.rates
    )


def _title(report: EquityReport) -> str:
    start, end = report.period
    said = f"Rates by group, {words.day(start)} to {words.day(end)}, as of {words.day(report.as_of)}"
    if report.baseline is not None:
        said += f"; baseline {words.day(report.baseline[0])} to {words.day(report.baseline[1])}"
    return said


def _figure(report: EquityReport) -> Figure:
    rows = sum(map(_height, report.rates))
    if len(report.rates) > MOST_PANELS or rows > MOST_ROWS:
        raise TooMuch(
            f"a chart shows up to {MOST_PANELS} rates and {MOST_ROWS} groups; these are {len(report.rates)} and {rows}"
        )
    heights = [_PANEL + _ROW * _height(one) for one in report.rates]
    height = _TOP + sum(heights) + _BOTTOM
    figure = Figure(figsize=(_WIDTH, height), dpi=120, facecolor="white")
    figure.text(0.015, 1 - 0.25 / height, _title(report), fontsize=11, fontweight="bold", va="top")
    if report.notice is not None:
        figure.text(0.985, 1 - 0.42 / height, report.notice, fontsize=8.5, color=_VERMILION, ha="right", va="top")
    edge = height - _TOP
    for one, tall in zip(report.rates, heights, strict=True):
        axes = figure.add_axes(
            (_LEFT, (edge - tall + 0.45) / height, _RIGHT - _LEFT, (tall - _PANEL) / height)  # 0.45 for ticks below
        )
        _panel(figure, axes, one)
        edge -= tall
    figure.legend(
        handles=_legend(report),
        loc="lower left",
        bbox_to_anchor=(0.01, 0.36 / height),
        ncols=4,
        frameon=False,
        fontsize=8,
        handletextpad=0.4,
        columnspacing=1.4,
    )
    confidence = words.percent(report.asked.confidence, 0)
    foot = [
        f"Lines through the dots: {confidence} intervals (Wilson). More children: so many more, met, close the gap",
        *report.notes,
    ]
    said = textwrap.fill("; ".join(foot) + ".", _FOOT)
    figure.text(0.015, 0.3 / height, said, fontsize=7.5, color=_GREY, va="top", linespacing=1.3)
    return figure


def _rows(one: RateReport) -> tuple[list[Disparity], list[str]]:
    """All children and the groups that have a figure, each a row; and the names of the hidden ones, which share one."""
    groups = one.compared.groups
    hidden = [words.name(each.figure) for each in groups if each.figure.hidden]
    return [one.compared.overall, *(each for each in groups if each.figure.found is not None)], hidden


def _height(one: RateReport) -> int:
    rows, hidden = _rows(one)
    return len(rows) + bool(hidden)


def _panel(figure: Figure, axes: Axes, one: RateReport) -> None:
    rows, hidden = _rows(one)
    names = [words.name(each.figure) for each in rows]
    if hidden:
        names.append(hidden[0] if len(hidden) == 1 else f"{len(hidden)} groups")
    axes.set_xlim(0, 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="both", length=0)
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.get_yticklabels()[0].set_fontweight("bold")
    basis = "final results" if one.basis == "final" else "results so far"
    # The measure's title starts where the names do, not where the axes do.
    figure.text(
        0.015,
        axes.get_position().y1 + 0.14 / figure.get_figheight(),
        f"{one.title} ({one.measure_id}), {basis}, compared with {one.reference}",
        fontsize=10,
        va="bottom",
    )
    _lines(axes, one)
    for row, each in enumerate(rows):
        _group(axes, row, each)
    if hidden:
        axes.annotate(NOT_SHOWN, (1.02, len(rows)), color=_GREY, **_BESIDE)


def _short(name: str) -> str:
    """A name that fits left of the axes: letters are of different widths."""
    if _width(name) <= _NAME_ROOM:
        return name
    while name and _width(f"{name}…") > _NAME_ROOM:
        name = name[:-1]
    return f"{name}…"


def _width(text: str) -> float:
    """In inches, as it is drawn."""
    found = text_to_path.get_text_width_height_descent(text, FontProperties(family="DejaVu Sans", size=9), ismath=False)
    return float(found[0]) / 72


def _lines(axes: Axes, one: RateReport) -> None:
    """The reference's rate as a line through all rows, and the benchmarks as lines of their own."""
    reference = one.compared.reference
    if reference is not None and reference.found is not None:
        axes.axvline(float(reference.found.rate), color=_GREY, linewidth=1.2, zorder=1)
    for each in one.benchmarks:
        axes.axvline(float(each.level), color=_GREY, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1)
        axes.annotate(
            each.name, (float(each.level), -0.5), (0, 1), textcoords="offset points", ha="center", va="bottom",
            fontsize=7, color=_GREY,
        )  # fmt: skip


def _group(axes: Axes, row: int, each: Disparity) -> None:
    found, interval = each.figure.found, each.interval
    if found is None or interval is None:
        axes.annotate(words.rate(each), (1.02, row), color=_GREY, **_BESIDE)
        return
    behind = each.gap is not None and each.gap.is_shown and each.gap.points > 0
    ahead = each.gap is not None and each.gap.is_shown and not behind
    is_alone = each.figure.category is None or each.is_reference
    colour = _GREY if is_alone else _VERMILION if behind else _BLUE
    marker = "D" if each.figure.category is None else "s" if each.is_reference else "o"
    axes.plot([interval.low, interval.high], [row, row], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    axes.plot(
        float(found.rate),
        row,
        marker=marker,
        markersize=6.5,
        color=colour,
        markerfacecolor=colour if behind or ahead or is_alone else "white",
        markeredgewidth=1.5,
        linestyle="none",
        clip_on=False,
        zorder=4,
    )
    if each.change is not None:
        at = float(each.change.before.rate)
        axes.plot(at, row, marker="x", color=_GREY, markersize=5.5, linestyle="none", clip_on=False, zorder=3)
    text = f"{words.percent(found.rate)} of {found.denominator:,}"
    if each.gap is not None and each.gap.is_shown:
        text += f"; {words.side(each.gap.points)}"
        if each.gap.more > 0:
            text += f"; {words.children(each.gap.more)}"
    axes.annotate(text, (1.02, row), **_BESIDE)
    for goal in each.progress:
        if goal.more is not None:
            at = (found.numerator + goal.more) / found.denominator
            axes.plot([at, at], [row - 0.34, row + 0.34], color="black", linewidth=1.6, linestyle=(0, (2, 1)), zorder=3)


def _legend(report: EquityReport) -> Sequence[Line2D]:
    """What shapes and lines mean: those only that the chart has."""
    every = [each for one in report.rates for each in (one.compared.overall, *one.compared.groups)]
    shapes = [
        Line2D([], [], color=_GREY, marker="D", linewidth=2, label="all children"),
    ]
    if any(each.is_reference and each.figure.category for each in every):
        shapes.append(Line2D([], [], color=_GREY, marker="s", linewidth=2, label="group compared with"))
    shapes += [
        Line2D([], [], color=_VERMILION, marker="o", linewidth=2, label="behind: difference shown"),
        Line2D([], [], color=_BLUE, marker="o", markerfacecolor="white", linewidth=2, label="no difference shown"),
        Line2D([], [], color=_BLUE, marker="o", linewidth=2, label="ahead: difference shown"),
        Line2D([], [], color=_GREY, linewidth=1.2, label="rate compared with"),
    ]
    if any(each.change for each in every):
        shapes.append(Line2D([], [], color=_GREY, marker="x", linestyle="none", label="baseline"))
    if any(goal.more is not None for each in every for goal in each.progress):
        shapes.append(Line2D([], [], color="black", linestyle=(0, (2, 1)), linewidth=1.6, label="goal"))
    if any(one.benchmarks for one in report.rates):
        shapes.append(Line2D([], [], color=_GREY, linestyle=(0, (1, 2)), label="benchmark"))
    return shapes
