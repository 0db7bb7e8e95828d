"""CDC's supporting data (XML) to our own schedule document: the facts, checked, without CDC's sentences.

In: the files of one published version, in memory. Out: a JSON-able document (its layout is at `read_schedule`), or
`ScheduleRefused` with *every* problem found: file, element, reason. Nothing is guessed: an unknown element, an unknown
word, a code that is declared nowhere or a missing antigen file refuses the whole import.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .xml_reading import Node, Problem, Unreadable, read_xml
from .xml_shapes import ANTIGEN, SCHEDULE, check_shape
from .xml_values import ANY_CODE, CVX_CODE, OBSERVATION_CODE, ValueReader

FORMAT = 1
_VERSION = re.compile(r"^\d+\.\d+[A-Za-z0-9.-]*$")

Document = dict[str, Any]


class ScheduleRefused(Exception):
    """The files aren't a complete, well-formed schedule. `problems` holds every reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:20]]
        more = len(self.problems) - len(shown)
        super().__init__("\n".join([*shown, *([f"... and {more} more problems"] if more else [])]))


_YES_NO = {"yes": True, "no": False, "y": True, "n": False}
_LOGIC = {"and": "and", "or": "or"}
_SERIES_TYPES = {"standard": "standard", "risk": "risk", "evaluation only": "evaluation only"}
_GENDERS = {"female": "female", "male": "male", "unknown": "unknown"}
_CONTEXTS = {"evaluation": "evaluation", "forecast": "forecast", "both": "both"}
_CONDITION_TYPES = {
    "age": "age",
    "interval": "interval",
    "completed series": "completed series",
    "vaccine count by age": "count",
    "vaccine count by date": "count",
    "vaccine count by date and age": "count",
    "vaccine count by age and date": "count",
}
_COUNT_LOGIC = {"greater than": ">", "equal to": "=", "equal": "=", "equals": "=", "less than": "<"}
_DOSE_TYPES = {"valid": "valid", "total": "total"}


