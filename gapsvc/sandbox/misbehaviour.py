"""How the sandbox EHR is told to misbehave, as real ones do (design/ehr.md). Deterministic: by counting requests."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

_KINDS = (
    "slow",
    "too_many",
    "server_error",
    "unavailable",
    "dropped",
    "truncated",
    "outcome_entry",
    "bare_outcome",
    "expired_page",
    "foreign_next",
)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Every nth request meets each kind; 0 is never. Where two kinds fall on one request, the first below wins.

    The count is over all requests of the server, so a request that is repeated comes through. `expired_page` and
    `foreign_next` count pages, not requests.
    """

    slow: int = 0  # waits `slow_seconds`, then answers (or does what else falls due)
    too_many: int = 0  # 429 with Retry-After
    server_error: int = 0  # 500 with an OperationOutcome
    unavailable: int = 0  # 503 with an HTML page, no Retry-After
    dropped: int = 0  # the connection is closed: by turns before the answer, and halfway through it
    truncated: int = 0  # 200 with half of a JSON document, of the length it announces
    outcome_entry: int = 0  # a warning (Epic 4117) as an entry with search.mode outcome; 4101 on empty results
    bare_outcome: int = 0  # the same without search.mode
    expired_page: int = 0  # each search's page session expires once, at its nth page (410, Epic 4113)
    foreign_next: int = 0  # every nth next link points to `foreign_origin`: an attack on the bearer token
    slow_seconds: float = 0.2
    retry_after: str = "0"  # the header's value: seconds, `date` for an HTTP date `retry_after_date_seconds` ahead
    retry_after_date_seconds: int = 1
    foreign_origin: str = "http://attacker.example.org/fhir"

    @staticmethod
    def none() -> "Misbehaviour":
        return Misbehaviour()

    @staticmethod
    def all() -> "Misbehaviour":
        """Everything that a good client gets over: all kinds but the foreign link, which must stop it."""
        return Misbehaviour(
            slow=23,
            too_many=7,
            server_error=11,
            unavailable=13,
            dropped=17,
            truncated=19,
            outcome_entry=3,
            bare_outcome=5,
            expired_page=3,
            slow_seconds=0.05,
        )

    @staticmethod
    def names() -> tuple[str, ...]:
        """The kinds that `parse` takes."""
        return _KINDS

    @staticmethod
    def parse(texts: Iterable[str]) -> "Misbehaviour":
        """From words such as `too_many=7`, `slow=5` (every nth), or `all`, as a command line gives them.

        Raises:
            ValueError: a word is not understood; the message says which and what is.
        """
        base = Misbehaviour()
        settings: dict[str, int] = {}
        for text in texts:
            name, equals, number = text.replace("-", "_").partition("=")
            if text == "all":
                base = Misbehaviour.all()
            elif name in Misbehaviour.names() and equals and number.isascii() and number.isdigit():
                settings[name] = int(number)
            else:
                known = ", ".join(Misbehaviour.names())
                raise ValueError(f"{text!r} is not understood; write all, or NAME=N (every Nth) with NAME of: {known}")
        return replace(base, **settings)
