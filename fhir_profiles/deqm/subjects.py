"""DEQM 5.0.0 Subject-list MeasureReport (`subjectlist-measurereport-deqm`): a summary that says who is counted.

Each count, of a population or of a stratum, names a List (`indv-measurereport-list`) whose items are the individual
MeasureReports of those in it. It tells of persons, so nothing is masked; who may see it may see the reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fhir_profiles.deqm.reporting import Reporting, measure_report_id
from fhir_profiles.deqm.summary import many_report
from fhir_profiles.inputs import ReportedGroupLike, ResultLike, StratifierLike, StratumLike, SummaryLike
from fhir_profiles.plain import Resource, clean, narrative, paragraphs, stable_id
from fhir_profiles.terms import INDIVIDUAL_MEASURE_REPORT_LIST, SUBJECT_LIST_MEASURE_REPORT

# group id, population, and for a stratum: stratifier id and its values in words
_Whose = tuple[str, ...]


def subject_list(
    summary: SummaryLike, results: Sequence[ResultLike], reporting: Reporting, *, asked: str
) -> tuple[Resource, list[Resource]]:
    """The report, and the Lists that it names.

    `results` are those of the people counted in `summary`, of the same measure; `asked` is as in
    `summary_measure_report`.
    """
    lists = _Lists(summary, reporting, asked, _members(results))
    report = many_report(summary, reporting, "subject-list", SUBJECT_LIST_MEASURE_REPORT, asked=asked, listing=lists)
    return report, list(lists.made.values())


@dataclass(slots=True)
class _Lists:
    """Makes each List when it is named."""

    summary: SummaryLike
    reporting: Reporting
    asked: str
    members: Mapping[_Whose, Sequence[str]]
    made: dict[_Whose, Resource] = field(default_factory=dict[_Whose, Resource])

    def reference(
        self, group: str, population: str, stratifier: StratifierLike | None = None, stratum: StratumLike | None = None
    ) -> str:
        whose = _whose(group, population, stratifier, stratum)
        if whose not in self.made:
            self.made[whose] = self._list(whose)
        return f"List/{self.made[whose]['id']}"

    def _list(self, whose: _Whose) -> Resource:
        members = self.members.get(whose, ())
        summary = self.summary
        title = clean(f"{summary.measure_title}: {', '.join(whose)}")
        found: Resource = {
            "resourceType": "List",
            "id": stable_id(
                "List",
                f"{summary.measure_url}|{summary.measure_version}",
                summary.period_start.isoformat(),
                summary.period_end.isoformat(),
                self.asked,
                *whose,
            ),
            "meta": {"profile": [INDIVIDUAL_MEASURE_REPORT_LIST]},
            "text": narrative(paragraphs([f"{title}. {len(members):,} people."])),
            "status": "current",
            "mode": "snapshot",
            "title": title,
            "date": self.reporting.moment,
        }
        if members:
            found["entry"] = [{"item": {"reference": f"MeasureReport/{report}"}} for report in members]
        else:
            found["emptyReason"] = {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "nilknown"}],
                "text": "Nobody is in this population.",
            }
        return found


def _members(results: Sequence[ResultLike]) -> Mapping[_Whose, Sequence[str]]:
    """Ids of individual reports by population and stratum, in the order of the results."""
    found: dict[_Whose, list[str]] = {}
    for result in results:
        report = measure_report_id(result)
        for group in result.groups:
            for whose in _memberships(group):
                found.setdefault(whose, []).append(report)
    return found


def _memberships(group: ReportedGroupLike) -> list[_Whose]:
    found = [_whose(group.id, name) for name, count in group.populations.items() if count]
    for stratifier in group.stratifiers:
        for stratum in stratifier.strata:
            found += [
                _whose(group.id, name, stratifier, stratum) for name, count in stratum.populations.items() if count
            ]
    return found


def _whose(
    group: str, population: str, stratifier: StratifierLike | None = None, stratum: StratumLike | None = None
) -> _Whose:
    if stratifier is None or stratum is None:
        return (group, population)
    values = (f"{one.text} ({one.coding.code})" if one.coding else one.text for one in stratum.values)
    return (group, population, stratifier.id, *values)
