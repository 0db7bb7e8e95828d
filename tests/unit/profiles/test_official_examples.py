"""HL7's own DEQM 5.0.0 examples: none but one departs from a profile, and the known semantic mistakes are found.

The package's mistakes are the three that say a status against their own populations, and one bundle that leaves
out what its report refers to.
"""

import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from fhir_profiles.constraint_tables import profiles
from fhir_profiles.terms import GAPS_BUNDLE
from fhir_profiles.validate import validate
from fhir_profiles.validate_bundle import validate_bundle

PACKAGE = Path(__file__).resolve().parents[4] / "shared" / "fhir" / "hl7.fhir.us.davinci-deqm-5.0.0.tgz"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not PACKAGE.is_file(), reason=f"{PACKAGE} is not here (development material)"),
]

STATUS = "DetectedIssue.modifierExtension:gapStatus"
KNOWN_MISTAKES = {
    # (example, bundle in it, path) -> rule
    ("Parameters-single-gaps-closed-indv-report02", 0, "Bundle.entry[1].resource.modifierExtension"): STATUS,
    ("Parameters-single-gaps-open-indv-report01", 0, "Bundle.entry[3].resource.modifierExtension"): STATUS,
    ("Parameters-single-gaps-open-indv-report01", 0, "Bundle.entry[4].resource.modifierExtension"): STATUS,
    ("Bundle-non-document-gaps-in-care", 0, "Bundle.entry[0].resource.modifierExtension"): STATUS,
    ("Bundle-non-document-gaps-in-care", 0, "Bundle.entry[1].resource"): "Bundle.entry",
}


# A summary whose proportion says neither in which direction it improves nor a score.
KNOWN_DEPARTURES = {
    "MeasureReport-summ-contained-supplemental": [
        ("MeasureReport-summ-contained-supplemental", "deqm-2"),
        ("MeasureReport-summ-contained-supplemental", "deqm-6"),
    ]
}


def examples() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with tarfile.open(PACKAGE, "r:gz") as archive:
        for member in archive:
            path = Path(member.name)
            handle = archive.extractfile(member)
            if handle is not None and path.parent.name == "example" and path.suffix == ".json":
                content = orjson.loads(handle.read())
                if "resourceType" in content:
                    found[path.stem] = content
    return found


def test_no_other_example_departs_from_the_profiles_it_declares() -> None:
    checked = 0
    for name, resource in examples().items():
        declared = set(resource.get("meta", {}).get("profile", ()))
        if declared & profiles().keys():
            checked += 1
            errors = [(name, issue.rule) for issue in validate(resource) if issue.severity == "error"]
            assert errors == KNOWN_DEPARTURES.get(name, []), name
    assert checked == 32


def test_the_known_mistakes_of_the_gap_bundles_are_found_and_no_others() -> None:
    found: dict[tuple[str, int, str], str] = {}
    bundles = 0
    for name, resource in examples().items():
        parts = [part.get("resource", {}) for part in resource.get("parameter", ())]
        for index, each in enumerate([resource, *parts] if resource["resourceType"] == "Bundle" else parts):
            if GAPS_BUNDLE in each.get("meta", {}).get("profile", ()):
                bundles += 1
                for issue in validate_bundle(each):
                    if issue.severity == "error":
                        found[(name, index, issue.path)] = issue.rule
    assert bundles == 11
    assert found == KNOWN_MISTAKES


def test_the_tables_are_what_the_package_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """constraints/ is derived: running the importer again changes nothing."""
    import importlib.util

    root = Path(__file__).resolve().parents[3]
    spec = importlib.util.spec_from_file_location("import_profiles", root / "scripts" / "import_profiles.py")
    assert spec is not None
    assert spec.loader is not None
    importer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(importer)
    monkeypatch.setattr(importer, "TARGET", tmp_path)
    monkeypatch.setattr("sys.argv", ["import_profiles.py", str(PACKAGE)])
    importer.main()
    kept = root / "fhir_profiles" / "constraints"
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        file.name: file.read_bytes() for file in kept.glob("*.json")
    }
