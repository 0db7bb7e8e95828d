"""Who (or, on a resource basis, what) is in which population of a group, what is observed of them, and their strata.

Source: FHIR Clinical Reasoning and the Quality Measure IG; which population draws on which is a table
(gapsvc.measures.scoring). Members go by a key: `Encounter/7`, or "" for the person where the basis is boolean.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

import cql_like
from gapsvc.evaluation.result import Coding, Label, Observations, StratifierResult, Stratum
from gapsvc.evaluation.scoring import score
from gapsvc.measures import Group
from gapsvc.measures.definition import Observation, Stratifier
from gapsvc.measures.scoring import OBSERVATION, OBSERVED, POPULATION_ROWS, PopulationRow

Say = Callable[[str], Any]
Members = Mapping[str, Any]
_NOBODY: Members = MappingProxyType({})
_PERSON: Members = MappingProxyType({"": None})
NO_VALUE = Label("no value", Coding("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "NI", "NoInformation"))


@dataclass(frozen=True, slots=True)
class Observed:
    """The values of one observation, by member, in one unit."""

    of: str
    aggregate: str
    values: Mapping[str, Decimal]
    unit: str | None

    def of_members(self, keys: Members) -> Observations:
        """Those of some members."""
        kept = tuple(value for key, value in self.values.items() if key in keys)
        return Observations(self.of, self.aggregate, kept, self.unit)


def rows_of(group: Group, scoring: str) -> tuple[tuple[str, str, PopulationRow], ...]:
    """(population, define, row) in the order of evaluation, `of` cut down to the population that the group has."""
    found: list[tuple[str, str, PopulationRow]] = []
    for row in POPULATION_ROWS[scoring]:
        if row.population in group.populations:
            of = next(((name,) for name in row.of if name in group.populations), ())
            without = tuple(name for name in row.without if name in group.populations)
            found.append(
                (row.population, group.populations[row.population], PopulationRow(row.population, of, without))
            )
    return tuple(found)


def populations(rows: Iterable[tuple[str, str, PopulationRow]], say: Say, *, boolean: bool) -> dict[str, Members]:
    """The members of each population. Where nobody can be in one, its define is not asked; null is nobody."""
    found: dict[str, Members] = {}
    for name, define, row in rows:
        if row.of:
            pool = found[row.of[0]]
            for taken in row.without:
                if found[taken]:
                    pool = {key: member for key, member in pool.items() if key not in found[taken]}
            if not pool:
                found[name] = _NOBODY
                continue
            if boolean:
                found[name] = _PERSON if say(define) is True else _NOBODY
            else:
                found[name] = {key: member for key, member in _listed(say(define)) if key in pool}
        elif boolean:
            found[name] = _PERSON if say(define) is True else _NOBODY
        else:
            found[name] = dict(_listed(say(define)))
    return found


def _listed(value: Any) -> Iterable[tuple[str, Any]]:
    """Key and member of each member of a list; null elements are none."""
    for member in value or ():
        if member is not None:
            yield key_of(member), member


def key_of(member: Any) -> str:
    """`Type/id` of a resource; of one without an id its place in memory, which is unique within a record."""
    return reference_of(member) or f"#{id(member)}"


def reference_of(resource: Any) -> str | None:
    """`Type/id`; None for what is no resource with an id."""
    if isinstance(resource, Mapping) and "resourceType" in resource and "id" in resource:
        return f"{resource['resourceType']}/{resource['id']}"
    return None


# ------------------------------------------------------------------------------------------------ observations


def observe(observation: Observation, members: Mapping[str, Members], say: Say, *, boolean: bool) -> Observed:
    """The values of an observation for those who are in its population and not excluded from it; nulls left out.

    Raises:
        cql_like.CqlRuntimeError: a value is no number, or the values have several units.
    """
    excluded = members.get(OBSERVED[observation.of], _NOBODY)
    wanted = [key for key in members[observation.of] if key not in excluded]
    values: dict[str, Decimal] = {}
    units: set[str | None] = set()
    if wanted:
        said = say(observation.define)
        pairs = [("", said)] if boolean else [(key_of(row["member"]), row["value"]) for row in said or ()]
        found = dict(reversed(pairs))
        for key in wanted:
            number = _number(found.get(key))
            if number is not None:
                values[key] = number[0]
                units.add(number[1])
    if len(units) > 1:
        named = ", ".join(sorted(unit or "1" for unit in units))
        raise cql_like.CqlRuntimeError(f"observations of the {observation.of} are in several units: {named}")
    return Observed(observation.of, observation.aggregate, MappingProxyType(values), next(iter(units), None))


def _number(value: Any) -> tuple[Decimal, str | None] | None:
    """A value and its unit: of a number, a quantity, or a Quantity in FHIR JSON.

    None for null, and for what is not known exactly (hours between days without a time): that is no observation.
    """
    if isinstance(value, cql_like.ModelValue):
        value = value.value
    if isinstance(value, cql_like.Quantity):
        return value.value, None if value.unit == "1" else value.unit
    if isinstance(value, Mapping):
        json = cast("Mapping[str, Any]", value)
        if json.get("value") is None:
            return None
        return Decimal(str(json["value"])), json.get("code") or json.get("unit")
    if value is None or isinstance(value, cql_like.Uncertainty):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise cql_like.CqlRuntimeError(f"a measure observation is a {type(value).__name__}; expected a number")
    return Decimal(str(int(value) if isinstance(value, int) else value)), None


def counted(members: Mapping[str, Members], observed: Sequence[Observed]) -> Mapping[str, int]:
    """How many members each population has, and how many observations were made."""
    found = {name: len(inside) for name, inside in members.items()}
    for one in observed:
        name = OBSERVATION if one.of == "measure-population" else f"{OBSERVATION}.{one.of}"
        found[name] = len(one.values)
    return MappingProxyType(found)


# ------------------------------------------------------------------------------------------------ strata


def stratify(
    stratifier: Stratifier, scoring: str, members: Mapping[str, Members], observed: Sequence[Observed], say: Say
) -> StratifierResult:
    """The strata that a person's members fall into, in the order in which they are met."""
    everybody: dict[str, Any] = {}
    for inside in members.values():
        everybody.update(inside)
    by_values: dict[tuple[Label, ...], dict[str, Any]] = {}
    if everybody:
        columns = [
            _labels(say(component.define), everybody, by_member=by_member)
            for component, by_member in zip(stratifier.components, stratifier.by_member, strict=True)
        ]
        for key in everybody:
            by_values.setdefault(tuple(column[key] for column in columns), {})[key] = None
    strata: list[Stratum] = []
    for values, keys in by_values.items():
        inside = {
            name: {key: member for key, member in found.items() if key in keys} for name, found in members.items()
        }
        seen = [one.of_members(keys) for one in observed]
        kept = [
            Observed(one.of, one.aggregate, {k: v for k, v in one.values.items() if k in keys}, one.unit)
            for one in observed
        ]
        counts = counted(inside, kept)
        strata.append(Stratum(values, counts, tuple(seen), score(scoring, counts, seen)))
    codes = tuple(
        Label(component.text, None if component.coding is None else Coding(*component.coding))
        for component in stratifier.components
    )
    return StratifierResult(stratifier.id, codes, stratifier.has_components, tuple(strata))


