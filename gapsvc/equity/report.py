"""The equity report: every rate by every dimension asked for, compared, measured against goals and benchmarks.

A value: no files, no clock. Counts come as roll-ups. Small-cell suppression (`gapsvc.evaluation.suppression`) comes
first, and everything else is calculated from what it leaves: no rate, interval, gap or number of children is of a
hidden count, or has one in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gapsvc.equity.configuration import Benchmark, EquityGoal, in_force
from gapsvc.equity.goal_periods import Period, periods_of
from gapsvc.evaluation.disparity import Aim, Compared, Figure, Figures, best_of, compare
from gapsvc.evaluation.proportions import CONFIDENCE, Proportion, short_by
from gapsvc.evaluation.rollup import IMPUTED, LAST, Category, Cell, RateRollup, Rollup
from gapsvc.evaluation.suppression import FINAL_ONLY, INTERNAL, NOT_SHOWN, SO_FAR, SUPPRESS_BELOW, Suppression, suppress

OVERALL, BEST = "overall", "best"
FINAL, AUTO = FINAL_ONLY, "auto"
# NCHS flags proportions over fewer than 30 persons (Data Presentation Standards for Proportions, Vital Health Stat
# 2(175), 2017). None is chosen as the best group, and each is said to be small.
FEW = 30
# People of whom it is not known are no group that others could be compared with.
NO_GROUP = frozenset(LAST) - {"two-or-more"}


class NoSuchReference(ValueError):
    """The reference asked for is no category of the dimension; the message names those that there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for. `rates`: these alone (group ids); all, where none is named. `reference`: overall,
    best, or a category by code or name. `basis`: auto, final or so-far. Counts under `suppress_below` are hidden;
    None: all are shown, to those who may see them."""

    dimensions: tuple[str, ...] = ("race",)
    rates: frozenset[str] = frozenset()
    reference: str = OVERALL
    basis: str = AUTO
    confidence: float = CONFIDENCE
    goals: tuple[EquityGoal, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    suppress_below: int | None = SUPPRESS_BELOW
    population: str = ""  # whom the measures are about, where that is to be said


@dataclass(frozen=True, slots=True)
class RateReport:
    """One rate by one dimension. `basis` says which children are counted now, `basis_before` in the baseline."""

    measure_id: str
    group_id: str
    title: str
    dimension: str
    basis: str
    basis_before: str | None
    reference: str
    compared: Compared
    benchmarks: tuple[Benchmark, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EquityReport:
    """All of it, over one period as of one day. `baseline` is the period that changes are measured from."""

    period: tuple[date, date]
    as_of: date
    baseline: tuple[date, date] | None
    asked: Asked
    rates: tuple[RateReport, ...]
    notes: tuple[str, ...]

    @property
    def notice(self) -> str | None:
        """What stands over a report that must stay in the house; None where small counts are hidden."""
        return INTERNAL if self.asked.suppress_below is None else None


@dataclass(frozen=True, slots=True)
class _Counts:
    """A roll-up's rates by measure and group id, what is hidden of them, and which children each counts."""

    rollup: Rollup
    rates: Mapping[tuple[str, str], RateRollup]
    basis: Mapping[tuple[str, str], str]
    hidden: Suppression | None

    @staticmethod
    def of(rollup: Rollup, asked: Asked) -> "_Counts":
        rates = {(rate.measure_id, rate.group_id): rate for rate in rollup.rates}
        basis = {key: _basis(rate, asked.basis) for key, rate in rates.items()}
        hidden = None
        if asked.suppress_below is not None:
            hidden = suppress(
                rollup,
                asked.suppress_below,
                lambda measure, group: basis[measure, group],
                lambda _measure, group: not asked.rates or group in asked.rates,
            )
        return _Counts(rollup, rates, basis, hidden)

    def figures(self, key: tuple[str, str], dimension: str) -> Figures | None:
        """The figures of one rate by one dimension; None where the roll-up has no such rate."""
        rate = self.rates.get(key)
        if rate is None:
            return None
        strata = rate.strata.get(dimension, {})
        return Figures(self._figure(key, None, rate.total), tuple(self._figure(key, *item) for item in strata.items()))

    def _figure(self, key: tuple[str, str], category: Category | None, cell: Cell) -> Figure:
        if self.hidden is not None and self.hidden.hides(*key, category):
            return Figure(category, None, hidden=True)
        if self.basis[key] == FINAL:
            met, of = cell.final_numerator, cell.final_denominator
        else:
            met, of = cell.numerator, cell.denominator
        return Figure(category, Proportion(met, of) if of else None)


def report(now: Rollup, asked: Asked, before: Rollup | None = None, others: Iterable[Rollup] = ()) -> EquityReport:
    """The report of a roll-up, against that of a baseline period if there is one.

    `others` are of the further periods that goals are judged by (`gapsvc.equity.goal_periods.further_periods`).

    Raises:
        NoSuchReference: the reference asked for is no category of any rate.
    """
    named = None
    if asked.reference not in (OVERALL, BEST):
        named = find(asked.reference, _categories(now, asked.dimensions))
    counts, earlier = _Counts.of(now, asked), None if before is None else _Counts.of(before, asked)
    by_period = {_period(one): _Counts.of(one, asked) for one in (*others, *(() if before is None else (before,)))}
    return EquityReport(
        _period(now),
        now.as_of,
        None if before is None else _period(before),
        asked,
        tuple(
            _rate(rate, dimension, asked, named, counts, earlier, by_period)
            for dimension in asked.dimensions
            for rate in now.rates
            if not asked.rates or rate.group_id in asked.rates
        ),
        tuple(_notes(asked, counts, earlier)),
    )


