"""The benchmark measure as a programmer would write it in Python for this one purpose: no CQL, no engine.

It gives the same answers as the measure (asserted for every child), so the time it takes is what a loop written by
hand takes. One pass over the doses; days are ISO texts, which compare as days do; a day known only to the month counts
only where the month decides.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.cql.measure import ANSWERS, value_sets

Resource = Mapping[str, Any]
Key = tuple[str | None, str]

_SNOMED = "http://snomed.info/sct"
_HEPATITIS_B_AT_BIRTH: Key = ("http://www.cms.gov/Medicare/Coding/ICD10", "3E0234Z")
_HOSPICE_ASSESSMENT: Key = ("http://loinc.org", "45755-6")
_TO_HOSPICE = frozenset(((_SNOMED, "428361000124107"), (_SNOMED, "428371000124100")))
_YES: Key = (_SNOMED, "373066001")

# antigen: the value sets of its doses (a name with "-administered" is one of procedures)
_DOSES = {
    "DTaP": ("dtap-vaccine",),
    "Polio": ("polio-vaccine",),
    "MMR": ("mmr-vaccine",),
    "Hib3": ("hib-three-dose-vaccine",),
    "Hib4": ("hib-four-dose-vaccine",),
    "HepB": ("hepatitis-b-vaccine",),
    "VZV": ("varicella-vaccine",),
    "PCV": ("pneumococcal-vaccine",),
    "HepA": ("hepatitis-a-vaccine",),
    "RV2": ("rotavirus-two-dose-vaccine",),
    "RV3": ("rotavirus-three-dose-vaccine",),
    "Flu": ("influenza-vaccine",),
    "LiveFlu": ("live-influenza-vaccine",),
}
# antigen: codes of its reactions, value sets of its diseases
_REACTIONS = {
    "DTaP": (("428281000124107", "428291000124105"), ("encephalitis-after-vaccination",)),
    "Polio": (("471321000124106",), ()),
    "MMR": (("471331000124109",), ()),
    "Hib": (("433621000124101",), ()),
    "HepB": (("428321000124101",), ("hepatitis-b",)),
    "VZV": (("471341000124104",), ("varicella-zoster",)),
    "PCV": (("471141000124102",), ()),
    "HepA": (("471311000124103",), ("hepatitis-a",)),
    "RV": (("428331000124103",), ()),
    "Flu": (("471361000124100",), ()),
    "measles": ((), ("measles",)),
    "mumps": ((), ("mumps",)),
    "rubella": ((), ("rubella",)),
}
_DISQUALIFYING = (
    "severe-combined-immunodeficiency",
    "disorders-of-the-immune-system",
    "hiv",
    "malignant-neoplasm-of-lymphatic-tissue",
    "intussusception",
)


class ByHand:
    """The measure; what is looked up is looked up once."""

    def __init__(self) -> None:
        sets = value_sets()
        self.vaccines: dict[Key, list[str]] = {}
        self.procedures: dict[Key, list[str]] = {}
        self.findings: dict[Key, list[str]] = {}
        for antigen, names in _DOSES.items():
            for name in names:
                for key in sets[name]:
                    self.vaccines.setdefault(key, []).append(antigen)
                for key in sets[f"{name}-administered"]:
                    self.procedures.setdefault(key, []).append(antigen)
        self.procedures[_HEPATITIS_B_AT_BIRTH] = ["HepBBirth"]
        for antigen, (codes, names) in _REACTIONS.items():
            for key in [(_SNOMED, code) for code in codes] + [key for name in names for key in sets[name]]:
                self.findings.setdefault(key, []).append(antigen)
        for name in _DISQUALIFYING:
            for key in sets[name]:
                self.findings.setdefault(key, []).append("disqualifying")
        self.visits = sets["qualifying-encounter"]
        self.stays = sets["inpatient-encounter"]
        self.hospice_visits = sets["hospice-encounter"]
        self.hospice_care = sets["hospice-care-ambulatory"]
        self.hospice_diagnoses = sets["hospice-diagnosis"]

    def answers(self, record: Any, year: int) -> tuple[Any, ...]:
        """The answers for a child measured over a calendar year, in the order of `measure.ANSWERS`."""
        resources: Mapping[str, tuple[Resource, ...]] = record.resources
        birth = date.fromisoformat(record.patient["birthDate"])
        born, second = birth.isoformat(), _birthday(birth, 2)
        doses = self._doses(resources, birth, second)
        found, excluded = self._findings(resources, born, second, year)
        hib = doses["Hib3"] | doses["Hib4"]
        rotavirus = doses["RV2"] | doses["RV3"]
        met = {
            "DTaP Met": _several(doses["DTaP"], 4) or "DTaP" in found,
            "Polio Met": _several(doses["Polio"], 3) or "Polio" in found,
            "MMR Met": bool(doses["MMR"]) or "MMR" in found or {"measles", "mumps", "rubella"} <= found,
            "Hib Met": _several(hib, 4 if doses["Hib4"] else 3) or "Hib" in found,
            "Hepatitis B Met": _several(doses["HepB"], 3) or "HepB" in found,
            "Varicella Met": bool(doses["VZV"]) or "VZV" in found,
            "Pneumococcal Met": _several(doses["PCV"], 4) or "PCV" in found,
            "Hepatitis A Met": bool(doses["HepA"]) or "HepA" in found,
            "Rotavirus Met": _several(rotavirus, 3 if doses["RV3"] else 2) or "RV" in found,
            "Influenza Met": _followed(doses["Flu"], doses["Flu"] | doses["LiveFlu"]) or "Flu" in found,
        }
        met["Numerator"] = all(met.values())
        met["Denominator Exclusions"] = excluded or self._hospice(resources, year)
        met["Initial Population"] = year - birth.year == 2 and self._seen(resources, year)
        return tuple(met[name] for name in ANSWERS)

    def _doses(self, resources: Mapping[str, tuple[Resource, ...]], birth: date, second: str) -> dict[str, set[str]]:
        """The days inside its window, by antigen."""
        born, first = birth.isoformat(), _birthday(birth, 1)
        six_weeks, six_months = (birth + timedelta(days=42)).isoformat(), (birth + timedelta(days=180)).isoformat()
        from_day = {
            "MMR": first, "VZV": first, "HepA": first, "HepB": born, "HepBBirth": born, "Flu": six_months,
            "LiveFlu": second,
        }  # fmt: skip
        until = {"HepBBirth": (birth + timedelta(days=7)).isoformat()}
        days: dict[str, set[str]] = {antigen: set() for antigen in (*_DOSES, "HepBBirth")}
        for immunization in resources.get("Immunization", ()):
            if immunization.get("status") == "completed":
                for antigen in self._named(self.vaccines, immunization.get("vaccineCode")):
                    day = immunization.get("occurrenceDateTime", "")[:10]
                    if day and _inside(day, from_day.get(antigen, six_weeks), second):
                        days[antigen].add(day)
        for procedure in resources.get("Procedure", ()):
            if procedure.get("status") == "completed":
                for antigen in self._named(self.procedures, procedure.get("code")):
                    when = procedure.get("performedDateTime") or procedure.get("performedPeriod", {}).get("start", "")
                    day = when[:10]
                    if day and _inside(day, from_day.get(antigen, six_weeks), until.get(antigen, second)):
                        days[antigen].add(day)
        if days["HepBBirth"]:
            days["HepB"].add(min(days["HepBBirth"]))
        return days

    @staticmethod
    def _named(table: Mapping[Key, list[str]], concept: Any) -> set[str]:
        if not concept:
            return set()
        return {
            name
            for coding in concept.get("coding", ())
            for name in table.get((coding.get("system"), coding.get("code")), ())
        }

    def _findings(
        self, resources: Mapping[str, tuple[Resource, ...]], born: str, second: str, year: int
    ) -> tuple[set[str], bool]:
        """What the child had by the second birthday, and whether something of it disqualifies."""
        found: set[str] = set()
        excluded = False
        for condition in resources.get("Condition", ()):
            names = self._named(self.findings, condition.get("code"))
            if not names or not _is_verified(condition):
                continue
            onset = condition.get("onsetDateTime") or condition.get("onsetPeriod", {}).get("start")
            if onset is None:
                continue
            day = _utc_day(onset)
            n = len(day)
            if "disqualifying" in names and (day <= second if n == 10 else day < second[:n]):
                excluded = True
            if _inside(day, born, second):
                found |= names
        return found, excluded

    def _seen(self, resources: Mapping[str, tuple[Resource, ...]], year: int) -> bool:
        return any(
            _codes(encounter.get("type")) & self.visits and _during(encounter.get("period"), year)
            for encounter in resources.get("Encounter", ())
            if encounter.get("status") in _PERFORMED
        )

    def _hospice(self, resources: Mapping[str, tuple[Resource, ...]], year: int) -> bool:
        for encounter in resources.get("Encounter", ()):
            if encounter.get("status") in _PERFORMED:
                codes = _codes(encounter.get("type"))
                period = encounter.get("period")
                if codes & self.hospice_visits and _overlaps(period, year):
                    return True
                leaving = encounter.get("hospitalization", {}).get("dischargeDisposition")
                if (
                    leaving
                    and codes & self.stays
                    and _codes(leaving) & _TO_HOSPICE
                    and _within((period or {}).get("end"), year)
                ):
                    return True
        if any(self._is_hospice_finding(observation, year) for observation in resources.get("Observation", ())):
            return True
        if any(self._is_hospice_order(request, year) for request in resources.get("ServiceRequest", ())):
            return True
        for procedure in resources.get("Procedure", ()):
            performed = procedure.get("status") == "completed"
            if (
                performed
                and _codes(procedure.get("code")) & self.hospice_care
                and _happens(procedure, "performed", year)
            ):
                return True
        for condition in resources.get("Condition", ()):
            if _codes(condition.get("code")) & self.hospice_diagnoses and _is_verified(condition):
                end = condition.get("abatementDateTime")
                if end is None and not any(code in _ACTIVE for _, code in _codes(condition.get("clinicalStatus"))):
                    end = condition.get("onsetDateTime")  # it ended, nobody knows when: its first day is certain
                if _overlaps({"start": condition.get("onsetDateTime"), "end": end}, year):
                    return True
        return False

    def _is_hospice_finding(self, observation: Resource, year: int) -> bool:
        return (
            _HOSPICE_ASSESSMENT in _codes(observation.get("code"))
            and observation.get("status") in _RESULTS
            and _YES in _codes(observation.get("valueCodeableConcept"))
            and _happens(observation, "effective", year)
        )

    def _is_hospice_order(self, request: Resource, year: int) -> bool:
        return (
            bool(_codes(request.get("code")) & self.hospice_care)
            and request.get("status") in _ORDERED
            and request.get("intent") in _INTENTS
            and _within(request.get("authoredOn"), year)
        )


_PERFORMED = frozenset({"finished", "arrived", "triaged", "in-progress", "onleave"})
_RESULTS = frozenset({"final", "amended", "corrected"})
_ORDERED = frozenset({"active", "completed", "on-hold"})
_INTENTS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_REFUTED = frozenset({"refuted", "entered-in-error"})
_ACTIVE = frozenset({"active", "recurrence", "relapse"})


def _codes(element: Any) -> set[Key]:
    if not element:
        return set()
    concepts = element if isinstance(element, list) else [element]
    return {(coding.get("system"), coding.get("code")) for concept in concepts for coding in concept.get("coding", ())}


def _is_verified(condition: Resource) -> bool:
    return all(code not in _REFUTED for _, code in _codes(condition.get("verificationStatus")))


def _birthday(birth: date, years: int) -> str:
    try:
        return birth.replace(year=birth.year + years).isoformat()
    except ValueError:  # 29 February: CQL takes the last day of the month
        return birth.replace(year=birth.year + years, day=28).isoformat()


def _inside(day: str, low: str, high: str) -> bool:
    n = len(day)
    return low <= day <= high if n == 10 else low[:n] < day < high[:n]


def _follows(day: str, other: str) -> bool:
    """Is `day` surely one day or more after `other`?"""
    if len(other) == 10:
        other = (date.fromisoformat(other) + timedelta(days=1)).isoformat()
    n = min(len(day), len(other))
    return day >= other if n == 10 else day[:n] > other[:n]


def _several(days: set[str], needed: int) -> bool:
    """Are there so many days, each surely after the one before?"""
    if all(len(day) == 10 for day in days):
        return len(days) >= needed
    longest: dict[str, int] = {}
    for day in sorted(days):
        longest[day] = 1 + max((longest[other] for other in longest if _follows(day, other)), default=0)
    return max(longest.values(), default=0) >= needed


def _followed(days: set[str], others: set[str]) -> bool:
    return any(_follows(other, day) for day in days for other in others)


def _utc_day(moment: str) -> str:
    """The day of a moment at UTC, where the measurement period is; a moment without a time has none to shift."""
    return moment if len(moment) <= 10 else datetime.fromisoformat(moment).astimezone(UTC).date().isoformat()


def _within(moment: str | None, year: int) -> bool:
    return bool(moment) and _utc_day(moment or "")[:4] == str(year)


def _during(period: Any, year: int) -> bool:
    return bool(period) and _within(period.get("start"), year) and _within((period or {}).get("end"), year)


def _overlaps(period: Any, year: int) -> bool:
    if not period or not period.get("start"):
        return False
    end = period.get("end")
    return _utc_day(period["start"])[:4] <= str(year) and (end is None or _utc_day(end)[:4] >= str(year))


def _happens(resource: Resource, element: str, year: int) -> bool:
    if f"{element}DateTime" in resource:
        return _within(resource[f"{element}DateTime"], year)
    return _overlaps(resource.get(f"{element}Period"), year)
