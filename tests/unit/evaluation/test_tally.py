"""Counting results into rates: who is final, who is excluded, who is not counted."""

from datetime import date

from gapsvc.evaluation.result import Basis, GapRecord, GapStatus, GroupResult, MeasureResult, Outlook
from gapsvc.evaluation.tally import RateTally, Tally

AS_OF = date(2026, 6, 1)


def child(status: GapStatus, outlook: Outlook, last_day: date | None, **populations: int) -> MeasureResult:
    named = {"initial-population": 1, **{name.replace("_", "-"): count for name, count in populations.items()}}
    gap = GapRecord(
        status, None, None, None, None, None, last_day, outlook, (), (), (), None, Basis("u|1", "gapsvc 0", None, {})
    )
    return MeasureResult(
        "Patient/1", "m", "u", "1", "Title", "proportion", "increase", date(2026, 1, 1), date(2026, 12, 31), AS_OF,
        (GroupResult("g", "Group", named, gap),), {},
    )  # fmt: skip


def test_a_rate_so_far_and_a_final_one() -> None:
    tally = Tally()
    past, today, ahead = date(2026, 5, 31), AS_OF, date(2026, 6, 2)
    for result in (
        child(GapStatus.CLOSED, Outlook.MET, past, denominator=1, numerator=1),
        child(GapStatus.OPEN, Outlook.MISSED, past, denominator=1),
        child(GapStatus.OPEN, Outlook.AT_RISK, today, denominator=1),  # her last day is today: it may still happen
        child(GapStatus.CLOSED, Outlook.MET, ahead, denominator=1, numerator=1),
        child(GapStatus.PROSPECTIVE, Outlook.ON_TRACK, None, denominator=1),  # until the period ends
        child(GapStatus.CLOSED, Outlook.UNKNOWN, past, denominator=1, denominator_exclusion=1),
        child(GapStatus.CLOSED, Outlook.UNKNOWN, past),  # not enrolled with a plan
        child(GapStatus.NOT_APPLICABLE, Outlook.UNKNOWN, None, initial_population=0),
    ):
        tally.add(result)
    assert tally.results == 8
    assert tally.rates == {
        ("m", "g"): RateTally(
            initial_population=7,
            excluded=1,
            outside=1,
            denominator=5,
            numerator=2,
            final_denominator=2,
            final_numerator=1,
            statuses=tally.rates["m", "g"].statuses,
            outlooks=tally.rates["m", "g"].outlooks,
        )
    }
    assert (tally.rates["m", "g"].rate, tally.rates["m", "g"].final_rate) == (0.4, 0.5)
    assert dict(tally.rates["m", "g"].statuses) == {"closed-gap": 4, "open-gap": 2, "prospective-gap": 1}
    assert (RateTally().rate, RateTally().final_rate) == (None, None)


def test_a_numerator_exclusion_is_not_met() -> None:
    tally = Tally()
    past = date(2026, 5, 31)
    tally.add(child(GapStatus.CLOSED, Outlook.MET, past, denominator=1, numerator=1))
    tally.add(child(GapStatus.OPEN, Outlook.MISSED, past, denominator=1, numerator=1, numerator_exclusion=1))
    rate = tally.rates["m", "g"]
    assert (rate.numerator, rate.denominator, rate.final_numerator, rate.final_denominator) == (1, 2, 1, 2)
