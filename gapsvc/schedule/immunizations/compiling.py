"""A schedule document (see importing.py) compiled into the immutable objects of schedule.py. Done once per version."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from .calendar import EARLIEST_DAY, LATEST_DAY, AgeScale, Offset, parse_offset
from .history import GENDERS
from .importing import FORMAT
from .schedule import (
    AgeRule,
    Antigen,
    BirthDateImmunity,
    Conflict,
    Contraindication,
    Indication,
    IntervalRule,
    PreferableVaccine,
    Schedule,
    Series,
    SeriesDose,
    Skip,
    SkipCondition,
    SkipSet,
    Vaccine,
    VaccineGroup,
    VaccineWindow,
)


class UnknownFormat(ValueError):
    """The document isn't one that this software wrote."""


def compile_schedule(document: Mapping[str, Any]) -> Schedule:
    """The schedule of a document that `importing.read_schedule` returned. Raises UnknownFormat."""
    if document.get("format") != FORMAT:
        raise UnknownFormat(
            f"schedule document of format {document.get('format')!r}; this software reads format {FORMAT}: "
            "import CDC's files again with `schedule import`"
        )
    return _Compiler(document).schedule()


class _Compiler:
    """Interns offsets and shared vaccine lists while it builds one schedule."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.offsets: dict[str, Offset] = {}
        self.index = 0
        self.conflicting = frozenset(current for _, current, *_ in document["conflicts"])
        self.preferable: list[Mapping[str, tuple[PreferableVaccine, ...]]] = [
            self._preferable(rows) for rows in document["preferable"]
        ]
        self.allowable: list[Mapping[str, tuple[VaccineWindow, ...]]] = [
            self._allowable(rows) for rows in document["allowable"]
        ]

    def offset(self, text: str | None) -> Offset | None:
        if text is None:
            return None
        if text not in self.offsets:
            self.offsets[text] = parse_offset(text)
        return self.offsets[text]

    def schedule(self) -> Schedule:
        document = self.document
        groups = {
            name: VaccineGroup(name, group["full"], tuple(group["antigens"]))
            for name, group in document["groups"].items()
        }
        group_of = {antigen: group.name for group in groups.values() for antigen in group.antigens}
        conflicts: dict[str, dict[str, Conflict]] = {}
        for previous, current, begin, minimum_end, end in document["conflicts"]:
            row = Conflict(self._needed(begin), self._needed(minimum_end), self._needed(end))
            conflicts.setdefault(current, {})[previous] = row
        coded: dict[tuple[str, str], list[str]] = {}
        for code, observation in document["observations"].items():
            for system, value in observation["codes"]:
                coded.setdefault((system, value), []).append(code)
        return Schedule(
            version=document["version"],
            source=document["source"],
            antigens=MappingProxyType(
                {name: self._antigen(name, group_of[name], one) for name, one in document["antigens"].items()}
            ),
            groups=MappingProxyType(groups),
            vaccines=MappingProxyType(
                {
                    cvx: Vaccine(
                        cvx,
                        one["name"],
                        tuple((name, self.offset(begin), self.offset(end)) for name, begin, end in one["antigens"]),
                        frozenset(name for name, _, _ in one["antigens"]),
                    )
                    for cvx, one in document["cvx"].items()
                }
            ),
            conflicts=MappingProxyType(conflicts),
            conflicting=frozenset(previous for rows in conflicts.values() for previous in rows),
            observation_titles=MappingProxyType({code: one["title"] for code, one in document["observations"].items()}),
            observation_codes=MappingProxyType({key: tuple(codes) for key, codes in coded.items()}),
        )

    def _needed(self, text: str) -> Offset:
        return self.offset(text) or parse_offset(text)

    def _antigen(self, name: str, vaccine_group: str, document: Mapping[str, Any]) -> Antigen:
        kinds: dict[str, str] = {}
        for one in document["series"]:
            if one["type"] != "evaluation only":
                kinds.setdefault(one["group"], one["type"])
        series = [self._series(name, vaccine_group, one, kinds.get(one["group"], "risk")) for one in document["series"]]
        # Completed-series skips need the groups they name to be forecast first (outline: two passes).
        series.sort(key=lambda one: bool(one.waits_for_groups))
        bars = tuple(
            Contraindication(code, self.offset(begin), self.offset(end))
            for code, begin, end in document["contraindications"]
        )
        products = tuple(
            Contraindication(
                code,
                None,
                None,
                tuple((cvx, self.offset(begin), self.offset(end)) for cvx, begin, end in vaccines),
            )
            for code, vaccines in document["product_contraindications"]
        )
        history = frozenset(document["immunity"].get("history", ()))
        births = tuple(
            BirthDateImmunity(_day(one["before"], LATEST_DAY), one["country"], frozenset(one["except"]))
            for one in document["immunity"].get("births", ())
        )
        asked = {one.code for one in (*bars, *products)} | history
        asked |= {code for birth in births for code in birth.exceptions}
        for one in series:
            asked |= {indication.code for indication in one.indications}
            asked |= {rule.from_observation for dose in one.doses for rule in dose.intervals if rule.from_observation}
        return Antigen(
            name=name,
            vaccine_group=vaccine_group,
            immunity_observations=history,
            birth_immunity=births,
            contraindications=bars,
            product_contraindications=products,
            without_indication=MappingProxyType(
                {
                    gender: tuple(
                        one for one in series if one.kind != "risk" and (not one.genders or gender in one.genders)
                    )
                    for gender in GENDERS
                }
            ),
            series=tuple(series),
            observations=frozenset(asked),
            concerned=self._concerned(name, series),
            ages=AgeScale.of(self._ages(series, bars, products)),
            days=tuple(sorted(set(_turning_days(series)))),
        )

    def _concerned(self, antigen: str, series: Iterable[Series]) -> frozenset[str]:
        """The antigen's own vaccines, those that intervals count from, and those that conflict with any of them."""
        own = {
            cvx for cvx, one in self.document["cvx"].items() if any(antigen == name for name, _, _ in one["antigens"])
        }
        own |= {cvx for one in series for cvx in one.preferable_vaccines}
        recent = {cvx for one in series for dose in one.doses for rule in dose.intervals for cvx in rule.from_recent}
        conflicting = {previous for previous, current, *_ in self.document["conflicts"] if current in own}
        return frozenset(own | recent | conflicting)

    def _ages(
        self, series: Iterable[Series], bars: Iterable[Contraindication], products: Iterable[Contraindication]
    ) -> Iterable[Offset]:
        """Every age on which something about the antigen may begin or end."""
        found: list[Offset | None] = []
        for bar in (*bars, *products):
            found += [bar.begin, bar.end, *(age for _, begin, end in bar.vaccines for age in (begin, end))]
        for one in series:
            found += [one.min_age_to_start, one.max_age_to_start]
            found += [age for row in one.indications for age in (row.begin, row.end)]
            for dose in one.doses:
                found += [rule.maximum for rule in dose.ages]
                found += [age for rows in dose.preferable.values() for row in rows for age in (row.begin, row.end)]
                for condition in _conditions(dose):
                    found += [condition.begin, condition.end]
        return (age for age in found if age is not None)

    def _series(self, antigen: str, vaccine_group: str, document: Mapping[str, Any], blends_as: Any) -> Series:
        self.index += 1
        doses = tuple(self._dose(number, one) for number, one in enumerate(document["doses"], 1))
        waits = {
            group
            for dose in doses
            for skip in (*dose.evaluation_skips, *dose.forecast_skips)
            for one in skip.sets
            for condition in one.conditions
            for group in condition.series_groups
        }
        intervals = [
            condition.interval
            for dose in doses
            for skip in dose.forecast_skips
            for one in skip.sets
            for condition in one.conditions
        ]
        return Series(
            index=self.index,
            name=document["name"],
            antigen=antigen,
            vaccine_group=vaccine_group,
            kind=document["type"],
            blends_as=blends_as,
            genders=frozenset(document["genders"]),
            indications=tuple(
                Indication(code, self.offset(begin), self.offset(end)) for code, begin, end in document["indications"]
            ),
            series_group=document["group"],
            series_group_name=document["group_name"],
            equivalent_groups=frozenset(document["equivalent"]),
            is_default=document["default"],
            is_product_path=document["product_path"],
            priority=document["priority"],
            preference=document["preference"],
            min_age_to_start=self.offset(document["min_age_to_start"]),
            max_age_to_start=self.offset(document["max_age_to_start"]),
            doses=doses,
            preferable_vaccines=frozenset(cvx for dose in doses for cvx in dose.preferable),
            waits_for_groups=frozenset(waits),
            skip_intervals=tuple(dict.fromkeys(one for one in intervals if one is not None)),
        )

    def _dose(self, number: int, document: Mapping[str, Any]) -> SeriesDose:
        ages = tuple(self._age(row) for row in document["ages"])
        always = len(ages) == 1 and ages[0].effective <= EARLIEST_DAY and ages[0].cessation >= LATEST_DAY
        skips = [(one["context"], self._skip(one)) for one in document["skips"]]
        season = document["season"] or (None, None)
        preferable = self.preferable[int(document["preferable"])]
        products = tuple(one for rows in preferable.values() for one in rows)
        return SeriesDose(
            number=number,
            ages=ages,
            only_age=ages[0] if always else None,
            intervals=tuple(self._interval(row) for row in document["intervals"]),
            allowable_intervals=tuple(
                self._interval([reference, absolute, None, None, None, False, effective, cessation])
                for reference, absolute, effective, cessation in document["allowable_intervals"]
            ),
            preferable=preferable,
            products=products,
            offered=tuple(one for one in products if one.offered),
            live=tuple(cvx for cvx in preferable if cvx in self.conflicting),
            allowable=self.allowable[int(document["allowable"])],
            inadvertent=frozenset(document["inadvertent"]),
            evaluation_skips=tuple(skip for context, skip in skips if context != "forecast"),
            forecast_skips=tuple(skip for context, skip in skips if context != "evaluation"),
            recurring=document["recurring"],
            season_start=None if season[0] is None else _day(season[0], EARLIEST_DAY),
            season_end=None if season[1] is None else _day(season[1], LATEST_DAY),
        )

    def _age(self, row: list[Any]) -> AgeRule:
        *ages, effective, cessation = row
        absolute, minimum, earliest, latest, maximum = (self.offset(age) for age in ages)
        return AgeRule(
            absolute,
            minimum,
            earliest,
            latest,
            maximum,
            _day(effective, EARLIEST_DAY),
            _day(cessation, LATEST_DAY),
        )

    def _interval(self, row: list[Any]) -> IntervalRule:
        (kind, *value), absolute, minimum, earliest, latest, priority, effective, cessation = row
        return IntervalRule(
            from_previous=kind == "previous",
            from_target=value[0] if kind == "target" else None,
            from_recent=frozenset(value[0] if kind == "recent" else ()),
            from_observation=value[0] if kind == "observation" else None,
            absolute_minimum=self.offset(absolute),
            minimum=self.offset(minimum),
            earliest_recommended=self.offset(earliest),
            latest_recommended=self.offset(latest),
            has_priority=priority,
            effective=_day(effective, EARLIEST_DAY),
            cessation=_day(cessation, LATEST_DAY),
        )

    def _preferable(self, rows: Iterable[list[Any]]) -> Mapping[str, tuple[PreferableVaccine, ...]]:
        found: dict[str, list[PreferableVaccine]] = {}
        for cvx, begin, end, trade_name, mvx, volume, offered in rows:
            millilitres = None if volume is None else float(volume)
            vaccine = PreferableVaccine(
                cvx, self.offset(begin), self.offset(end), trade_name, mvx, millilitres, offered
            )
            found.setdefault(cvx, []).append(vaccine)
        return {cvx: tuple(vaccines) for cvx, vaccines in found.items()}

    def _allowable(self, rows: Iterable[list[Any]]) -> Mapping[str, tuple[VaccineWindow, ...]]:
        found: dict[str, list[VaccineWindow]] = {}
        for cvx, begin, end in rows:
            found.setdefault(cvx, []).append((self.offset(begin), self.offset(end)))
        return {cvx: tuple(windows) for cvx, windows in found.items()}

    def _skip(self, document: Mapping[str, Any]) -> Skip:
        return Skip(
            document["logic"] == "and",
            tuple(
                SkipSet(
                    one["logic"] == "and",
                    _day(one["effective"][0], EARLIEST_DAY),
                    _day(one["effective"][1], LATEST_DAY),
                    tuple(self._condition(condition) for condition in one["conditions"]),
                )
                for one in document["sets"]
            ),
        )

    def _condition(self, document: Mapping[str, Any]) -> SkipCondition:
        begin, end = document.get("ages", (None, None))
        start_day, end_day = document.get("dates", (None, None))
        comparison, count = document.get("than", (">", 0))
        return SkipCondition(
            kind=document["type"],
            begin=self.offset(begin),
            end=self.offset(end),
            interval=self.offset(document.get("interval")),
            series_groups=frozenset(document.get("series_groups", ())),
            start_day=_day(start_day, EARLIEST_DAY),
            end_day=_day(end_day, LATEST_DAY),
            comparison=comparison,
            count=count,
            valid_only=document.get("doses") == "valid",
            vaccines=frozenset(document.get("vaccines", ())),
        )


def _conditions(dose: SeriesDose) -> Iterable[SkipCondition]:
    for skip in (*dose.evaluation_skips, *dose.forecast_skips):
        for one in skip.sets:
            yield from one.conditions


def _turning_days(series: Iterable[Series]) -> Iterable[int]:
    """First days of what is in force for a time: seasons, effective-dated rows (the day after a last day counts)."""
    for dose in (dose for one in series for dose in one.doses):
        rows = (*dose.ages, *dose.intervals, *dose.allowable_intervals)
        sets = [one for skip in (*dose.evaluation_skips, *dose.forecast_skips) for one in skip.sets]
        for row in (*rows, *sets):
            yield from (row.effective, row.cessation + 1)
        if dose.season_start is not None:
            yield dose.season_start
        if dose.season_end is not None:
            yield dose.season_end + 1


def _day(text: str | None, default: int) -> int:
    return default if text is None else date.fromisoformat(text).toordinal()
