"""The equity report for other programs: as JSON, and as CSV with one row a group. Columns: docs/equity.md. Pure.

Shares are of one, differences are percentage points, as their names say; both are rounded to what figures here can
carry. What is not known or not shown is null, and empty in CSV; `status` says which.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from gapsvc.equity import words
from gapsvc.equity.configuration import Benchmark
from gapsvc.equity.report import EquityReport, RateReport, benchmark_shorts
from gapsvc.evaluation.disparity import Change, Disparity, Gap, Progress
from gapsvc.evaluation.proportions import Interval

SHOWN, SUPPRESSED, NOBODY = "shown", "suppressed", "nobody"
COLUMNS = (
    "measure",
    "rate",
    "title",
    "dimension",
    "category_code",
    "category",
    "source",
    "status",
    "basis",
    "period_start",
    "period_end",
    "as_of",
    "numerator",
    "denominator",
    "share",
    "share_low",
    "share_high",
    "reference",
    "gap_points",
    "gap_points_low",
    "gap_points_high",
    "gap_relative",
    "ratio",
    "ratio_low",
    "ratio_high",
    "difference_shown",
    "more_to_close",
    "overall_gap_points",
    "overall_gap_points_low",
    "overall_gap_points_high",
    "overall_gap_relative",
    "overall_ratio",
    "overall_ratio_low",
    "overall_ratio_high",
    "baseline_start",
    "baseline_end",
    "baseline_basis",
    "baseline_numerator",
    "baseline_denominator",
    "share_change_points",
    "gap_change_points",
    "gap_change_points_low",
    "gap_change_points_high",
    "gap_reduction",
    "goals",
    "goal_standings",
    "goal_more",
    "benchmarks",
    "benchmark_more",
    "notice",
)


def as_json(report: EquityReport) -> dict[str, Any]:
    """The whole report, ready for a JSON writer."""
    return {
        "period": _period(report.period),
        "as_of": report.as_of.isoformat(),
        "baseline": None if report.baseline is None else _period(report.baseline),
        "population": report.asked.population or None,
        "confidence": report.asked.confidence,
        "suppress_below": report.asked.suppress_below,
        "notice": report.notice,
        "notes": list(report.notes),
        "rates": [
            {
                "measure": one.measure_id,
                "rate": one.group_id,
                "title": one.title,
                "dimension": one.dimension,
                "basis": one.basis,
                "baseline_basis": one.basis_before,
                "reference": one.reference,
                "benchmarks": [_benchmark(each) for each in one.benchmarks],
                "notes": list(one.notes),
                "overall": _group(one.compared.overall, one),
                "groups": [_group(each, one) for each in one.compared.groups],
            }
            for one in report.rates
        ],
    }


def as_csv(report: EquityReport) -> str:
    """The report with `COLUMNS`, everybody of a rate before its groups; lines end as RFC 4180 has them."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in report.rates:
        for each in (one.compared.overall, *one.compared.groups):
            row = _row(report, one, each)
            writer.writerow([_cell(row[column]) for column in COLUMNS])
    return out.getvalue()


def _row(report: EquityReport, one: RateReport, each: Disparity) -> dict[str, Any]:
    said = _group(each, one)
    gap, overall, change = (said[key] or {} for key in ("gap", "gap_to_overall", "change"))
    period, baseline = report.period, report.baseline or ("", "")
    share, of_gap = said["share_interval"] or ("", ""), gap.get("points_interval") or ("", "")
    of_overall = overall.get("points_interval") or ("", "")
    of_ratio, of_overall_ratio = (each.get("ratio_interval") or ("", "") for each in (gap, overall))
    of_change = change.get("gap_points_interval") or ("", "")
    shorts = said["benchmarks"]
    return {
        "measure": one.measure_id,
        "rate": one.group_id,
        "title": one.title,
        "dimension": one.dimension,
        "category_code": said["code"],
        "category": said["text"],
        "source": said["source"],
        "status": said["status"],
        "basis": one.basis,
        "period_start": period[0],
        "period_end": period[1],
        "as_of": report.as_of,
        "numerator": said["numerator"],
        "denominator": said["denominator"],
        "share": said["share"],
        "share_low": share[0],
        "share_high": share[1],
        "reference": one.reference,
        "gap_points": gap.get("points"),
        "gap_points_low": of_gap[0],
        "gap_points_high": of_gap[1],
        "gap_relative": gap.get("relative"),
        "ratio": gap.get("ratio"),
        "ratio_low": of_ratio[0],
        "ratio_high": of_ratio[1],
        "difference_shown": gap.get("difference_shown"),
        "more_to_close": gap.get("more_to_close"),
        "overall_gap_points": overall.get("points"),
        "overall_gap_points_low": of_overall[0],
        "overall_gap_points_high": of_overall[1],
        "overall_gap_relative": overall.get("relative"),
        "overall_ratio": overall.get("ratio"),
        "overall_ratio_low": of_overall_ratio[0],
        "overall_ratio_high": of_overall_ratio[1],
        "baseline_start": baseline[0],
        "baseline_end": baseline[1],
        "baseline_basis": one.basis_before,
        "baseline_numerator": change.get("numerator"),
        "baseline_denominator": change.get("denominator"),
        "share_change_points": change.get("share_points"),
        "gap_change_points": change.get("gap_points"),
        "gap_change_points_low": of_change[0],
        "gap_change_points_high": of_change[1],
        "gap_reduction": change.get("gap_reduction"),
        "goals": _joined(goal["goal"] for goal in said["goals"]),
        "goal_standings": _joined(goal["standing"] for goal in said["goals"]),
        "goal_more": _joined(_at_least_0(goal["more"]) for goal in said["goals"]),
        "benchmarks": _joined(short["benchmark"] for short in shorts),
        "benchmark_more": _joined(_at_least_0(short["more"]) for short in shorts),
        "notice": report.notice,
    }


