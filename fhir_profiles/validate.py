"""Checks a FHIR resource against the DEQM 5.0.0 profiles that we produce.

Cardinality (slices too), types, fixed and pattern values, required and extensible bindings with known codes,
reference targets, invariants. A bundle as a whole is checked by `validate_bundle`.

Messages name the element and what was expected, never its value: that may be a patient's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fhir_profiles.constraint_tables import Element, Profile, data_types, profiles, value_sets
from fhir_profiles.invariants import CHECKS
from fhir_profiles.navigate import each_of, object_at, strings_at
from fhir_profiles.outcome import OutcomeIssue
from fhir_profiles.plain import JsonMapping
from fhir_profiles.primitives import PRIMITIVE_TYPES, primitive_problem
from fhir_profiles.references import is_local


@dataclass(frozen=True, slots=True)
class Issue:
    """A departure from a profile. `code` is FHIR's issue-type; `path` a FHIRPath with indices; `rule` the
    element id or the invariant's key; `profile` the canonical URL of the profile that is departed from."""

    severity: str
    code: str
    path: str
    message: str
    rule: str
    profile: str

    def outcome(self) -> OutcomeIssue:
        """The same, as an issue of an OperationOutcome."""
        return OutcomeIssue(
            self.severity,
            self.code,
            diagnostics=f"{self.message} ({self.rule} of {self.profile})",
            expression=(self.path,),
        )


def validate(resource: JsonMapping, profile: str | None = None) -> list[Issue]:
    """Every departure of `resource` from `profile`, or, when None, from the known profiles it declares in
    meta.profile (none known: nothing is checked).

    Raises ValueError for a profile that we have no table of.
    """
    known = profiles()
    if profile is not None:
        if profile not in known:
            raise ValueError(f"no constraint table for {profile}; known are {', '.join(sorted(known))}")
        declared: Sequence[str] = (profile,)
    else:
        declared = [url.partition("|")[0] for url in strings_at(object_at(resource, "meta"), "profile")]
    found: list[Issue] = []
    for url in declared:
        if url in known:
            found.extend(_Check(known[url], resource).run())
    return found


@dataclass(slots=True)
class _Check:
    """One walk of a resource (or extension) beside a profile's table."""

    profile: Profile
    resource: JsonMapping
    issues: list[Issue] = field(default_factory=list[Issue])

    def run(self) -> list[Issue]:
        if self.resource.get("resourceType") != self.profile.type:
            self.report("structure", self.profile.type, f"expected a {self.profile.type}", self.profile.type)
        else:
            self.value(self.profile.root, self.resource, self.profile.type, self.profile.type)
        return self.issues

    def report(self, code: str, path: str, message: str, rule: str, severity: str = "error") -> None:
        found = Issue(severity, code, path, message, rule, self.profile.url)
        if found not in self.issues:
            self.issues.append(found)

    def value(self, element: Element, value: Any, kind: str, path: str) -> None:
        """Check one value of an element; `kind` is its FHIR type."""
        if kind in PRIMITIVE_TYPES:
            problem = primitive_problem(kind, value)
            if problem:
                self.report("value", path, problem, element.id)
                return
        elif not isinstance(value, dict):
            self.report("structure", path, f"expected a {kind}", element.id)
            return
        elif not value:
            self.report("structure", path, f"expected a {kind} with content", "ele-1")
        if element.same_as is not None:
            element = self.profile.by_id[element.same_as]
        self.constants(element, value, path)
        self.binding(element, value, path)
        self.invariants(element, value, path)
        if isinstance(value, dict):
            node = cast(dict[str, Any], value)
            if kind == "Reference":
                self.target(element, node, path)
            self.children(element, node, kind, path)
            if kind == "Extension":
                self.extension(node, path)

    def constants(self, element: Element, value: Any, path: str) -> None:
        if element.fixed is not None and value != element.fixed:
            self.report("value", path, f"expected exactly {element.fixed!r}", element.id)
        if element.pattern is not None and not _matches(element.pattern, value):
            self.report("value", path, f"expected to contain {element.pattern!r}", element.id)

    def binding(self, element: Element, value: Any, path: str) -> None:
        if element.binding is None:
            return
        strength, url = element.binding
        known = value_sets().get(url)
        if known is None:
            return
        if isinstance(value, str):
            ok = value in known.codes
        else:
            ok = any(
                str(coding.get("code")) in known.codes and coding.get("system") == known.system
                for coding in each_of(value, "coding")
            )
        if not ok:
            severity = "error" if strength == "required" else "warning"
            self.report("code-invalid", path, f"expected a code of {url} ({strength})", element.id, severity)

    def invariants(self, element: Element, value: Any, path: str) -> None:
        for key in element.invariants:
            check = CHECKS.get(key)  # ele-1 is the emptiness check of `value` and `children`
            if check is not None and not check(
                cast(JsonMapping, value if isinstance(value, dict) else {}), self.resource
            ):
                published = self.profile.invariants[key]
                self.report("invariant", path, f"{key} does not hold: {published.expression}", key, published.severity)

    def target(self, element: Element, reference: JsonMapping, path: str) -> None:
        said = reference.get("reference")
        targets = [kind.targets for kind in element.types if kind.code == "Reference"]
        if not isinstance(said, str) or not is_local(said) or not targets or not targets[0]:
            return
        if said.partition("/")[0] not in targets[0]:
            expected = " or ".join(sorted(targets[0]))
            self.report("value", path, f"expected a reference to {expected}", element.id)

    def extension(self, node: JsonMapping, path: str) -> None:
        """An extension whose definition we have is held to it, wherever it stands."""
        definition = profiles().get(str(node.get("url")))
        if definition is not None:
            inner = _Check(definition, self.resource)
            if definition is not self.profile:
                inner.value(definition.root, node, "Extension", path)
            self.issues.extend(issue for issue in inner.issues if issue not in self.issues)

    def children(self, element: Element, node: Mapping[str, Any], kind: str, path: str) -> None:
        below = element.children
        if not below:
            below = data_types().get(kind, {})
        if not below:
            return
        expected = {"resourceType"} if "." not in element.id else set[str]()
        for child in below.values():
            present = list(_present(child, node, path))
            expected.update(name for name, _, _, _ in present)
            self.child(child, present, node, path)
        for name, value in node.items():
            if name.removeprefix("_") not in expected:
                self.report("structure", f"{path}.{name}", f"no such element in {kind}", element.id)
            elif value in ("", [], {}):
                self.report("structure", f"{path}.{name}", "empty: leave the element out", "ele-1")

    def child(
        self, child: Element, present: list[tuple[str, str, Any, str]], node: Mapping[str, Any], path: str
    ) -> None:
        values: list[tuple[str, Any, str]] = []
        for name, kind, value, where in present:
            if child.is_list:
                if not isinstance(value, list):
                    self.report("structure", where, "expected a list", child.id)
                    continue
                items = cast(list[Any], value)
                values.extend((kind, item, f"{where}[{index}]") for index, item in enumerate(items))
            elif isinstance(value, list):
                self.report("structure", where, "expected one value, not a list", child.id)
            elif value is not None or f"_{name}" not in node:
                values.append((kind, value, where))
        label = f"{path}.{child.name.removesuffix('[x]')}"
        # A primitive may have no value but extensions (`_status`): it is there, without a value to check.
        self.count(child, max(len(values), len(present)) if not child.is_list else len(values), label)
        for kind, value, where in values:
            if value is not None or kind not in PRIMITIVE_TYPES:
                self.value(child, value, kind, where)
        self.sliced(child, values, label)

    def count(self, element: Element, number: int, path: str) -> None:
        if number < element.min:
            self.report("required", path, f"expected at least {element.min}, found {number}", element.id)
        if element.max is not None and number > element.max:
            self.report("structure", path, f"expected at most {element.max}, found {number}", element.id)

    def sliced(self, element: Element, values: Sequence[tuple[str, Any, str]], path: str) -> None:
        for piece in element.slices.values():
            members = [each for each in values if _in_slice(element, piece, each[0], each[1])]
            # A slice of a choice (value[x]:valueIdentifier) is counted by the choice itself.
            if not element.name.endswith("[x]"):
                self.count(piece, len(members), path)
            for kind, value, where in members:
                self.value(piece, value, kind, where)


