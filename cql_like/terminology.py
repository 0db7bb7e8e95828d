"""The terminology port, value set membership (CQL §Terminology operators), and its in-memory implementation.

`ExpandedTerminology` holds value sets that say themselves which codes they contain: by an `expansion`, or by a
`compose` that lists its concepts or draws on other value sets held here (FHIR R4 §ValueSet). It asks no server.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cql_like.retrieve import CodeKey, JsonObject


class UnknownValueSet(LookupError):
    """A value set that the terminology does not hold: a missing one is an error, never an empty set."""

    def __init__(self, url: str, version: str | None, looked_in: str) -> None:
        self.url, self.version = url, version
        wanted = f"{url}|{version}" if version else url
        super().__init__(f"value set {wanted} is not in {looked_in}")


class UnusableValueSet(UnknownValueSet):
    """A value set that is held, but does not say in full which codes it contains."""

    def __init__(self, url: str, version: str | None, reason: str) -> None:
        super().__init__(url, version, "")
        wanted = f"{url}|{version}" if version else url
        self.args = (f"value set {wanted} cannot be used: {reason}",)


class Terminology(Protocol):
    """Expanded value sets. Membership is decided by (system, code); displays and code versions are ignored."""

    def expand(self, url: str, version: str | None = None) -> frozenset[CodeKey]:
        """The codes of a value set.

        Raises:
            UnknownValueSet: it is not known in that version.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExpandedTerminology:
    """Value sets by (url, version): the codes of each, or the reason (text) why it has none that can be trusted."""

    value_sets: Mapping[tuple[str, str | None], frozenset[CodeKey] | str]
    latest: Mapping[str, str | None]

    @staticmethod
    def of(valuesets: Iterable[JsonObject]) -> "ExpandedTerminology":
        """A terminology from FHIR R4 ValueSet resources (JSON objects).

        Of equal url and version the last one counts. A set that can't be used (no url is not among them: that is
        an error here) is kept with the reason, and `expand` raises it: it spoils only what needs it.

        Raises:
            ValueError: a resource is not a ValueSet with a url.
        """
        resources: dict[tuple[str, str | None], JsonObject] = {}
        for number, resource in enumerate(valuesets, start=1):
            if resource.get("resourceType") != "ValueSet" or not isinstance(resource.get("url"), str):
                raise ValueError(
                    f"resource {number} is {resource.get('resourceType')} {resource.get('id')!r}: "
                    "expected a ValueSet with a url"
                )
            resources[resource["url"], resource.get("version")] = resource
        latest: dict[str, str | None] = {}
        for url, version in resources:
            if url not in latest or _version_order(version) > _version_order(latest[url]):
                latest[url] = version
        reader = _Reader(resources, latest)
        return ExpandedTerminology({key: reader.codes(key) for key in resources}, latest)

    def expand(self, url: str, version: str | None = None) -> frozenset[CodeKey]:
        """See Terminology. Without a version the highest one held counts; `url|version` is understood too.

        Raises:
            UnknownValueSet: it is not held in that version.
            UnusableValueSet: it is held, but does not list its codes in full.
        """
        key = _key(url, version, self.latest)
        found = self.value_sets.get(key)
        if found is None:
            raise UnknownValueSet(*key, f"the terminology ({len(self.value_sets)} value sets{self._held(key[0])})")
        if isinstance(found, str):
            raise UnusableValueSet(*key, found)
        return found

    def _held(self, url: str) -> str:
        versions = sorted(version or "no version" for held, version in self.value_sets if held == url)
        return f"; of this one: {', '.join(versions)}" if versions else ""


def _key(url: str, version: str | None, latest: Mapping[str, str | None]) -> tuple[str, str | None]:
    if version is None and "|" in url:
        url, _, version = url.partition("|")
    return url, latest.get(url) if version is None else version


def _version_order(version: str | None) -> list[tuple[bool, int, str]]:
    """Versions in the order that people mean: numbers as numbers, none before all."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"[.\-]", version or "")]


class _Reader:
    """Reads the codes of each value set once; sets may draw on each other, but not in a circle."""

    def __init__(self, resources: Mapping[tuple[str, str | None], JsonObject], latest: Mapping[str, str | None]):
        self._resources, self._latest = resources, latest
        self._done: dict[tuple[str, str | None], frozenset[CodeKey] | str] = {}
        self._open: set[tuple[str, str | None]] = set()

    def codes(self, key: tuple[str, str | None]) -> frozenset[CodeKey] | str:
        if key in self._done:
            return self._done[key]
        if key in self._open:
            return "it is defined in a circle"
        self._open.add(key)
        resource = self._resources[key]
        if "expansion" in resource:
            result = self._expansion(resource["expansion"])
        elif "compose" in resource:
            result = self._compose(resource["compose"])
        else:
            result = "it has neither an expansion nor a compose"
        self._open.discard(key)
        self._done[key] = result
        return result

    def _expansion(self, expansion: Mapping[str, Any]) -> frozenset[CodeKey] | str:
        codes: set[CodeKey] = set()
        entries: list[Mapping[str, Any]] = list(expansion.get("contains", ()))
        count = 0
        while entries:
            entry = entries.pop()
            count += 1
            if entry.get("code") is not None and not entry.get("abstract"):
                codes.add((entry.get("system"), entry["code"]))
            entries.extend(entry.get("contains", ()))
        total = expansion.get("total", 0)
        if total > count:
            return f"its expansion holds {count} of {total} codes"
        return frozenset(codes)

    def _compose(self, compose: Mapping[str, Any]) -> frozenset[CodeKey] | str:
        codes: set[CodeKey] = set()
        for include in compose.get("include", ()):
            part = self._part(include)
            if isinstance(part, str):
                return part
            codes |= part
        for exclude in compose.get("exclude", ()):
            part = self._part(exclude)
            if isinstance(part, str):
                return part
            codes -= part
        return frozenset(codes)

    def _part(self, part: Mapping[str, Any]) -> frozenset[CodeKey] | str:
        """One include or exclude: its concepts and every value set it names must agree on a code (FHIR R4)."""
        if "filter" in part:
            return f"it selects codes of {part.get('system')} by a filter, which needs a terminology server"
        found: list[frozenset[CodeKey]] = []
        if "concept" in part:
            found.append(frozenset((part.get("system"), concept["code"]) for concept in part["concept"]))
        elif "system" in part and "valueSet" not in part:
            return f"it means all codes of {part['system']}, which needs a terminology server"
        for canonical in part.get("valueSet", ()):
            key = _key(canonical, None, self._latest)
            if key not in self._resources:
                return f"it draws on {canonical}, which is not held"
            codes = self.codes(key)
            if isinstance(codes, str):
                return f"it draws on {canonical}: {codes}"
            system = part.get("system")
            found.append(frozenset(pair for pair in codes if system is None or pair[0] == system))
        if not found:
            return "an include of its compose names neither concepts nor value sets"
        codes, *others = found
        for other in others:
            codes &= other
        return codes