def find(reference: str, known: Sequence[Category]) -> Category:
    """The category that is called so: by its code, its name, or the first words of its name; one that people said
    themselves before one that was imputed.

    Raises:
        NoSuchReference: none is, or several are.
    """
    wanted = reference.strip().casefold()
    for matches in (
        [one for one in known if wanted in (one.code.casefold(), one.text.casefold())],
        [one for one in known if one.text.casefold().startswith(f"{wanted} ")],
    ):
        if len({one.code for one in matches}) == 1:
            return min(matches, key=lambda one: one.source == IMPUTED)
        if matches:
            known = matches
            break
    names = ", ".join(dict.fromkeys(one.text for one in known)) or "none"
    raise NoSuchReference(f"no one category is called {reference!r}; there are: {names}; or say {OVERALL} or {BEST}")


def printable(category: Category) -> str:
    """A category's name, of which nothing but letters gets to a terminal or into a chart: it comes from records."""
    return "".join(char if char.isprintable() else " " for char in category.label)


def benchmark_shorts(figure: Figure, benchmarks: Iterable[Benchmark]) -> tuple[tuple[Benchmark, int], ...]:
    """Each benchmark with how many more children must be met to reach it (negative: to spare)."""
    found = figure.found
    return () if found is None else tuple((one, short_by(found, one.level)) for one in benchmarks)


def _categories(rollup: Rollup, dimensions: Iterable[str]) -> list[Category]:
    return list(
        dict.fromkeys(
            category for name in dimensions for rate in rollup.rates for category in rate.strata.get(name, {})
        )
    )


def _period(rollup: Rollup) -> Period:
    return rollup.period_start, rollup.period_end


def _rate(
    rate: RateRollup,
    dimension: str,
    asked: Asked,
    named: Category | None,
    now: _Counts,
    before: _Counts | None,
    by_period: Mapping[Period, _Counts],
) -> RateReport:
    key = (rate.measure_id, rate.group_id)
    figures = now.figures(key, dimension)
    assert figures is not None  # noqa: S101 - the rate is one of `now`
    figures_before = None if before is None else before.figures(key, dimension)
    basis_before = None if before is None or figures_before is None else before.basis[key]
    notes: list[str] = []
    reference = named
    if asked.reference == BEST:
        among = [one for one in rate.strata.get(dimension, {}) if one.code not in NO_GROUP]
        reference = best_of(figures, among, at_least=FEW)
        if reference is None:
            notes.append(f"no group of {FEW} children or more that can be shown: compared with all children")
    elif named is not None:
        against = figures.of(named)
        if against is not None and against.hidden:
            notes.append(f"{printable(named)}: {NOT_SHOWN}, so no group is compared with it")
        elif against is None or against.found is None:
            notes.append(f"{printable(named)}: nobody here to compare with")
    aims: list[Aim] = []
    baseline = None if before is None else _period(before.rollup)
    for one in asked.goals:
        if baseline is not None and one.is_about(rate.measure_id, rate.group_id, dimension):
            aim = _aim(one, key, dimension, now, baseline, by_period)
            if aim is None:
                notes.append(f"goal {one.goal.id} is left out: its baseline or its date has no figures here")
            else:
                aims.append(aim)
    if now.basis[key] == SO_FAR and basis_before == FINAL:
        notes.append("the baseline is complete, the figures now are not: they may still rise, and gaps change")
    compared = compare(
        figures,
        reference,
        before=figures_before,
        aims=aims,
        confidence=asked.confidence,
    )
    return RateReport(
        rate.measure_id,
        rate.group_id,
        rate.title,
        dimension,
        now.basis[key],
        basis_before,
        "all children" if reference is None else printable(reference),
        compared,
        in_force(asked.benchmarks, rate.measure_id, rate.group_id, now.rollup.period_end.year),
        tuple(notes),
    )


def _aim(
    goal: EquityGoal,
    key: tuple[str, str],
    dimension: str,
    now: _Counts,
    baseline: Period,
    by_period: Mapping[Period, _Counts],
) -> Aim | None:
    """The goal with the figures it is judged by; None where a period of its is not among those counted."""
    judged = periods_of(goal, _period(now.rollup), baseline)
    counts, then = by_period.get(judged.baseline), None if judged.then is None else by_period.get(judged.then)
    start = None if counts is None else counts.figures(key, dimension)
    on_its_date = None if then is None else then.figures(key, dimension)
    if start is None or (judged.then is not None and on_its_date is None):
        return None
    ends = min(now.rollup.as_of, now.rollup.period_end)
    known = frozenset(one.code for one in now.rates[key].strata.get(dimension, {})) - NO_GROUP
    return Aim(goal.goal, goal.categories or known, start, judged.baseline[1], ends, on_its_date)


def _basis(rate: RateRollup, asked: str) -> str:
    """Final results where there are any: a group whose children are younger must not look worse for it."""
    if asked != AUTO:
        return asked
    return FINAL if rate.total.final_denominator else SO_FAR


def _notes(asked: Asked, now: _Counts, before: _Counts | None) -> Iterable[str]:
    if asked.population:
        yield f"population: {asked.population}"
    if now.hidden is not None:
        yield now.hidden.words
    if asked.reference == BEST:
        yield "the best group is chosen by its rate: part of its lead is chance"
    if before is None and asked.goals:
        yield "no baseline: changes and goals are left out"