class _AntigenReader(ValueReader):
    """One AntigenSupportingData file."""

    def antigen(self, root: Node) -> tuple[str, Document]:
        """The antigen's name (its series' target disease) and all that the file says of it."""
        series = [self.series(node) for node in root.all("series")]
        names = sorted({self.required(node, "targetDisease") for node in root.all("series")} - {""})
        if len(names) != 1:
            self.problem(root, f"series name {len(names)} target diseases ({', '.join(names)}); one is expected")
        groups = {one["group"] for one in series}
        for node, one in zip(root.all("series"), series, strict=True):
            for other in one["equivalent"]:
                if other not in groups:
                    self.problem(node, f"equivalent series group {other!r} is no series group of this antigen")
            for dose in one["doses"]:
                for skip in dose["skips"]:
                    for condition in (c for s in skip["sets"] for c in s["conditions"]):
                        for other in condition.get("series_groups", ()):
                            if other not in groups:
                                self.problem(node, f"a skip names series group {other!r}, which this antigen lacks")
        immunity = self.child(root, "immunity")
        bars = self.child(root, "contraindications")
        return names[0] if names else "", {
            "immunity": self.immunity(immunity) if immunity else {},
            "contraindications": self.contraindications(bars) if bars else [],
            "product_contraindications": self.product_contraindications(bars) if bars else [],
            "series": series,
        }

    def immunity(self, node: Node) -> Document:
        history = [
            self.code(child, "guidelineCode", OBSERVATION_CODE, "an observation code")
            for child in node.all("clinicalHistory")
            if child.children
        ]
        births: list[Document] = []
        for child in node.all("dateOfBirth"):
            if not child.children:
                continue
            before = self.american_day(child, "immunityBirthDate")
            if before is None:
                self.problem(child, "<immunityBirthDate> is empty")
            births.append(
                {
                    "before": before,
                    "country": self.text(child, "birthCountry"),
                    "except": [
                        self.code(exclusion, "exclusionCode", OBSERVATION_CODE, "an observation code")
                        for exclusion in child.all("exclusion")
                        if exclusion.children
                    ],
                }
            )
        return {"history": history, "births": births}

    def contraindications(self, node: Node) -> list[list[str | None]]:
        group = self.child(node, "vaccineGroup")
        return [
            [
                self.code(child, "observationCode", OBSERVATION_CODE, "an observation code"),
                self.offset(child, "beginAge"),
                self.offset(child, "endAge"),
            ]
            for child in (group.all("contraindication") if group else ())
        ]

    def product_contraindications(self, node: Node) -> list[list[Any]]:
        group = self.child(node, "vaccine")
        return [
            [
                self.code(child, "observationCode", OBSERVATION_CODE, "an observation code"),
                [self.vaccine(vaccine) for vaccine in child.all("contraindicatedVaccine")],
            ]
            for child in (group.all("contraindication") if group else ())
        ]

    def vaccine(self, node: Node) -> list[str | None]:
        """[CVX, begin age, end age]."""
        return [
            self.code(node, "cvx", CVX_CODE, "a CVX code"),
            self.offset(node, "beginAge"),
            self.offset(node, "endAge"),
        ]

    def series(self, node: Node) -> Document:
        chosen = self.child(node, "selectSeries") or node
        doses = [self.dose(child, number) for number, child in enumerate(node.all("seriesDose"), 1)]
        series_type = self.choice(node, "seriesType", _SERIES_TYPES)
        if series_type is None:
            self.problem(node, "<seriesType> is empty")
        indications = [
            [
                self.code(code, "code", OBSERVATION_CODE, "an observation code"),
                self.offset(child, "beginAge"),
                self.offset(child, "endAge"),
            ]
            for child in node.all("indication")
            for code in child.all("observationCode")
        ]
        if series_type == "risk" and not indications:
            self.problem(node, "a risk series without an indication can never apply")
        return {
            "name": self.required(node, "seriesName"),
            "vaccine_group": self.required(node, "vaccineGroup"),
            "type": series_type,
            "genders": [
                gender
                for child in node.all("requiredGender")
                if child.text and child.text.casefold() != "n/a" and (gender := self.gender(child))
            ],
            "indications": indications,
            "group": self.required(chosen, "seriesGroup"),
            "group_name": self.required(chosen, "seriesGroupName"),
            "equivalent": [
                part.strip()
                for part in re.split("[;,]", self.text(node, "equivalentSeriesGroups") or "")
                if part.strip()
            ],
            "default": self.choice(chosen, "defaultSeries", _YES_NO, empty=False),
            "product_path": self.choice(chosen, "productPath", _YES_NO, empty=False),
            "priority": self.choice(chosen, "seriesPriority", {letter: letter for letter in "abc"}, empty="c"),
            "preference": self.number(chosen, "seriesPreference"),
            "min_age_to_start": self.offset(chosen, "minAgeToStart"),
            "max_age_to_start": self.offset(chosen, "maxAgeToStart"),
            "doses": doses,
        }

    def gender(self, node: Node) -> str | None:
        gender = _GENDERS.get(node.text.casefold())
        if gender is None:
            self.problem(node, f"{node.text!r} is none of {', '.join(sorted(_GENDERS))}")
        return gender

    def dose(self, node: Node, position: int) -> Document:
        number = self.text(node, "doseNumber") or ""
        if number.casefold() != f"dose {position}":
            self.problem(node, f"<doseNumber> is {number!r}; 'Dose {position}' is expected here")
        season = self.child(node, "seasonalRecommendation")
        dose: Document = {
            "ages": [self.age(child) for child in node.all("age") if child.children],
            "intervals": [self.interval(child) for child in node.all("interval") if child.children],
            "allowable_intervals": [
                self.allowable_interval(child) for child in node.all("allowableInterval") if child.children
            ],
            "preferable": [self.preferable(child) for child in node.all("preferableVaccine") if child.children],
            "allowable": [self.vaccine(child) for child in node.all("allowableVaccine") if child.children],
            "inadvertent": [
                self.code(child, "cvx", CVX_CODE, "a CVX code")
                for child in node.all("inadvertentVaccine")
                if child.children
            ],
            "skips": [self.skip(child) for child in node.all("conditionalSkip") if child.children],
            "recurring": self.choice(node, "recurringDose", _YES_NO, empty=False),
            "season": [self.day(season, "startDate"), self.day(season, "endDate")]
            if season is not None and season.children
            else None,
        }
        if not dose["preferable"] and not dose["allowable"]:
            self.problem(node, "no vaccine is preferable or allowable, so nothing could ever satisfy this dose")
        return dose

    def effective(self, node: Node) -> list[str | None]:
        return [self.day(node, "effectiveDate"), self.day(node, "cessationDate")]

    def age(self, node: Node) -> list[str | None]:
        tags = ("absMinAge", "minAge", "earliestRecAge", "latestRecAge", "maxAge")
        return [*(self.offset(node, tag) for tag in tags), *self.effective(node)]

    def _reference(self, node: Node) -> list[Any]:
        """What an interval counts from: previous | target n | recent [CVX] | observation code."""
        if self.choice(node, "fromPrevious", _YES_NO, empty=False):
            return ["previous"]
        target = self.number(node, "fromTargetDose")
        recent = self.codes(node, "fromMostRecent")
        observed = self.child(node, "fromRelevantObs")
        if target is not None:
            return ["target", target]
        if recent:
            return ["recent", recent]
        if observed is not None and observed.children:
            return ["observation", self.code(observed, "code", OBSERVATION_CODE, "an observation code")]
        self.problem(node, "names nothing that the interval counts from")
        return ["previous"]

    def interval(self, node: Node) -> list[Any]:
        priority = self.choice(node, "intervalPriority", {"override": True, **_YES_NO}, empty=False)
        tags = ("absMinInt", "minInt", "earliestRecInt", "latestRecInt")
        return [
            self._reference(node),
            *(self.offset(node, tag) for tag in tags),
            bool(priority),
            *self.effective(node),
        ]

    def allowable_interval(self, node: Node) -> list[Any]:
        return [self._reference(node), self.offset(node, "absMinInt"), *self.effective(node)]

    def preferable(self, node: Node) -> list[Any]:
        """[CVX, begin age, end age, trade name, MVX, volume in mL, offered in forecasts]."""
        volume = self.text(node, "volume")
        if volume is not None and not re.fullmatch(r"\d+(\.\d+)?", volume):
            self.problem(node, f"<volume> is {volume!r}; a number of millilitres is expected")
        return [
            *self.vaccine(node),
            self.text(node, "tradeName"),
            self.text(node, "mvx"),
            volume,
            self.choice(node, "forecastVaccineType", _YES_NO, empty=False),
        ]

    def skip(self, node: Node) -> Document:
        return {
            "context": self.choice(node, "context", _CONTEXTS, empty="both"),
            "logic": self.choice(node, "setLogic", _LOGIC, empty="and"),
            "sets": [
                {
                    "logic": self.choice(child, "conditionLogic", _LOGIC, empty="and"),
                    "effective": self.effective(child),
                    "conditions": [self.condition(condition) for condition in child.all("condition")],
                }
                for child in node.all("set")
            ],
        }

    def condition(self, node: Node) -> Document:
        kind = self.choice(node, "conditionType", _CONDITION_TYPES)
        condition: Document = {"type": kind}
        if kind in ("age", "count"):
            condition["ages"] = [self.offset(node, "beginAge"), self.offset(node, "endAge")]
        if kind == "interval":
            condition["interval"] = self.offset(node, "interval")
            if condition["interval"] is None:
                self.problem(node, "<interval> is empty")
        elif kind == "completed series":
            condition["series_groups"] = [
                part.strip() for part in re.split("[;,]", self.text(node, "seriesGroups") or "") if part.strip()
            ]
            if not condition["series_groups"]:
                self.problem(node, "<seriesGroups> is empty")
        elif kind == "count":
            condition["dates"] = [self.day(node, "startDate"), self.day(node, "endDate")]
            condition["than"] = [self.choice(node, "doseCountLogic", _COUNT_LOGIC), self.number(node, "doseCount")]
            condition["doses"] = self.choice(node, "doseType", _DOSE_TYPES)
            condition["vaccines"] = self.codes(node, "vaccineTypes")
            if None in condition["than"] or condition["doses"] is None:
                self.problem(node, "a count needs <doseCount>, <doseCountLogic> and <doseType>")
        elif kind is None:
            self.problem(node, "<conditionType> is empty")
        return condition


