"""Rates over stored results: who is final on which day."""

from datetime import date

from store_examples import batch, patient, written

from gapsvc.evaluation.result import Basis, GapRecord, GapStatus, GroupResult, MeasureResult, Outlook
from gapsvc.store import RateSummary, Store

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))


def child(person: str, status: GapStatus, last_day: date | None, numerator: int) -> MeasureResult:
    gap = GapRecord(
        status, None, None, None, None, None, last_day, Outlook.UNKNOWN, (), (), (), None, Basis("u|1", "s", None, {})
    )
    populations = {"initial-population": 1, "denominator": 1, "numerator": numerator}
    return MeasureResult(
        f"Patient/{person}", "m", "u", "1", "Title", "proportion", "increase", *PERIOD, date(2026, 5, 1),
        (GroupResult("g", "Group", populations, gap),), {},
    )  # fmt: skip


def test_a_rate_so_far_and_a_final_one(store: Store) -> None:
    """Two windows, one of which is past on 1 June; the third child has until the end of the period."""
    written(store, batch("Patient", *(patient(name) for name in ("p1", "p2", "p3"))))
    store.save_results(
        [
            child("p1", GapStatus.CLOSED, date(2026, 5, 31), 1),
            child("p2", GapStatus.OPEN, date(2026, 6, 1), 0),
            child("p3", GapStatus.OPEN, None, 0),
        ]
    )
    counts = {"group_id": "g", "initial_population": 3, "excluded": 0, "denominator": 3, "numerator": 1}
    said = {"statuses": {"closed-gap": 1, "open-gap": 2}, "outlooks": {"unknown": 3}}

    def summary(as_of: date) -> RateSummary:
        (found,) = store.summary("u", PERIOD, as_of)
        return found

    for day, denominator, numerator in (
        (date(2026, 5, 31), 0, 0),
        (date(2026, 6, 1), 1, 1),
        (date(2026, 6, 2), 2, 1),
        (date(2027, 1, 1), 3, 1),
    ):
        assert summary(day) == RateSummary(
            **counts, **said, final_denominator=denominator, final_numerator=numerator
        ), day
