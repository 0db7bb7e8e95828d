"""A child's services (screenings, tests, varnish) under the schedule: what was done for which age, and what is due.

A row fills the window of its item that holds its day; windows of one item never overlap, so there is nothing to choose.
What lies in no universal window fills the window of a risk, where there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .plan import Done, LeftOut, ServiceState, SlotStatus
from .schedule import Item, Occurrence, Repeat
from .standing import Clock

# A usable row: (day, reference), in order.
Shown = tuple[date, str]
NOT_SCHEDULED = "not-scheduled"
TOO_SOON = "too-soon"


@dataclass(slots=True)
class Services:
    """What is found, item by item."""

    clock: Clock
    states: list[ServiceState]
    left_out: list[LeftOut]
    changes: list[date]

    def add(self, item: Item, shown: Sequence[Shown], at_risk_since: date | None) -> None:
        """The states of one item. `shown`: the rows that show it done, in order of day and reference."""
        if not shown and self.clock.as_of > self.clock.ends:
            return  # past the schedule's last age, nothing is asked
        if item.repeat is not None:
            spare = self._repeated(item, item.repeat, shown)
        else:
            spare = self._scheduled(item, item.universal, shown)
        if item.risk and (spare or at_risk_since is not None):
            spare = self._at_risk(item, shown, spare, at_risk_since or date.max)
        if spare and not item.with_visit:  # weights and the like are taken at every contact: no evidence of anything
            self.left_out += [LeftOut(reference, on, NOT_SCHEDULED, item.id) for on, reference in spare]

    def _scheduled(self, item: Item, times: Sequence[Occurrence], shown: Sequence[Shown]) -> Sequence[Shown]:
        """Universal times in order, up to and with the first that is still to come. Gives back what fills none."""
        dates, known_from = self.clock.dates, self.clock.known_from
        spare: list[Shown] = []
        at, count = 0, len(shown)
        for time in times:
            last_day = dates[time.last_day]
            if last_day < known_from and (at == count or shown[at][0] > last_day):
                continue
            due_from = dates[time.due_from]
            while at < count and shown[at][0] < due_from:
                spare.append(shown[at])
                at += 1
            first = at
            while at < count and shown[at][0] <= last_day:
                at += 1
            if self._state(item, time.id, time.at, True, due_from, dates[time.due_by], last_day, shown[first:at]):
                break
        spare += shown[at:]
        return spare

    def _at_risk(self, item: Item, shown: Sequence[Shown], spare: Sequence[Shown], since: date) -> Sequence[Shown]:
        """Times for children at risk: those not yet over when the risk became known, and those that a spare row fills.

        Of a child at risk one test may be the universal one that was missed and the one for the risk.
        """
        dates, as_of = self.clock.dates, self.clock.as_of
        ahead = False
        for time in item.risk:
            due_from, due_by, last_day = dates[time.due_from], dates[time.due_by], dates[time.last_day]
            wanted = since <= last_day
            if wanted and since > as_of and not ahead:
                self.changes.append(since)  # on that day it will be asked for, or be told as missed
            wanted = wanted and since <= as_of
            inside = [row for row in (shown if wanted else spare) if due_from <= row[0] <= last_day]
            spare = [row for row in spare if row not in inside]
            if inside or (wanted and not ahead):
                ahead |= self._state(item, time.id, time.at, False, due_from, due_by, last_day, inside)
        return spare

    def _repeated(self, item: Item, repeat: Repeat, shown: Sequence[Shown]) -> Sequence[Shown]:
        """Each that counts, and the next. Those sooner after the last than the schedule wants do not count."""
        dates = self.clock.dates
        first, last_day = dates[repeat.first], dates[repeat.last_day]
        due_from, due_by = first, dates[repeat.first_by]
        spare: list[Shown] = []
        number, at = 0, 0
        while at < len(shown):
            on, reference = shown[at]
            if first <= on <= last_day and on >= due_from:
                same_day = [row for row in shown[at:] if row[0] == on]
                number, at = number + 1, at + len(same_day)
                self._state(item, f"{item.id}.{number}", repeat.at, True, due_from, due_by, last_day, same_day)
                due_from, due_by = repeat.after.after(on), min(repeat.by.after(on), last_day)
                continue
            if first <= on <= last_day:
                self.left_out.append(LeftOut(reference, on, TOO_SOON, item.id))
            else:
                spare.append((on, reference))
            at += 1
        if due_from <= last_day and (self.clock.as_of <= last_day or due_by < last_day):
            self._state(item, f"{item.id}.{number + 1}", repeat.at, True, due_from, due_by, last_day, ())
        return spare

    def _state(
        self,
        item: Item,
        name: str,
        at: str,
        universal: bool,
        due_from: date,
        due_by: date,
        last_day: date,
        inside: Sequence[Shown],
    ) -> bool:
        """Note one state, unless nothing was known of the child then or is asked now. Whether it is still to come."""
        if inside:
            status, changes_on = SlotStatus.DONE, None
        else:
            status, changes_on = self.clock.stand(due_from, due_by, last_day)
            if status is SlotStatus.AGED_OUT:
                return False
        if changes_on is not None:
            self.changes.append(changes_on)
        self.states.append(
            ServiceState(
                name,
                item.id,
                item.title,
                at,
                universal,
                due_from,
                due_by,
                last_day,
                status,
                tuple([Done(reference, on) for on, reference in inside]) if inside else (),
                item.order,
                item.with_visit,
            )
        )
        return status is SlotStatus.NOT_DUE