_ROWS_OF = {
    "vaccineGroup": ("vaccineGroups", "vaccineGroup"),
    "vaccineGroupMap": ("vaccineGroupToAntigenMap", "vaccineGroupMap"),
}


class _ScheduleReader(ValueReader):
    """The ScheduleSupportingData file."""

    def schedule(self, root: Node) -> Document:
        def rows(outer: str, inner: str) -> list[Node]:
            node = self.child(root, outer)
            return node.all(inner) if node else []

        conflicts = [
            [
                *(
                    self.code(self.child(row, side) or row, "cvx", CVX_CODE, "a CVX code")
                    for side in ("previous", "current")
                ),
                *(
                    self.offset(row, tag)
                    for tag in ("conflictBeginInterval", "minConflictEndInterval", "conflictEndInterval")
                ),
            ]
            for row in rows("liveVirusConflicts", "liveVirusConflict")
        ]
        for row, conflict in zip(rows("liveVirusConflicts", "liveVirusConflict"), conflicts, strict=True):
            if None in conflict:
                self.problem(row, "a conflict needs all three of its intervals")
        full = {
            self.required(row, "name"): self.choice(row, "administerFullVaccineGroup", _YES_NO, empty=False)
            for row in rows("vaccineGroups", "vaccineGroup")
        }
        members = {
            self.required(row, "name"): [child.text for child in row.all("antigen")]
            for row in rows("vaccineGroupToAntigenMap", "vaccineGroupMap")
        }
        for row in (*rows("vaccineGroups", "vaccineGroup"), *rows("vaccineGroupToAntigenMap", "vaccineGroupMap")):
            same = [other for other in rows(*_ROWS_OF[row.tag]) if self.text(other, "name") == self.text(row, "name")]
            names = [child.text for child in row.all("antigen")]
            if len(same) > 1 or len(names) != len(set(names)):
                self.problem(row, "a vaccine group, or an antigen in it, is named twice")
        if set(full) != set(members):
            self.problem(root, f"vaccine groups without antigens, or the reverse: {sorted(set(full) ^ set(members))}")
        cvx: Document = {}
        for row in rows("cvxToAntigenMap", "cvxMap"):
            code = self.code(row, "cvx", CVX_CODE, "a CVX code")
            if code in cvx:
                self.problem(row, f"CVX {code} is mapped twice")
            cvx[code] = {
                "name": self.required(row, "shortDescription"),
                "antigens": [
                    [
                        self.required(child, "antigen"),
                        self.offset(child, "associationBeginAge"),
                        self.offset(child, "associationEndAge"),
                    ]
                    for child in row.all("association")
                ],
            }
            if len({tuple(one) for one in cvx[code]["antigens"]}) != len(cvx[code]["antigens"]):
                self.problem(row, f"CVX {code} names an antigen twice")
        observations: Document = {}
        for row in rows("observations", "observation"):
            code = self.code(row, "observationCode", OBSERVATION_CODE, "an observation code")
            if code in observations:
                self.problem(row, f"observation {code} is defined twice")
            coded = self.child(row, "codedValues")
            observations[code] = {
                "title": self.required(row, "observationTitle"),
                "codes": [
                    [self.required(value, "codeSystem"), self.code(value, "code", ANY_CODE, "a code")]
                    for value in (coded.all("codedValue") if coded else ())
                ],
            }
        return {
            "groups": {name: {"full": flag, "antigens": members.get(name, [])} for name, flag in full.items()},
            "cvx": cvx,
            "conflicts": conflicts,
            "observations": observations,
        }


