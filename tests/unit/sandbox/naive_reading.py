"""An independent, naive reading of the measures of visits over the sandbox's FHIR, to hold its truth against.

The truth file is made from plans and never sees FHIR; this sees FHIR and never sees plans. It is written from the
rules in plain Python, shares no code with gapsvc, and is slow and obvious.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

CIN = "http://dhcs.ca.gov/medi-cal/cin"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
WELL = {
    *((CPT, f"9938{digit}") for digit in "12345"),
    *((CPT, f"9939{digit}") for digit in "12345"),
    (CPT, "99461"),
    (HCPCS, "S0302"),
    ("urn:oid:2.16.840.1.113883.6.285", "S0302"),
    *((SNOMED, code) for code in ("410620009", "185349003", "162673000")),
}
WELL_Z = {
    *((ICD, f"Z00.{rest}") for rest in ("00", "01", "110", "111", "121", "129", "2", "3")),
    *((ICD, code) for code in ("Z01.411", "Z01.419", "Z02.5", "Z76.1", "Z76.2")),
}
NEWBORN = {(CPT, "99381"), (CPT, "99391"), (CPT, "99461"), (ICD, "Z00.110"), (ICD, "Z00.111")}
INPATIENT = {"IMP", "ACUTE", "NONAC", "OBSENC", "SS", "PRENC"}
GROUPS = ("two-visits", "three-visits", "first-15-months", "15-30-months")
GROUPS += ("3-11-years", "12-17-years", "18-21-years", "total")
JsonObject = dict[str, Any]


def codes_of(concepts: Iterable[JsonObject]) -> set[tuple[str, str]]:
    return {(c["system"], c["code"]) for concept in concepts for c in concept.get("coding", ()) if "system" in c}


def plus_years(day: date, years: int) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year + years, 2, 28 if (day.year + years) % 4 else 29)
    return date(day.year + years, day.month, day.day)


class Reading:
    """What a reader of the FHIR finds: persons, their encounters, and the measures' answers for each."""

    def __init__(self, resources: Iterable[JsonObject]) -> None:
        self.by_type: dict[str, dict[str, JsonObject]] = defaultdict(dict)
        for resource in resources:
            assert resource["id"] not in self.by_type[resource["resourceType"]]
            self.by_type[resource["resourceType"]][resource["id"]] = resource
        self.persons = self._persons()
        self.person_of = {ident: person for person, idents in self.persons.items() for ident in idents}
        self.evidence = self._evidence()
        self.encounters: dict[str, list[JsonObject]] = defaultdict(list)
        for encounter in self.by_type["Encounter"].values():
            self.encounters[self.person_of[encounter["subject"]["reference"][8:]]].append(encounter)
        self._move_newborn_visits()
        self.hospice = self._hospice_days()

    def _hospice_days(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for encounter in self.by_type["Encounter"].values():
            if (SNOMED, "305336008") in codes_of(encounter["type"]):
                found[self.person_of[encounter["subject"]["reference"][8:]]].append(encounter["period"]["start"][:10])
        for procedure in self.by_type["Procedure"].values():
            if (HCPCS, "G9473") in codes_of([procedure["code"]]):
                day = procedure["performedPeriod"]["start"][:10]
                found[self.person_of[procedure["subject"]["reference"][8:]]].append(day)
        return found

    def _persons(self) -> dict[str, list[str]]:
        groups: dict[object, list[str]] = defaultdict(list)
        for ident, patient in self.by_type["Patient"].items():
            cin = next(i["value"] for i in patient["identifier"] if i["system"] == CIN)
            key = (cin, patient["birthDate"]) if len(patient["birthDate"]) == 10 else ident
            groups[key].append(ident)
        return {min(idents): sorted(idents) for idents in groups.values()}

    def _evidence(self) -> dict[str, set[tuple[str, str]]]:
        """Encounter id -> codes of its diagnoses and procedures."""
        found: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for condition in self.by_type["Condition"].values():
            if "encounter" in condition:
                found[condition["encounter"]["reference"][10:]] |= codes_of([condition["code"]])
        for encounter in self.by_type["Encounter"].values():
            for diagnosis in encounter.get("diagnosis", ()):
                condition = self.by_type["Condition"][diagnosis["condition"]["reference"][10:]]
                found[encounter["id"]] |= codes_of([condition["code"]])
        for procedure in self.by_type["Procedure"].values():
            if procedure["status"] == "completed" and "encounter" in procedure:
                found[procedure["encounter"]["reference"][10:]] |= codes_of([procedure["code"]])
        return found

    def _move_newborn_visits(self) -> None:
        babies: dict[str, set[str]] = defaultdict(set)  # mother's identifier -> babies' persons
        for related in self.by_type["RelatedPerson"].values():
            assert related["relationship"][0]["coding"][0]["code"] == "MTH"
            for identifier in related.get("identifier", ()):
                babies[identifier["value"]].add(self.person_of[related["patient"]["reference"][8:]])
        for ident, patient in self.by_type["Patient"].items():
            if not ident.startswith("mother-"):
                continue
            linked = {baby for i in patient["identifier"] for baby in babies.get(i["value"], ())}
            for encounter in list(self.encounters[ident]):
                codes = codes_of([*encounter["type"], *encounter.get("reasonCode", ())])
                if not codes & NEWBORN:
                    continue
                day = date.fromisoformat(encounter["period"]["start"][:10])
                born = [
                    baby
                    for baby in linked
                    if len(self.by_type["Patient"][baby]["birthDate"]) == 10
                    and 0 <= (day - date.fromisoformat(self.by_type["Patient"][baby]["birthDate"])).days <= 60
                ]
                if len(born) == 1:
                    self.encounters[ident].remove(encounter)
                    self.encounters[born[0]].append(encounter)

    def why_not(self, encounter: JsonObject, as_of: date) -> str | None:
        codes = codes_of([*encounter["type"], *encounter.get("reasonCode", ())]) | self.evidence[encounter["id"]]
        kind = encounter["class"]["code"]
        start = encounter["period"]["start"]
        for reason, holds in (
            ("not-a-well-visit", not codes & (WELL | WELL_Z)),
            ("entered-in-error", encounter["status"] == "entered-in-error"),
            ("not-finished", encounter["status"] != "finished"),
            ("inpatient", kind in INPATIENT),
            ("emergency", kind == "EMER"),
            ("telehealth", kind == "VR"),
            ("imprecise-date", len(start) < 10),
            ("future", start[:10] > as_of.isoformat()),
        ):
            if holds:
                return reason
        return None

    def answer(self, person: str, as_of: date, period: tuple[date, date]) -> dict[str, dict[str, Any]]:
        """Group id -> populations, status, done, counted ... as the truth file words them."""
        patients = [self.by_type["Patient"][ident] for ident in self.persons[person]]
        text = patients[0]["birthDate"]
        if len(text) < 10:
            none = {"population": False, "status": "not-applicable"}
            return dict.fromkeys(GROUPS, none)
        birth = date.fromisoformat(text)
        day15 = plus_years(birth, 1) + timedelta(days=90)
        day30 = plus_years(birth, 2) + timedelta(days=180)
        day120 = birth + timedelta(days=120)
        start, end = period
        live = start <= as_of <= end and birth <= as_of <= day120
        excluded = any(
            p.get("deceasedBoolean") or p.get("deceasedDateTime", "9999") <= min(end, as_of).isoformat()
            for p in patients
        ) or any(start.isoformat() <= day <= min(end, as_of).isoformat() for day in self.hospice[person])
        in_120 = start <= day120 <= end or live
        age = end.year - birth.year - ((birth.month, birth.day) > (end.month, end.day))
        rates = {
            "two-visits": (in_120, birth, day120, 2, 1),
            "three-visits": (in_120, birth, day120, 3, 1),
            "first-15-months": (start <= day15 <= end, birth, day15, 6, 14),
            "15-30-months": (start <= day30 <= end, day15 + timedelta(days=1), day30, 2, 14),
            "3-11-years": (3 <= age <= 11, start, end, 1, 1),
            "12-17-years": (12 <= age <= 17, start, end, 1, 1),
            "18-21-years": (18 <= age <= 21, start, end, 1, 1),
            "total": (3 <= age <= 21, start, end, 1, 1),
        }
        return {
            group: self._rate(person, as_of, excluded, *rate)
            if rate[0]
            else {"population": False, "status": "not-applicable"}
            for group, rate in rates.items()
        }

    def _rate(
        self, person: str, as_of: date, excluded: bool, _in: bool, first: date, last: date, needed: int, spacing: int
    ) -> dict[str, Any]:
        counted: list[tuple[date, str]] = []
        reasons: dict[str, str] = {}
        for encounter in sorted(self.encounters[person], key=lambda e: (e["period"]["start"][:10], e["id"])):
            name = f"Encounter/{encounter['id']}"
            reason = self.why_not(encounter, as_of)
            if reason is None:
                day = date.fromisoformat(encounter["period"]["start"][:10])
                if day < first:
                    reason = "before-window"
                elif day > last:
                    reason = "after-window"
                elif counted and day == counted[-1][0]:
                    reason = "same-day"
                elif counted and (day - counted[-1][0]).days < spacing:
                    reason = "too-close"
                else:
                    counted.append((day, name))
                    continue
            reasons[name] = reason
        done = len(counted)
        found: dict[str, Any] = {
            "population": True,
            "excluded": excluded,
            "numerator": done >= needed and not excluded,
            "done": done,
            "counted": [name for _, name in counted],
            "reasons": reasons,
            "status": "closed-gap",
        }
        if not excluded and done < needed:
            due = counted[-1][0] + timedelta(days=spacing) if counted else first
            missed = max(as_of, due) + timedelta(days=spacing * (needed - done - 1)) > last
            found |= {
                "status": "open-gap" if missed or as_of >= due else "prospective-gap",
                "outlook": "missed" if missed else "possible",
                "due_from": due.isoformat(),
                "last_day": last.isoformat(),
            }
        return found