def _present(child: Element, node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, Any, str]]:
    """(JSON name, type, value, path) of what stands in `node` for `child`; several only for a wrong choice."""
    name = child.name
    if not name.endswith("[x]"):
        if name in node or f"_{name}" in node:
            kind = child.types[0].code if child.types else "BackboneElement"
            yield name, kind, node.get(name), f"{path}.{name}"
        return
    stem = name.removesuffix("[x]")
    for kind in child.types:
        typed = f"{stem}{kind.code[0].upper()}{kind.code[1:]}"
        if typed in node or f"_{typed}" in node:
            yield typed, kind.code, node.get(typed), f"{path}.{typed}"


def _in_slice(element: Element, piece: Element, kind: str, value: Any) -> bool:
    discriminators = element.sliced_by or (("value", "url"),)
    for how, where in discriminators:
        if (how, where) == ("type", "$this"):
            if kind not in {each.code for each in piece.types}:
                return False
        elif not isinstance(value, dict):
            return False
        elif (how, where) == ("value", "url"):
            url = piece.children["url"].fixed if "url" in piece.children else piece.types[0].profiles[0]
            if cast(JsonMapping, value).get("url") != url:
                return False
        elif (how, where) == ("type", "resource"):
            kinds = [each.code for each in piece.children["resource"].types]
            if object_at(cast(JsonMapping, value), "resource").get("resourceType") not in kinds:
                return False
        else:
            raise NotImplementedError(f"{element.id} is sliced by {how} {where}: the checker knows no such slicing")
    return True


def _matches(pattern: Any, value: Any) -> bool:
    """FHIR pattern[x]: everything in the pattern is in the value; each list item of it in some item there."""
    if isinstance(pattern, dict):
        wanted = cast(dict[str, Any], pattern)
        if not isinstance(value, dict):
            return False
        found = cast(dict[str, Any], value)
        return all(name in found and _matches(part, found[name]) for name, part in wanted.items())
    if isinstance(pattern, list):
        items = cast(list[Any], value) if isinstance(value, list) else []
        return all(any(_matches(part, item) for item in items) for part in cast(list[Any], pattern))
    return pattern == value