def read_schedule(files: Mapping[str, bytes], *, version: str, source: str) -> Document:
    """The schedule document of CDC's files (name → content), or ScheduleRefused with every problem.

    `version` is the supporting data's version (`4.64`), `source` says where the files came from; every result repeats
    both. Layout: `format`, `version`, `source`, `groups`, `cvx`, `conflicts`, `observations`, `preferable` and
    `allowable` (lists of vaccines that doses refer to by position, as most doses share theirs) and `antigens`.
    """
    problems: list[Problem] = []
    if not _VERSION.match(version):
        problems.append(Problem("(version)", version or "(empty)", "a version such as 4.64 is expected"))
    roots: dict[str, Node] = {}
    for name in sorted(files):
        try:
            roots[name] = read_xml(name, files[name])
        except Unreadable as error:
            problems.append(error.problem)
    schedule: Document = {}
    antigens: Document = {}
    for name, root in roots.items():
        before = len(problems)
        if root.tag == "scheduleSupportingData":
            check_shape(name, root, SCHEDULE, problems)
            if schedule:
                problems.append(Problem(name, root.where, "a second schedule file"))
            elif len(problems) == before:
                schedule = _ScheduleReader(name, problems).schedule(root)
        elif root.tag == "antigenSupportingData":
            check_shape(name, root, ANTIGEN, problems)
            if len(problems) == before:
                antigen, content = _AntigenReader(name, problems).antigen(root)
                if antigen in antigens:
                    problems.append(Problem(name, root.where, f"a second file for the antigen {antigen}"))
                antigens[antigen] = content
        else:
            reason = "neither antigenSupportingData nor scheduleSupportingData"
            problems.append(Problem(name, root.where, reason))
    if not any(root.tag == "scheduleSupportingData" for root in roots.values()):
        problems.append(Problem("ScheduleSupportingData.xml", "scheduleSupportingData", "the file is missing"))
    if not problems:
        problems.extend(_cross_check(schedule, antigens))
    if problems:
        raise ScheduleRefused(problems)
    shared = _share_lists(antigens)
    return {"format": FORMAT, "version": version, "source": source, **schedule, **shared, "antigens": antigens}


