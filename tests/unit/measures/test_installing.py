"""Where brought measures are kept: whole or not at all, every version, checked again when they are read."""

from pathlib import Path

import orjson
import pytest
from bring_examples import BASE, PROPORTION, VISITS_CQL, WELL_VISIT, bundle, library, measure

from gapsvc.evaluation.catalogue import evaluators, types_to_pull
from gapsvc.measures import MeasureError, catalog
from gapsvc.measures.installing import add, installed, latest, remove


def write(folder: Path, **also: object) -> Path:
    """A bundle file of the example measure, with these elements of the Measure changed."""
    made = {**measure("proportion", PROPORTION), **also}
    name = f"{made['id']}-{made['version'] or 'none'}".replace("/", "_")
    file = folder / f"{name}.json"
    file.write_bytes(bundle(made, library(VISITS_CQL), WELL_VISIT).content)
    return file


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_what_was_added_is_read_back_the_same(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    (made,) = add(write(tmp_path), home)
    assert files(home) == ["visits/1.2.0/measure.json"]
    assert installed(home) == (made,)
    assert installed(tmp_path / "nowhere") == ()


def test_a_folder_of_loose_files_is_read_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "terminology").mkdir(parents=True)
    (source / "measure.json").write_bytes(orjson.dumps(measure("proportion", PROPORTION)))
    (source / "library.json").write_bytes(orjson.dumps(library(VISITS_CQL)))
    (source / "terminology" / "well.json").write_bytes(orjson.dumps(WELL_VISIT))
    (source / "README.md").write_text("not FHIR")
    (source / ".hidden.json").write_text("not JSON")
    (made,) = add(source, tmp_path / "measures")
    assert made.canonical == f"{BASE}/Measure/visits|1.2.0"


def test_xml_is_an_error_that_says_so(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "library.xml").write_text("<Library xmlns='http://hl7.org/fhir'/>")
    write(source)
    with pytest.raises(MeasureError) as caught:
        add(source, tmp_path / "measures")
    assert caught.value.problems == ("library.xml: XML is not read; expected FHIR JSON (application/fhir+json)",)
    assert not (tmp_path / "measures").exists()


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(MeasureError, match=r"there is no \.json file in this folder"):
        add(tmp_path / "source", tmp_path / "measures")


def test_versions_stand_side_by_side_and_the_highest_is_used(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        add(write(tmp_path, version=version), home)
    brought = installed(home)
    assert [one.version for one in brought] == ["1.2.0", "1.9.0", "1.10.0"]
    assert latest(brought)["visits"].version == "1.10.0"
    assert evaluators((), brought)["visits"].measure.version == "1.10.0"
    assert evaluators(["visits|1.9.0"], brought)["visits"].measure.version == "1.9.0"
    with pytest.raises(MeasureError, match="measure 'visits' is asked for in two versions"):
        evaluators(["visits", "visits|1.9.0"], brought)
    assert remove("visits|1.10.0", home) == ("visits|1.10.0",)
    assert latest(installed(home))["visits"].version == "1.9.0"
    assert remove("visits", home) == ("visits|1.2.0", "visits|1.9.0")
    assert files(home) == []


def test_brought_measures_stand_beside_our_own(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    add(write(tmp_path), home, catalog().values())
    found = evaluators((), installed(home))
    assert list(found) == [*catalog(), "visits"]
    assert "Coverage" in types_to_pull([found["visits"]])
    with pytest.raises(MeasureError, match="there is no measure 'visit'; there are "):
        evaluators(["visit"], installed(home))


def test_the_id_of_one_of_our_own_is_taken(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="the id 'w30' is that of another measure"):
        add(write(tmp_path, id="w30"), tmp_path / "measures", catalog().values())


@pytest.mark.parametrize("version", ["2025/05", "1.0.0+build 7", "ünï", "a|b", "..%2f..", "-"])
def test_a_version_that_is_no_file_name(tmp_path: Path, version: str) -> None:
    home = tmp_path / "measures"
    add(write(tmp_path, version=version), home)
    (kept,) = installed(home)
    assert kept.version == version
    assert len(files(home)) == 1
    assert Path(files(home)[0]).parts[0] == "visits"


def test_several_measures_are_added_all_or_none(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    first = measure("proportion", PROPORTION)
    second = measure("proportion", PROPORTION, id="second", url=f"{BASE}/Measure/second")
    (tmp_path / "both.json").write_bytes(bundle(first, second, library(VISITS_CQL), WELL_VISIT).content)
    (home / "second").mkdir(parents=True)
    (home / "second" / "1.2.0").write_text("something in the way")
    with pytest.raises(MeasureError, match="the measures could not be written"):
        add(tmp_path / "both.json", home)
    assert files(home) == ["second/1.2.0"]
    assert installed(home) == ()


def test_a_file_that_was_changed_is_found_out(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    add(write(tmp_path), home)
    kept = home / "visits" / "1.2.0" / "measure.json"
    content = orjson.loads(kept.read_bytes())
    content["entry"] = [entry for entry in content["entry"] if entry["resource"]["resourceType"] != "ValueSet"]
    kept.write_bytes(orjson.dumps(content))
    with pytest.raises(MeasureError, match=r"measure\.json: entry\[0\]: Measure/visits: value set .* is not in"):
        installed(home)
    assert remove("visits", home) == ("visits|1.2.0",)


def test_what_was_not_added_can_not_be_removed(tmp_path: Path) -> None:
    home = tmp_path / "measures"
    add(write(tmp_path), home)
    for name in ("gone", "visits|9", "..", "../measures", ""):
        with pytest.raises(MeasureError, match=r"was added; there are visits\|1\.2\.0"):
            remove(name, home)
    assert files(home) == ["visits/1.2.0/measure.json"]
