"""Write what is derived from the visit schedule's data file: gapsvc/measures/common/VisitSchedule.cql (the slots that
the visit measures reckon with) and the tables of docs/visits.md. `--check` writes nothing and tells what is stale.

python scripts/make_visit_schedule.py [--check]
"""

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
CQL = ROOT / "gapsvc" / "measures" / "common" / "VisitSchedule.cql"
PAGE = ROOT / "docs" / "visits.md"
OVERLAY = "medi-cal"
# The measures that reckon with slots end at 30 months (3 by 120, W30); WCV counts by calendar year.
YOUNGER_THAN_MONTHS = 36

sys.path.insert(0, str(ROOT))

from gapsvc.schedule.visits import VisitSchedule, load  # noqa: E402 - the script runs from anywhere
from gapsvc.schedule.visits.ages import Age  # noqa: E402
from gapsvc.schedule.visits.schedule import Item  # noqa: E402


def cql(schedule: VisitSchedule) -> str:
    """The library that VisitGaps.cql includes."""
    slots = [slot for slot in schedule.slots if not slot.in_hospital and slot.opens.months < YOUNGER_THAN_MONTHS]
    rows = ",\n".join(
        f"      Tuple {{ opens: {_sum(slot.opens)}, overdueAfter: {_sum(slot.overdue_after)} }}" for slot in slots
    )
    return f"""// {schedule.name} {schedule.version}, windows {schedule.windows}.
// Made by scripts/make_visit_schedule.py from gapsvc/schedule/visits/data/{schedule.version}.toml: change that one.
library VisitSchedule version '1.0.0'

using FHIR version '4.0.1'

include Child version '1.0.0' called Child

context Patient

// Birth to 30 months: the day each visit's window opens, and the day after which it is overdue. The newborn visit is
// left out: it takes place in the birth hospital, and a hospital stay is no chance for an outpatient visit.
define "Visit Slots":
  if Child."Birth Date" is null then null
  else (Tuple {{ birth: Child."Birth Date" }}) B
    return {{
{rows}
    }}
"""


def _sum(age: Age) -> str:
    """`B.birth + 3 months + 15 days`."""
    parts = ["B.birth"]
    if age.months:
        parts.append(f"+ {age.months} months")
    if age.days:
        parts.append(f"{'-' if age.days < 0 else '+'} {abs(age.days)} days")
    return " ".join(parts)


def tables(schedule: VisitSchedule) -> dict[str, str]:
    """The tables of docs/visits.md, by the name of their place in it."""
    visits = _table(
        ("Visit", "id", "Opens", "Target", "Overdue after", "Closes"),
        (
            (
                slot.title + (" (birth hospital)" if slot.in_hospital else ""),
                f"`{slot.id}`",
                slot.opens.text,
                slot.target.text,
                slot.overdue_after.text,
                slot.closes.text,
            )
            for slot in schedule.slots
        ),
    )
    items = _table(
        ("Item", "id", "Universal at", "Where a risk is known", "Shown by", "Source"),
        (
            (
                item.title + (" (with every visit)" if item.with_visit else ""),
                f"`{item.id}`",
                _ages(item, schedule) or "-",
                _spans([one.at for one in item.risk], schedule) or "-",
                ", ".join(f"`{name}`" for name in item.value_sets),
                item.source,
            )
            for item in schedule.items
        ),
    )
    untracked = _table(
        ("Not tracked", "Asked at"),
        (
            (
                title,
                _spans(
                    [
                        slot.title
                        for slot, said in zip(schedule.slots, schedule.untracked, strict=True)
                        if title in said
                    ],
                    schedule,
                ),
            )
            for title in dict.fromkeys(title for said in schedule.untracked for title in said)
            if title not in {text for _, text in schedule.risk_questions}
        ),
    )
    sources = _table(("Source", "What it is"), ((f"`{key}`", text) for key, text in schedule.sources.items()))
    return {"visits": visits, "items": items, "untracked": untracked, "sources": sources}


def _ages(item: Item, schedule: VisitSchedule) -> str:
    """When an item is wanted of every child, in words."""
    if item.repeat is not None:
        return item.repeat.at
    visits = {slot.title for slot in schedule.slots}
    at_visits = [one.at for one in item.universal if one.at in visits]
    others = [one.at for one in item.universal if one.at not in visits]
    if "first year" in others:
        return "once in each year of age"
    return "; ".join([*([_spans(at_visits, schedule)] if at_visits else []), *others])


def _spans(titles: Iterable[str], schedule: VisitSchedule) -> str:
    """`9 months, 3 years to 6 years`: three or more visits in a row as a span."""
    order = [slot.title for slot in schedule.slots]
    places = sorted(order.index(title) for title in titles)
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    words = [
        f"{order[run[0]]} to {order[run[-1]]}" if len(run) > 2 else ", ".join(order[at] for at in run) for run in runs
    ]
    return ", ".join(words)


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(text: str, schedule: VisitSchedule) -> str:
    """docs/visits.md with its tables as the data has them: each between `<!-- table: NAME -->` and `<!-- end -->`."""
    for name, table in tables(schedule).items():
        before, begin, rest = text.partition(f"<!-- table: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not (begin and end):
            raise ValueError(f"{PAGE}: no place for the table {name!r}")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` tell those that are out of date. Exit code 1 if there are some."""
    schedule = load(overlay=OVERLAY)
    wanted = {CQL: cql(schedule), PAGE: page(PAGE.read_text(encoding="utf-8"), schedule)}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            print(f"{name} is out of date: run python scripts/make_visit_schedule.py", file=sys.stderr)
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
