"""Reading a `$cql` request: a FHIR Parameters resource whose parameters are values, resources and parts; every
mistake named, all at once (Using CQL with FHIR, OperationDefinition cql-cql)."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Request

from fhir_profiles.outcome import OutcomeIssue
from gapsvc.api.answers import Refusal
from gapsvc.api.parameters import is_id, parameters_resource

LONGEST_EXPRESSION = 100_000  # characters
_SUPPORTED = ("expression", "subject", "parameters", "library", "data", "useServerData")
_UNSUPPORTED = {
    "prefetchData": "not supported; give the resources as data",
    "dataEndpoint": "not supported: no other server is asked; give the resources as data",
    "contentEndpoint": "not supported: libraries are installed on the server",
    "terminologyEndpoint": "not supported: value sets are installed on the server, or given in data",
}
_ONCE = frozenset(_SUPPORTED) - {"library"}
_STRINGS = frozenset({"valueString", "valueReference", "valueId", "valueMarkdown"})
_CANONICALS = frozenset({"valueCanonical", "valueUri", "valueUrl", "valueString"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, checked. `subject` is a Patient id; `libraries` are (canonical, alias); `data` the resources of the
    Bundle, each a JSON object with a resourceType."""

    expression: str
    subject: str | None
    parameters: Mapping[str, Any] | None
    libraries: tuple[tuple[str, str | None], ...]
    data: tuple[Mapping[str, Any], ...]
    use_server_data: bool


def read_request(request: Request) -> Asked:
    """The request's Parameters, checked.

    Raises:
        Refusal: 400 with an issue for each mistake, or 415 for a body of another type.
    """
    return _Reader().read(parameters_resource(request).get("parameter", []))


class _Reader:
    def __init__(self) -> None:
        self._issues: list[OutcomeIssue] = []

    def read(self, listed: list[Any]) -> Asked:
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for at, entry in enumerate(listed):
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                self._wrong("structure", f"Parameters.parameter[{at}]", "a parameter has a name")
                continue
            name = entry["name"]
            if name in _UNSUPPORTED:
                self._wrong("not-supported", name, _UNSUPPORTED[name])
            elif name not in _SUPPORTED:
                close = difflib.get_close_matches(name[:64], _SUPPORTED, n=1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_SUPPORTED)}"
                self._wrong("not-supported", name[:64], f"there is no such parameter; {hint}")
            else:
                by_name.setdefault(name, []).append(entry)
        for name, entries in by_name.items():
            if name in _ONCE and len(entries) > 1:
                self._wrong("invalid", name, "given more than once; expected one value")
        first = {name: entries[0] for name, entries in by_name.items()}
        asked = Asked(
            expression=self._expression(first.get("expression")),
            subject=self._subject(first.get("subject")),
            parameters=self._resource("parameters", "Parameters", first.get("parameters")),
            libraries=tuple(self._library(entry) for entry in by_name.get("library", ())),
            data=self._data(first.get("data")),
            use_server_data=self._boolean(first.get("useServerData"), True),
        )
        if self._issues:
            raise Refusal(400, self._issues)
        return asked

    def _wrong(self, code: str, name: str, text: str) -> None:
        self._issues.append(OutcomeIssue("error", code, diagnostics=f"{name}: {text}", expression=(name,)))

    def _text(self, name: str, entry: Mapping[str, Any], keys: frozenset[str]) -> str | None:
        found = [entry[key] for key in sorted(keys) if key in entry]
        text = found[0].get("reference") if found and isinstance(found[0], dict) else found[0] if found else None
        if not isinstance(text, str) or not text.strip():
            self._wrong("value", name, f"expected {' or '.join(sorted(keys))} with a value")
            return None
        return text

    def _expression(self, entry: Mapping[str, Any] | None) -> str:
        if entry is None:
            self._wrong("required", "expression", "which CQL expression is to be evaluated?")
            return ""
        text = self._text("expression", entry, _STRINGS) or ""
        if len(text) > LONGEST_EXPRESSION:
            self._wrong("too-long", "expression", f"longer than {LONGEST_EXPRESSION} characters")
        return text

    def _subject(self, entry: Mapping[str, Any] | None) -> str | None:
        text = self._text("subject", entry, _STRINGS) if entry is not None else None
        if text is None:
            return None
        kind, slash, identity = text.rpartition("/")
        if (slash and kind != "Patient") or not is_id(identity):
            self._wrong("value", "subject", "expected Patient/<id>")
        return identity

    def _resource(self, name: str, resource_type: str, entry: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if entry is None:
            return None
        resource = entry.get("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
            self._wrong("value", name, f"expected a {resource_type} resource")
            return None
        return cast("Mapping[str, Any]", resource)

    def _library(self, entry: Mapping[str, Any]) -> tuple[str, str | None]:
        """A canonical with an alias: as parts `url` and `name`, or the canonical alone as the value."""
        parts = entry.get("part")
        if parts is None:
            return self._text("library", entry, _CANONICALS) or "", None
        by_name = {part["name"]: part for part in parts if isinstance(part, dict) and isinstance(part.get("name"), str)}
        if "url" not in by_name or set(by_name) - {"url", "name"}:
            self._wrong("value", "library", "expected the parts url and, for an alias, name")
            return "", None
        alias = self._text("library", by_name["name"], _STRINGS) if "name" in by_name else None
        return self._text("library", by_name["url"], _CANONICALS) or "", alias

    def _data(self, entry: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
        bundle = self._resource("data", "Bundle", entry)
        if bundle is None:
            return ()
        entries = bundle.get("entry", [])
        found: list[Mapping[str, Any]] = []
        for at, each in enumerate(entries if isinstance(entries, list) else [None]):
            resource = each.get("resource") if isinstance(each, dict) else None
            if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                self._wrong("value", "data", f"Bundle.entry[{at}] has no resource with a resourceType")
            else:
                found.append(cast("Mapping[str, Any]", resource))
        return tuple(found)

    def _boolean(self, entry: Mapping[str, Any] | None, default: bool) -> bool:
        if entry is None:
            return default
        if not isinstance(entry.get("valueBoolean"), bool):
            self._wrong("value", "useServerData", "expected valueBoolean, true or false")
            return default
        return bool(entry["valueBoolean"])