def _cross_check(schedule: Document, antigens: Document) -> Iterable[Problem]:
    """References between the files that lead nowhere."""
    file = "ScheduleSupportingData.xml"
    mapped = {antigen for group in schedule["groups"].values() for antigen in group["antigens"]}
    for antigen in sorted(mapped - set(antigens)):
        yield Problem(file, "vaccineGroupToAntigenMap", f"antigen {antigen} has no AntigenSupportingData file")
    for code, vaccine in schedule["cvx"].items():
        for antigen, _, _ in vaccine["antigens"]:
            if antigen not in antigens:
                yield Problem(file, f"cvxToAntigenMap (CVX {code})", f"antigen {antigen} has no file")
    # A conflict may name a vaccine of no antigen (BCG): it matters to others though the schedule never asks for it.
    for name, antigen in antigens.items():
        place = f"antigen {name}"
        for code in sorted(_observation_codes(antigen) - set(schedule["observations"])):
            yield Problem(place, "observationCode", f"observation {code} is not among the schedule's observations")
        for code in sorted(_vaccine_codes(antigen) - set(schedule["cvx"])):
            yield Problem(place, "cvx", f"CVX {code} is mapped to no antigen")
        if name not in mapped:
            yield Problem(place, "targetDisease", "belongs to no vaccine group")
        for series in antigen["series"]:
            group = schedule["groups"].get(series["vaccine_group"])
            if group is None or name not in group["antigens"]:
                reason = f"vaccine group {series['vaccine_group']!r} doesn't hold this antigen"
                yield Problem(place, f"series {series['name']}", reason)


def _observation_codes(antigen: Document) -> set[str]:
    codes = set(antigen["immunity"].get("history", ()))
    codes.update(code for birth in antigen["immunity"].get("births", ()) for code in birth["except"])
    codes.update(row[0] for row in antigen["contraindications"] + antigen["product_contraindications"])
    for series in antigen["series"]:
        codes.update(row[0] for row in series["indications"])
        for dose in series["doses"]:
            codes.update(row[0][1] for row in dose["intervals"] if row[0][0] == "observation")
    return codes


def _vaccine_codes(antigen: Document) -> set[str]:
    codes = {vaccine[0] for _, vaccines in antigen["product_contraindications"] for vaccine in vaccines}
    for series in antigen["series"]:
        for dose in series["doses"]:
            codes.update(row[0] for row in dose["preferable"] + dose["allowable"])
            codes.update(dose["inadvertent"])
            codes.update(code for row in dose["intervals"] if row[0][0] == "recent" for code in row[0][1])
    return codes


def _share_lists(antigens: Document) -> Document:
    """Replace each dose's vaccine lists by their position in two tables of distinct lists."""
    tables: dict[str, list[Any]] = {"preferable": [], "allowable": []}
    for antigen in antigens.values():
        for dose in (dose for series in antigen["series"] for dose in series["doses"]):
            for kind, table in tables.items():
                if dose[kind] not in table:
                    table.append(dose[kind])
                dose[kind] = table.index(dose[kind])
    return tables