def _labels(said: Any, everybody: Members, *, by_member: bool) -> Mapping[str, Label]:
    if by_member:
        found = {key_of(row["member"]): label(row["value"]) for row in reversed(said or ())}
        return {key: found.get(key, NO_VALUE) for key in everybody}
    if isinstance(said, list | tuple):  # a list of members: who is in it, and who isn't
        inside = dict(_listed(cast("Sequence[Any]", said)))
        return {key: label(key in inside) for key in everybody}
    return dict.fromkeys(everybody, label(said))


def label(value: Any) -> Label:
    """A CQL value (or FHIR JSON of a code or concept) in words, and coded where it is."""
    if isinstance(value, cql_like.ModelValue):
        value = value.value
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return Label("true" if value else "false")
    if isinstance(value, cql_like.Code):
        return _coded(value.system, value.code, value.display, None)
    if isinstance(value, cql_like.Concept):
        first = value.codes[0] if value.codes else cql_like.Code(None)
        return _coded(first.system, first.code, first.display, value.display)
    if isinstance(value, Mapping):
        return _label_of_parts(cast("Mapping[str, Any]", value))
    if isinstance(value, str | int | Decimal):
        return Label(str(value))
    if isinstance(value, list | tuple):
        return Label(", ".join(label(item).text for item in cast("Sequence[Any]", value)) or "none")
    return Label(cql_like.to_cql(value).removeprefix("@"))


def _label_of_parts(parts: Mapping[str, Any]) -> Label:
    """A CodeableConcept, a Coding, or a tuple; one with `codes` (as supplemental data often are) by its first code."""
    if reference := reference_of(parts):
        return Label(reference)
    codings: Sequence[Any] = parts.get("coding") or parts.get("codes") or ()
    if codings:
        first = label(codings[0])
        said = parts.get("text") or parts.get("display")
        return Label(said, first.coding) if isinstance(said, str) else first
    if isinstance(parts.get("code"), str):
        return _coded(parts.get("system"), parts["code"], parts.get("display"), None)
    if isinstance(parts.get("text"), str):
        return Label(parts["text"])
    return Label(", ".join(f"{name}: {label(part).text}" for name, part in parts.items() if part is not None))


def _coded(system: str | None, code: str | None, display: str | None, text: str | None) -> Label:
    said = text or display or code or NO_VALUE.text
    return Label(said, Coding(system, code, display) if system and code else None)
