"""Results that the store's tests are told with."""

from datetime import date

from gapsvc.evaluation.result import Basis, GapRecord, GapStatus, GroupResult, MeasureResult, Outlook

W30 = "https://gaps.example/Measure/w30"
YEAR = (date(2025, 1, 1), date(2025, 12, 31))
JUNE = date(2025, 6, 1)


def gap(status: GapStatus, changes_on: date | None = None) -> GapRecord:
    return GapRecord(
        status=status,
        need=None,
        needed=6,
        done=2,
        due_from=date(2025, 5, 1),
        due_by=date(2025, 7, 1),
        last_day=date(2025, 9, 1),
        outlook=Outlook.MET if status is GapStatus.CLOSED else Outlook.ON_TRACK,
        reasons=(),
        counted=(),
        discounted=(),
        changes_on=changes_on,
        basis=Basis(f"{W30}|1.0.0", "gapsvc 0", None, {}),
    )


def result(
    person_id: str,
    status: GapStatus = GapStatus.OPEN,
    *,
    numerator: int = 0,
    excluded: int = 0,
    changes_on: date | None = None,
    as_of: date = JUNE,
    version: str = "1.0.0",
    period: tuple[date, date] = YEAR,
    url: str = W30,
) -> MeasureResult:
    """A result with one rate; not-applicable is outside the initial population."""
    inside = 0 if status is GapStatus.NOT_APPLICABLE else 1
    populations = {
        "initial-population": inside,
        "denominator": inside,
        "denominator-exclusion": excluded,
        "numerator": numerator,
    }
    return MeasureResult(
        subject=f"Patient/{person_id}",
        measure_id="w30",
        measure_url=url,
        measure_version=version,
        measure_title="Well visits",
        scoring="proportion",
        improvement_notation="increase",
        period_start=period[0],
        period_end=period[1],
        as_of=as_of,
        groups=(GroupResult("first-15-months", "six visits", populations, gap(status, changes_on)),),
        evaluated={"Encounter/e1": ("numerator",)},
    )
