"""Reading the groups of a FHIR Measure: populations, observations, stratifiers.

Two passes, because types are known only once the library is compiled: `draft` reads what the Measure says and names
the criteria, `finish` holds them against the library. Source: FHIR R4 Measure.group, Quality Measure IG.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gapsvc.measures.definition import Criterion, Group, Observation, Stratifier
from gapsvc.measures.documents import Resource, Sourced, codings_of, extension_value, items, text_at
from gapsvc.measures.drivers import BOOLEAN_BASIS, Drivers
from gapsvc.measures.scoring import (
    AGGREGATES,
    NUMERATOR_INITIAL_POPULATION,
    OBSERVABLE,
    OBSERVATION,
    PERMITTED,
    REQUIRED,
    SCORINGS_WITH_GAPS,
)

_IDENTIFIERS: Final = ("text/cql-identifier", "text/cql.identifier")
_EXPRESSIONS: Final = ("text/cql-expression", "text/cql.expression", "text/cql")
_INITIAL: Final = "initial-population"


@dataclass(frozen=True, slots=True)
class _Population:
    """One population as the Measure has it. `name` is its code, or its name where the code stands there twice."""

    id: str
    name: str
    define: str
    reference: str | None  # the id that criteriaReference names
    aggregate: str | None


@dataclass(frozen=True, slots=True)
class _Stratifier:
    id: str
    title: str
    components: tuple[Criterion, ...]
    has_components: bool


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A group as the Measure says it, not yet held against the library."""

    id: str
    title: str
    scoring: str
    own_scoring: str
    improvement: str
    basis: str
    where: str
    populations: tuple[_Population, ...]
    stratifiers: tuple[_Stratifier, ...]


