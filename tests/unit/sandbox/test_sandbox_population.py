"""What is written: the same bytes for the same arguments, valid FHIR, every age, and a manifest."""

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from gapsvc.sandbox import TYPES, Disorder, Population, generate, write
from gapsvc.sandbox.codes import CIN, NPI
from gapsvc.sandbox.places import ZIPS
from gapsvc.sandbox.plan import RaceSaid
from gapsvc.sandbox.render_people import IMPUTED_RACE

AS_OF = date(2026, 11, 22)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def population() -> Population:
    return generate(7, 300, AS_OF)


@pytest.fixture(scope="module")
def resources(population: Population) -> list[dict[str, Any]]:
    return list(population.resources())


def lines(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    write(generate(7, 60, AS_OF), tmp_path / "one")
    write(generate(7, 60, AS_OF), tmp_path / "two")
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {*(f"{name}.ndjson" for name in TYPES), "truth.ndjson", "manifest.json"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path; from gapsvc.sandbox import generate, write;"
        "write(generate(7, 60, date(2026, 11, 22)), Path(sys.argv[1]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "one")], check=True, env=environment, cwd=ROOT)
    write(generate(7, 60, AS_OF), tmp_path / "two")
    for path in (tmp_path / "two").iterdir():
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name


def test_another_seed_gives_another_population() -> None:
    one = [orjson.dumps(r) for r in generate(7, 20, AS_OF).resources() if r["resourceType"] == "Patient"]
    two = [orjson.dumps(r) for r in generate(8, 20, AS_OF).resources() if r["resourceType"] == "Patient"]
    assert not set(one) & set(two)


def test_the_manifest_says_what_was_asked_and_what_was_written(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    population = generate(3, 250, AS_OF, Disorder.all().without("telehealth"))
    manifest = write(population, tmp_path, lambda done, size: steps.append((done, size)))
    assert orjson.loads((tmp_path / "manifest.json").read_bytes()) == manifest
    assert {k: v for k, v in manifest.items() if k not in ("counts", "disorder")} == {
        "seed": 3,
        "size": 250,
        "as_of": "2026-11-22",
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "disparity": None,
    }
    assert [name for name, on in manifest["disorder"].items() if not on] == ["telehealth"]
    assert manifest["counts"] == {name: len(lines(tmp_path / f"{name}.ndjson")) for name in TYPES}
    assert len(lines(tmp_path / "truth.ndjson")) == 250
    assert steps[-1] == (250, 250)


def test_writing_anew_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    write(generate(1, 80, AS_OF), tmp_path / "again")
    for folder in ("again", "fresh"):
        write(generate(2, 5, AS_OF, Disorder.none()), tmp_path / folder)
    for path in (tmp_path / "fresh").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    assert len(lines(tmp_path / "again" / "truth.ndjson")) == 5


def test_every_resource_is_valid_r4(resources: list[dict[str, Any]]) -> None:
    checked: Counter[str] = Counter()
    for resource in resources:
        name = resource["resourceType"]
        if checked[name] < 150:
            get_fhir_model_class(name).model_validate(resource)
            checked[name] += 1
    assert set(checked) == set(TYPES)


def test_flawed_and_rare_resources_are_valid_r4(resources: list[dict[str, Any]]) -> None:
    """Those that the first of each type may not show."""
    rare = [
        resource
        for resource in resources
        if resource.get("status") in ("entered-in-error", "not-done", "planned", "cancelled", "arrived", "in-progress")
        or resource.get("class", {}) in ({"code": "VR"}, {"code": "EMER"})
        or "deceasedBoolean" in resource
        or "deceasedDateTime" in resource
        or len(resource.get("birthDate", "")) == 7
        or len(resource.get("period", {}).get("start", "")) == 7
        or len(resource.get("occurrenceDateTime", "")) == 7
    ]
    assert len(rare) > 50
    for resource in rare:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_ids_are_unique_and_every_reference_finds_its_target(resources: list[dict[str, Any]]) -> None:
    known = Counter(f"{r['resourceType']}/{r['id']}" for r in resources)
    assert max(known.values()) == 1
    mentioned = {mention for r in resources for mention in re.findall(rb'"reference":"([^"]+)"', orjson.dumps(r))}
    assert {mention.decode() for mention in mentioned} <= set(known)


def test_nothing_is_newer_than_the_as_of_day_nor_older_than_its_event(resources: list[dict[str, Any]]) -> None:
    end_of_day = datetime.fromisoformat("2026-11-22T23:59:59+00:00")
    for resource in resources:
        stamp = datetime.fromisoformat(resource["meta"]["lastUpdated"])
        assert stamp <= end_of_day
        event = resource.get("occurrenceDateTime") or resource.get("effectiveDateTime")
        if resource["resourceType"] == "Encounter" and resource["status"] == "finished":
            event = resource["period"].get("end")
        if event and len(event) > 10:
            moment = datetime.fromisoformat(event)
            assert moment <= stamp, resource["id"]
            if resource.get("primarySource", True):
                assert stamp - moment < timedelta(days=4)


@pytest.mark.parametrize("size", [60, 300])
def test_every_age_from_0_to_21_is_there_and_infants_are_many(size: int) -> None:
    ages: Counter[int] = Counter()
    young = 0
    for child in generate(2, size, AS_OF).children:
        ages[AS_OF.year - child.birth.year - ((AS_OF.month, AS_OF.day) < (child.birth.month, child.birth.day))] += 1
        young += (AS_OF - child.birth).days < 913
    assert set(ages) == set(range(22))
    assert young / size >= 0.25


def test_some_children_are_born_on_29_february() -> None:
    births = [child.birth for child in generate(2, 400, AS_OF).children]
    assert {(2, 28), (2, 29), (3, 1)} <= {(b.month, b.day) for b in births}


def test_a_child_of_two_clinics_is_two_patients_with_one_cin(resources: list[dict[str, Any]]) -> None:
    patients = {r["id"]: r for r in resources if r["resourceType"] == "Patient"}
    doubles = [ident for ident in patients if ident.endswith("-b")]
    assert len(doubles) >= 8
    for ident in doubles:
        one, two = patients[ident.removesuffix("-b")], patients[ident]
        assert cin(one) == cin(two)
        assert (one["birthDate"], one["name"]) == (two["birthDate"], two["name"])
        assert one["managingOrganization"] != two["managingOrganization"]
    assert len({cin(p) for p in patients.values()}) == len(patients) - len(doubles)


def cin(patient: dict[str, Any]) -> str:
    return next(i["value"] for i in patient["identifier"] if i["system"] == CIN)


def test_panels_hold_every_child_once(population: Population, resources: list[dict[str, Any]]) -> None:
    groups = [r for r in resources if r["resourceType"] == "Group"]
    members = [m["entity"]["reference"] for group in groups for m in group["member"]]
    assert sorted(members) == [f"Patient/{child.person}" for child in population.children]
    assert [group["quantity"] for group in groups] == [len(group["member"]) for group in groups]


def test_npis_have_their_check_digit_and_none_is_issued(resources: list[dict[str, Any]]) -> None:
    npis = [i["value"] for r in resources for i in r.get("identifier", ()) if i["system"] == NPI]
    assert len(npis) == len(set(npis)) == 31  # 24 practitioners, 4 clinics, the network, the hospital, the dentist
    for npi in npis:
        digits = [int(digit) for digit in f"80840{npi}"]
        doubled = [sum(divmod(2 * d, 10)) if at % 2 else d for at, d in enumerate(reversed(digits))]
        assert sum(doubled) % 10 == 0
        assert npi[0] == "2"


def test_patients_carry_what_us_core_wants(resources: list[dict[str, Any]]) -> None:
    children = [r for r in resources if r["resourceType"] == "Patient" and r["id"].startswith("child-")]
    zips = {code for code, _, _ in ZIPS}
    silent = 0
    for patient in children:
        extensions = {e["url"].rpartition("/")[2]: e for e in patient["extension"]}
        assert extensions["us-core-birthsex"]["valueCode"] in ("F", "M")
        silent += "us-core-race" not in extensions
        if "us-core-race" in extensions:
            assert "text" in {part["url"] for part in extensions["us-core-race"]["extension"]}
        assert patient["address"][0]["postalCode"] in zips
        assert patient["communication"][0]["language"]["coding"][0]["system"] == "urn:ietf:bcp:47"
        assert re.fullmatch(r"\d{3}-555-01\d\d", patient["telecom"][0]["value"])
        assert {"generalPractitioner", "managingOrganization", "gender", "birthDate"} <= set(patient)
    assert 0 < silent < len(children) / 5


def test_a_large_population_is_planned_family_by_family() -> None:
    steps: list[tuple[int, int]] = []
    population = generate(1, 1500, AS_OF, progress=lambda done, size: steps.append((done, size)))
    assert steps[-1] == (1500, 1500)
    assert steps == sorted(steps)
    assert sum(len(family.children) for family in population.families) == 1500


def test_race_is_said_declined_unknown_or_left_out_and_imputed_in_an_extension_of_its_own(
    population: Population, resources: list[dict[str, Any]]
) -> None:
    patients = {r["id"]: r for r in resources if r["resourceType"] == "Patient"}
    seen: Counter[str] = Counter()
    for child in population.children:
        found = {e["url"]: e["extension"] for e in patients[child.person]["extension"] if "extension" in e}
        parts = found.get("http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", [])
        codes = [part["valueCoding"]["code"] for part in parts if "valueCoding" in part]
        match child.race_said:
            case RaceSaid.DIRECT:
                assert codes
                assert not {"ASKU", "UNK"} & set(codes)
            case RaceSaid.DECLINED:
                assert codes == ["ASKU"]
            case RaceSaid.UNKNOWN:
                assert codes == ["UNK"]
            case RaceSaid.SILENT:
                assert parts == []
        assert (child.race is None) == (child.race_said is not RaceSaid.DIRECT)
        assert (IMPUTED_RACE in found) == (child.race_imputed is not None)
        seen[child.race_said] += 1
        seen["imputed"] += child.race_imputed is not None
    assert min(seen.values()) >= 1
    assert len(seen) == 5


def test_coverage_comes_in_spans_the_same_for_each_registration(
    population: Population, resources: list[dict[str, Any]]
) -> None:
    spans = Counter(
        r["beneficiary"]["reference"].removeprefix("Patient/") for r in resources if r["resourceType"] == "Coverage"
    )
    for child in population.children:
        for registration in child.registrations:
            assert spans[registration.patient] == len(child.coverage)
    assert {0, 1, 2} <= {len(child.coverage) for child in population.children}
