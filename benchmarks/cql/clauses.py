"""Single clauses of a measure over one child's record: microseconds, printed.

Three clauses of a measure over one child's record, by generated Python, by the reference evaluator and by a loop
written by hand; and what it costs to compile a library and to open a session.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import cql_like
from cql_like.compiler import Compiled

TEXT = """library Clauses
using FHIR version '4.0.1'
valueset "Well Visit": 'urn:vs:well'
parameter "Period" Interval<Date>
context Patient
define "Finished": [Encounter] E where E.status = 'finished'
define "Well In Period":
  Count([Encounter: type in "Well Visit"] E
    where E.status = 'finished' and date from E.period.start.value in "Period") >= 2
define "By First Birthday":
  exists ([Immunization] I
    where I.status = 'completed'
      and date from (I.occurrence as FHIR.dateTime).value on or before Patient.birthDate.value + 1 year)
"""
WELL = frozenset({("urn:cpt", "99391"), ("urn:cpt", "99392")})
BIRTH = date(2023, 3, 14)
ROUNDS = 5


class Record:
    """One child with 20 encounters and 25 immunizations, indexed as a loaded record is."""

    def __init__(self) -> None:
        days = [BIRTH + timedelta(days=30 * number) for number in range(25)]
        self.by_type: dict[str, list[dict[str, Any]]] = {
            "Patient": [{"resourceType": "Patient", "id": "p", "birthDate": BIRTH.isoformat()}],
            "Encounter": [
                {
                    "resourceType": "Encounter",
                    "id": f"e{number}",
                    "status": "finished" if number % 5 else "cancelled",
                    "type": [{"coding": [{"system": "urn:cpt", "code": "99391" if number % 2 else "99213"}]}],
                    "period": {"start": f"{day.isoformat()}T09:00:00-08:00"},
                }
                for number, day in enumerate(days[:20])
            ],
            "Immunization": [
                {
                    "resourceType": "Immunization",
                    "id": f"i{number}",
                    "status": "completed" if number > 3 else "not-done",
                    "occurrenceDateTime": day.isoformat(),
                }
                for number, day in enumerate(days)
            ],
        }
        self.well = [
            encounter
            for encounter in self.by_type["Encounter"]
            if (encounter["type"][0]["coding"][0]["system"], encounter["type"][0]["coding"][0]["code"]) in WELL
        ]

    def retrieve(self, resource_type: str, code_path: str | None = None, codes: object = None) -> list[dict[str, Any]]:
        """See cql_like.retrieve.Retriever."""
        return self.well if codes is not None else self.by_type[resource_type]


def finished(record: Record) -> list[dict[str, Any]]:
    """By hand: "Finished"."""
    return [encounter for encounter in record.retrieve("Encounter") if encounter.get("status") == "finished"]


def well_in_period(record: Record) -> bool:
    """By hand: "Well In Period"."""
    start, end, count = "2023-01-01", "2023-12-31", 0
    for encounter in record.retrieve("Encounter", "type", WELL):
        if encounter.get("status") == "finished":
            day = encounter.get("period", {}).get("start", "")[:10]
            count += start <= day <= end
    return count >= 2


def by_first_birthday(record: Record) -> bool:
    """By hand: "By First Birthday"."""
    birth = date.fromisoformat(record.retrieve("Patient")[0]["birthDate"])
    limit = birth.replace(year=birth.year + 1).isoformat()
    for immunization in record.retrieve("Immunization"):
        if immunization.get("status") == "completed" and immunization.get("occurrenceDateTime", "9")[:10] <= limit:
            return True
    return False


BY_HAND: dict[str, Callable[[Record], Any]] = {
    "Finished": finished,
    "Well In Period": well_in_period,
    "By First Birthday": by_first_birthday,
}


def microseconds(run: Callable[[], object], times: int) -> float:
    """The best of a few rounds, per call."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(times):
            run()
        best = min(best, time.process_time() - start)
    return best / times * 1e6


def main() -> None:
    """Prints the table."""
    library = cql_like.compile_library(TEXT)
    parameters = {"Period": cql_like.Interval(cql_like.Date(2023, 1, 1), cql_like.Date(2023, 12, 31))}
    terminology = cql_like.ExpandedTerminology({("urn:vs:well", None): WELL}, {"urn:vs:well": None})
    now = datetime(2024, 1, 1, tzinfo=UTC)
    fast = library.prepare(parameters, terminology, now)
    slow = library.prepare(parameters, terminology, now, engine="reference")
    record = Record()

    print(f"{'µs per clause':24}{'compiled':>10}{'reference':>11}{'by hand':>9}{'ref/comp':>10}{'comp/hand':>11}")
    for define, by_hand in BY_HAND.items():
        assert fast.session(record).evaluate(define) == slow.session(record).evaluate(define) == by_hand(record)
        compiled = microseconds(lambda define=define: fast.session(record).evaluate(define), 2000)
        reference = microseconds(lambda define=define: slow.session(record).evaluate(define), 100)
        hand = microseconds(lambda by_hand=by_hand: by_hand(record), 5000)
        ratios = f"{reference / compiled:10.1f}{compiled / hand:11.1f}"
        print(f"{define:24}{compiled:10.1f}{reference:11.1f}{hand:9.1f}{ratios}")
    print(f"{'a session':24}{microseconds(lambda: fast.session(record), 20_000):10.2f}")
    print(f"{'prepare':24}{microseconds(lambda: library.prepare(parameters, terminology, now), 200):10.0f}")
    print(f"{'parse and analyse':24}{microseconds(lambda: cql_like.compile_library(TEXT), 20):10.0f}")
    print(f"{'compile to Python':24}{microseconds(lambda: Compiled.of(library.program), 20):10.0f}")


if __name__ == "__main__":
    main()