@dataclass(slots=True)
class GroupReader:
    """Reads the groups of one Measure. `scoring` is the measure's own, empty where it has none."""

    measure: Sourced
    drivers: Drivers
    scoring: str
    problems: list[str]
    _ids: set[str] = field(default_factory=set[str])

    def draft(self, group: Resource, number: int) -> GroupDraft | None:
        """One group; None where its scoring is not known (which is a problem)."""
        name = text_at(group, "id") or (f"group-{number}")
        where = f"{self.measure.where}: group {name!r}"
        if name in self._ids:
            self.problems.append(f"{where}: the id is used twice")
        self._ids.add(name)
        own = [str(coding.get("code")) for coding in codings_of(extension_value(group, "scoring"))]
        own_scoring = next((code for code in own if code in PERMITTED), "")
        scoring = own_scoring or self.scoring
        if not scoring:
            has_one = bool(own) or bool(codings_of(self.measure.resource.get("scoring")))
            if own or not has_one:
                said = f"scoring {own[0][:80]!r} is not known" if own else "scoring is missing"
                self.problems.append(f"{where}: {said}; expected one of {', '.join(PERMITTED)}")
            return None
        basis = extension_value(group, "populationBasis") or extension_value(self.measure.resource, "populationBasis")
        populations = self._populations(group, scoring, where)
        improvements = [str(coding.get("code")) for coding in codings_of(extension_value(group, "improvementNotation"))]
        if improvements and not {"increase", "decrease"} & set(improvements):
            said = repr(improvements[0][:80])
            self.problems.append(f"{where}: improvementNotation {said} is not known; expected increase or decrease")
        return GroupDraft(
            id=name,
            title=_words(group) or text_at(self.measure.resource, "title") or name,
            scoring=scoring,
            own_scoring=own_scoring if own_scoring != self.scoring else "",
            improvement=next((code for code in improvements if code in ("increase", "decrease")), ""),
            basis=str(basis or BOOLEAN_BASIS).rpartition("/")[2],
            where=where,
            populations=populations,
            stratifiers=tuple(
                made
                for at, item in enumerate(items(group, "stratifier"), 1)
                if (made := self._stratifier(item, at, where)) is not None
            ),
        )

    def _populations(self, group: Resource, scoring: str, where: str) -> tuple[_Population, ...]:
        found: list[_Population] = []
        permitted = PERMITTED[scoring]
        seen: set[str] = set()
        for number, item in enumerate(items(group, "population"), 1):
            codes = [str(coding.get("code")) for coding in codings_of(item.get("code"))]
            code = next((one for one in codes if one in permitted), None)
            name = text_at(item, "id") or (f"population-{number}" if code is None else code)
            at = f"{where}, population {name!r}"
            if code is None:
                said = repr(codes[0][:80]) if codes else "without a code"
                expected = ", ".join(permitted)
                self.problems.append(f"{at}: {said} is no population of a {scoring} measure; expected {expected}")
                continue
            if name in seen:
                self.problems.append(f"{at}: the id is used twice")
            seen.add(name)
            made = criterion(item, code, self.drivers, self.problems, at)
            if made is None:
                continue
            reference = extension_value(item, "criteriaReference")
            criteria: Any = item.get("criteria")
            aggregate = extension_value(item, "aggregateMethod") or extension_value(criteria, "aggregateMethod")
            found.append(
                _Population(
                    name,
                    code,
                    made.define,
                    reference if isinstance(reference, str) else None,
                    aggregate.strip().lower() if isinstance(aggregate, str) else None,
                )
            )
        present = {one.name for one in found} | {
            str(coding.get("code")) for item in items(group, "population") for coding in codings_of(item.get("code"))
        }
        for code, need in permitted.items():
            if need == REQUIRED and code not in present:
                self.problems.append(f"{where}: a {scoring} measure needs a {code}")
        return self._repeated(tuple(found), scoring, where)

    def _repeated(self, found: tuple[_Population, ...], scoring: str, where: str) -> tuple[_Population, ...]:
        """Codes that stand there twice: a ratio's second initial population gets its name, others are problems."""
        initial = [one for one in found if one.name == _INITIAL]
        renamed: dict[str, str] = {}
        if scoring == "ratio" and len(initial) == 2:
            of = {one.name: one.reference for one in found if one.name in ("numerator", "denominator")}
            ids = {one.id for one in initial}
            if of.get("numerator") not in ids or of.get("denominator") not in ids or len(set(of.values())) != 2:
                self.problems.append(
                    f"{where}: there are two initial populations; numerator and denominator must each say by a "
                    f"criteriaReference which is theirs ({', '.join(sorted(ids))})"
                )
            renamed = {str(of.get("numerator")): NUMERATOR_INITIAL_POPULATION}
            initial = initial[:1]
        counts: dict[str, int] = {}
        for one in found:
            if one.name not in (OBSERVATION, _INITIAL):
                counts[one.name] = counts.get(one.name, 0) + 1
        counts[_INITIAL] = len(initial)
        self.problems.extend(
            f"{where}: there are {count} of {name}; expected one" for name, count in counts.items() if count > 1
        )
        return tuple(
            _Population(one.id, renamed.get(one.id, one.name), one.define, one.reference, one.aggregate)
            for one in found
        )

    def _stratifier(self, item: Resource, number: int, group: str) -> _Stratifier | None:
        name = text_at(item, "id") or f"stratifier-{number}"
        where = f"{group}, stratifier {name!r}"
        parts = items(item, "component")
        if bool(parts) == ("criteria" in item):
            self.problems.append(f"{where}: expected criteria, or components with criteria, not both")
            return None
        made = [
            criterion(
                part, text_at(part, "id") or f"component {at}" if parts else name, self.drivers, self.problems, where
            )
            for at, part in enumerate(parts or (item,), 1)
        ]
        if None in made:
            return None
        components = tuple(one for one in made if one is not None)
        return _Stratifier(name, _words(item) or name, components, bool(parts))

    # ------------------------------------------------------------------------------------------ second pass

    def finish(self, draft: GroupDraft) -> Group:
        """The group, its criteria held against the compiled library; problems are added to the drivers'."""
        drivers, basis = self.drivers, draft.basis
        if basis != BOOLEAN_BASIS and not basis[:1].isupper():
            drivers.problems.append(
                f"{draft.where}: population basis {basis[:80]!r} is not supported; expected boolean or a resource type"
            )
        populations = {one.name: one.define for one in draft.populations if one.name != OBSERVATION}
        for name, define in populations.items():
            drivers.population(define, basis, f"{draft.where}, population {name!r}")
        observations = tuple(
            made
            for one in draft.populations
            if one.name == OBSERVATION and (made := self._observation(one, draft, populations)) is not None
        )
        twice = [one.of for one in observations]
        if len(set(twice)) != len(twice):
            drivers.problems.append(f"{draft.where}: two observations are made of the same population")
        if draft.scoring == "ratio" and len(observations) == 1 and len(set(twice)) == 1:
            drivers.problems.append(
                f"{draft.where}: a ratio has an observation of both numerator and denominator, or none"
            )
        # Members that are no part of the initial population are not stratified.
        pools = [name for name in (_INITIAL, NUMERATOR_INITIAL_POPULATION) if name in populations]
        others = [define for name, define in populations.items() if not name.startswith("numerator")]
        gaps = draft.scoring in SCORINGS_WITH_GAPS and "numerator" in populations
        return Group(
            id=draft.id,
            title=draft.title,
            populations=MappingProxyType(populations),
            gap=draft.title,
            requirement=drivers.requirement(populations["numerator"], others) if gaps else None,
            basis=basis,
            scoring=draft.own_scoring,
            improvement_notation=draft.improvement,
            observations=observations,
            stratifiers=tuple(self._finished(one, draft, populations, pools) for one in draft.stratifiers),
        )

    def _observation(self, one: _Population, draft: GroupDraft, populations: Mapping[str, str]) -> Observation | None:
        where = f"{draft.where}, population {one.id!r}"
        allowed = [name for name in OBSERVABLE.get(draft.scoring, ()) if name in populations]
        named = {population.id: population.name for population in draft.populations} | {name: name for name in allowed}
        of = named.get(one.reference) if one.reference is not None else (allowed[0] if len(allowed) == 1 else None)
        if of not in allowed:
            said = "no criteriaReference" if one.reference is None else f"criteriaReference {one.reference[:80]!r}"
            self.drivers.problems.append(f"{where}: it has {said}; expected the id of {' or '.join(allowed)}")
            return None
        if one.aggregate not in AGGREGATES:
            said = "no aggregate method" if one.aggregate is None else f"aggregate method {one.aggregate[:80]!r}"
            self.drivers.problems.append(f"{where}: it has {said}; expected one of {', '.join(AGGREGATES)}")
            return None
        define = self.drivers.observation(one.define, populations[of], draft.basis, where)
        return Observation(define, of, one.aggregate)

    def _finished(
        self, one: _Stratifier, draft: GroupDraft, populations: Mapping[str, str], pools: Sequence[str]
    ) -> Stratifier:
        where = f"{draft.where}, stratifier {one.id!r}"
        components: list[Criterion] = []
        by_member: list[bool] = []
        for part in one.components:
            pool = [populations[name] for name in pools]
            define, each = self.drivers.stratifier(part.define, pool, draft.basis, where)
            components.append(Criterion(define, part.text, part.coding))
            by_member.append(each)
        return Stratifier(one.id, one.title, tuple(components), one.has_components, tuple(by_member))