def _group(one: Disparity, of: RateReport) -> dict[str, Any]:
    figure, found, category = one.figure, one.figure.found, one.figure.category
    return {
        "code": None if category is None else category.code,
        "text": "All children" if category is None else category.text,
        "source": None if category is None else category.source or None,
        "status": SHOWN if found is not None else SUPPRESSED if figure.hidden else NOBODY,
        "is_reference": one.is_reference,
        "numerator": None if found is None else found.numerator,
        "denominator": None if found is None else found.denominator,
        "share": None if found is None else _share(found.rate),
        "share_interval": None if one.interval is None else _shares(one.interval),
        "gap": _gap(one.gap),
        "gap_to_overall": _gap(one.overall_gap),
        "change": _change(one.change),
        "goals": [_progress(each) for each in one.progress],
        "benchmarks": [
            {"benchmark": _called(each), "more": more} for each, more in benchmark_shorts(figure, of.benchmarks)
        ],
        "words": words.sentence(one, of.reference),
    }


def _gap(one: Gap | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "points": _points(one.points),
        "points_interval": _points_of(one.interval),
        "relative": None if one.relative is None else _share(one.relative),
        "relative_interval": None if one.relative_interval is None else _shares(one.relative_interval),
        "ratio": None if one.ratio is None else _share(one.ratio),
        "ratio_interval": None if one.ratio_interval is None else _shares(one.ratio_interval),
        "difference_shown": one.is_shown,
        "more_to_close": one.more,
    }


def _change(one: Change | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "numerator": one.before.numerator,
        "denominator": one.before.denominator,
        "share_points": _points(one.points),
        "share_points_interval": _points_of(one.interval),
        "gap_before": _gap(one.gap_before),
        "gap_points": None if one.gap_points is None else _points(one.gap_points),
        "gap_points_interval": None if one.gap_interval is None else _points_of(one.gap_interval),
        "gap_change_shown": None if one.gap_interval is None else one.gap_change_is_shown,
        "gap_reduction": None if one.reduction is None else _share(one.reduction),
    }


def _progress(one: Progress) -> dict[str, Any]:
    return {
        "goal": one.goal.id,
        "title": one.goal.title,
        "due": one.goal.due.isoformat(),
        "reduction": _share(one.goal.reduction),
        "standing": one.standing.value,
        "baseline_end": None if one.baseline_end is None else one.baseline_end.isoformat(),
        "gap_before_points": None if one.gap_before is None else _points(one.gap_before),
        "reduction_now": None if one.reduction is None else _share(one.reduction),
        "reduction_on_its_date": None if one.reduction_then is None else _share(one.reduction_then),
        "expected_by_now": None if one.expected is None else _share(one.expected),
        "gap_allowed_points": None if one.gap_allowed is None else _points(one.gap_allowed),
        "more": one.more,
    }


def _benchmark(one: Benchmark) -> dict[str, Any]:
    return {
        "name": one.name,
        "level": _share(one.level),
        "measurement_year": one.measurement_year,
        "reporting_year": one.reporting_year,
        "source": one.source,
        "certainty": one.certainty,
    }


def _called(one: Benchmark) -> str:
    return f"{one.name} {one.measurement_year}"


def _period(period: Iterable[Any]) -> Mapping[str, str]:
    start, end = period
    return {"start": start.isoformat(), "end": end.isoformat()}


def _share(value: Fraction | float) -> float:
    return round(float(value), 6)


def _shares(interval: Interval) -> list[float]:
    return [_share(interval.low), _share(interval.high)]


def _points(value: Fraction | float) -> float:
    return round(float(value * 100), 4)


def _points_of(interval: Interval) -> list[float]:
    return [_points(interval.low), _points(interval.high)]


def _at_least_0(more: int | None) -> int | None:
    return None if more is None else max(0, more)


def _joined(values: Iterable[Any]) -> str:
    return "; ".join("" if value is None else str(value) for value in values)


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet takes for text: one that begins like a formula is quoted (OWASP, CSV injection)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and (value.lstrip()[:1] in set("=+-@") or value[:1] in set("\t\r\n")):
        return f"'{value}"
    return value
