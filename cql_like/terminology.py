"""The terminology port: value set membership (CQL §Terminology operators)."""

from typing import Protocol

from cql_like.retrieve import CodeKey


class UnknownValueSet(LookupError):
    """A value set that the terminology does not hold: a missing one is an error, never an empty set."""

    def __init__(self, url: str, version: str | None, looked_in: str) -> None:
        self.url, self.version = url, version
        wanted = f"{url}|{version}" if version else url
        super().__init__(f"value set {wanted} is not in {looked_in}")


class Terminology(Protocol):
    """Expanded value sets. Membership is decided by (system, code); displays and code versions are ignored."""

    def expand(self, url: str, version: str | None = None) -> frozenset[CodeKey]:
        """The codes of a value set.

        Raises:
            UnknownValueSet: it is not known in that version.
        """
        ...