def _words(item: Resource) -> str | None:
    """What an element is called: its description, else its code's words."""
    code = item.get("code")
    said: list[Any] = [item.get("description")]
    if isinstance(code, dict):
        said.append(code.get("text"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    said += [coding.get("display") for coding in codings_of(code)]
    return next((text for text in said if isinstance(text, str) and text.strip()), None)


def criterion(item: Resource, name: str, drivers: Drivers, problems: list[str], where: str) -> Criterion | None:
    """The criteria of a population, component or supplemental data: a define, or a driver for an expression.

    `name` is what it is called where it has no words of its own. None, with a problem, where it can't be used.
    """
    criteria = item.get("criteria")
    if not isinstance(criteria, dict):
        problems.append(f"{where}: criteria is missing")
        return None
    language, expression = str(criteria.get("language")), criteria.get("expression")  # pyright: ignore
    if not isinstance(expression, str) or not expression.strip():
        problems.append(f"{where}: criteria.expression is missing")
        return None
    define: str | None = expression
    if language in _EXPRESSIONS:
        # Older measures write a define's name as an expression, without quotes.
        define = expression if drivers.names(expression) else drivers.expression(expression, where)
    elif language not in _IDENTIFIERS:
        known = ", ".join((_IDENTIFIERS[0], _EXPRESSIONS[0]))
        problems.append(f"{where}: criteria.language {language[:80]!r} is not known; expected one of {known}")
        return None
    if define is None:
        return None
    codings = [one for one in codings_of(item.get("code")) if text_at(one, "system") and text_at(one, "code")]
    coding = (str(codings[0]["system"]), str(codings[0]["code"])) if codings else None
    return Criterion(define, _words(item) or name, coding)
