"""CDC's XML to our document: what is taken, and that anything doubtful is refused with file, element and reason."""

import zipfile
from pathlib import Path

import orjson
import pytest
from cdsi_xml import age, antigen_file, condition, dose, interval, preferable, schedule_file, series, skip

from gapsvc.schedule.immunizations import ScheduleRefused, load, read_schedule
from gapsvc.schedule.immunizations.compiling import UnknownFormat, compile_schedule
from gapsvc.schedule.immunizations.files import document_bytes, import_schedule, read_files, version_of
from gapsvc.schedule.immunizations.installed import SHIPPED, NoSuchSchedule, installed

CDC = Path(__file__).resolve().parents[3] / "../shared/cdsi-4.64"
HEPB = "AntigenSupportingData- HepB-508.xml"
SCHEDULE = "ScheduleSupportingData.xml"
GOOD = antigen_file(series(dose(1, age("6 weeks"))))


def problems(hepb: bytes = GOOD, schedule: bytes | None = None, **more: bytes) -> list[str]:
    """What is wrong with the files, in words; empty when nothing is."""
    files = {HEPB: hepb, SCHEDULE: schedule or schedule_file(), **more}
    try:
        read_schedule(files, version="1.0", source="a test")
    except ScheduleRefused as refused:
        return [str(one) for one in refused.problems]
    return []


def test_a_small_schedule_becomes_facts() -> None:
    files = {
        HEPB: antigen_file(
            series(
                dose(
                    1,
                    age("6 weeks - 4 days", "6 weeks", since="20200101"),
                    interval("24 days", "4 weeks", recent="08;43", override=True),
                    skip((condition("Vaccine Count By Date", endDate="20251231", doseCount="1", doseType="valid",
                                    doseCountLogic="Greater Than", vaccineTypes="08; 43"),)),
                    vaccines=preferable("08", "0 days", volume="0.5"),
                    inadvertent="110",
                    recurring=True,
                    season=("20250701", "20260630"),
                ),
                name="HepB series",
            )
        ),
        SCHEDULE: schedule_file(conflicts=(("08", "43", "1 day", "24 days", "28 days"),)),
    }  # fmt: skip
    document = read_schedule(files, version="1.0", source="a test")
    assert {key: document[key] for key in ("format", "version", "source", "groups", "conflicts")} == {
        "format": 1,
        "version": "1.0",
        "source": "a test",
        "groups": {"HepB": {"full": False, "antigens": ["HepB"]}},
        "conflicts": [["08", "43", "1d", "24d", "28d"]],
    }
    (only,) = document["antigens"]["HepB"]["series"]
    assert (only["name"], only["type"], only["default"], only["preference"]) == ("HepB series", "standard", False, 1)
    assert only["doses"] == [
        {
            "ages": [["6w-4d", "6w", None, None, None, "2020-01-01", None]],
            "intervals": [[["recent", ["08", "43"]], "24d", "4w", None, None, True, None, None]],
            "allowable_intervals": [],
            "preferable": 0,
            "allowable": 0,
            "inadvertent": ["110"],
            "skips": [
                {
                    "context": "both",
                    "logic": "or",
                    "sets": [
                        {
                            "logic": "and",
                            "effective": [None, None],
                            "conditions": [
                                {
                                    "type": "count",
                                    "ages": [None, None],
                                    "dates": [None, "2025-12-31"],
                                    "than": [">", 1],
                                    "doses": "valid",
                                    "vaccines": ["08", "43"],
                                }
                            ],
                        }
                    ],
                }
            ],
            "recurring": True,
            "season": ["2025-07-01", "2026-06-30"],
        }
    ]
    assert document["preferable"] == [[["08", "0d", None, None, None, "0.5", True]]]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (GOOD[:-40], "not well-formed XML"),
        (b"", "not well-formed XML: no element found"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + GOOD, "a document type declaration is not accepted"),
        (b"<vaccines/>", "vaccines (line 1): neither antigenSupportingData nor scheduleSupportingData"),
        (GOOD.replace(b"6 weeks", b"six weeks"), "absMinAge (line 1): 'six weeks' is not a length of time"),
        (GOOD.replace(b"<cvx>08", b"<cvx>8x"), "cvx (line 1): '8x' is not a CVX code"),
        (GOOD.replace(b"<recurringDose>No</recurringDose>", b""), "element <recurringDose> is missing"),
        (GOOD.replace(b"Dose 1", b"Dose 2"), "<doseNumber> is 'Dose 2'; 'Dose 1' is expected here"),
        (GOOD.replace(b"<minAge>", b"<minimumAge>").replace(b"</minAge>", b"</minimumAge>"), "unknown element"),
        (GOOD.replace(b"<seriesType>Standard", b"<seriesType>Special"), "'Special' is none of"),
        (GOOD.replace(b"<seriesType>Standard", b"<seriesType>Risk"), "a risk series without an indication"),
        (GOOD.replace(b"<equivalentSeriesGroups>", b"<equivalentSeriesGroups>9"), "series group '9'"),
        (GOOD.replace(b"<vaccineGroup>HepB", b"<vaccineGroup>Hep B"), "vaccine group 'Hep B' doesn't hold"),
        (GOOD.replace(b"<effectiveDate>", b"<effectiveDate>20250230"), "'20250230' is not a date (yyyymmdd)"),
        (GOOD.replace(b"<cvx>08", b"<cvx>99"), "CVX 99 is mapped to no antigen"),
        (b"<antigenSupportingData a='1'/>", "unexpected attributes ['a']"),
        (b"<a>" * 40 + b"</a>" * 40, "elements are nested more than 32 deep"),
    ],
)  # fmt: skip
def test_a_broken_antigen_file_is_refused(broken: bytes, expected: str) -> None:
    """Every refusal names the file and the element."""
    found = [one for one in problems(broken) if expected in one]
    assert found, problems(broken)
    assert found[0].startswith((HEPB, "antigen HepB"))


def test_every_problem_is_told_at_once() -> None:
    twice = GOOD.replace(b"6 weeks", b"soon").replace(b"<cvx>08", b"<cvx>?")
    assert len(problems(twice, schedule_file(cvx={"08": ("HepB", "HepC")}))) == 2
    assert problems(GOOD, schedule_file(cvx={"08": ("HepB", "HepC")})) == [
        f"{SCHEDULE}: cvxToAntigenMap (CVX 08): antigen HepC has no file"
    ]


def test_what_is_named_twice_is_refused() -> None:
    """A dose would count twice, or a vaccine group seem to have two antigens."""
    assert len(problems(GOOD, schedule_file(cvx={"08": ("HepB", "HepB")}))) == 1
    assert len(problems(GOOD, schedule_file(groups={"HepB": ("HepB", "HepB")}))) == 1
    assert [one.split(": ")[-1] for one in problems(GOOD, Again=GOOD)] == ["a second file for the antigen HepB"]


def test_a_missing_file_is_refused() -> None:
    two = schedule_file(groups={"HepB": ("HepB",), "HepA": ("HepA",)})
    assert problems(GOOD, two) == [
        f"{SCHEDULE}: vaccineGroupToAntigenMap: antigen HepA has no AntigenSupportingData file"
    ]
    with pytest.raises(ScheduleRefused, match="scheduleSupportingData: the file is missing"):
        read_schedule({HEPB: GOOD}, version="1.0", source="a test")
    with pytest.raises(ScheduleRefused, match=r"a version such as 4\.64 is expected"):
        read_schedule({HEPB: GOOD, SCHEDULE: schedule_file()}, version="latest", source="a test")


def test_an_import_is_used_from_then_on_and_a_refused_one_changes_nothing(tmp_path: Path) -> None:
    source, into = tmp_path / "cdsi-5.1", tmp_path / "schedules"
    source.mkdir()
    (source / HEPB).write_bytes(GOOD)
    (source / SCHEDULE).write_bytes(schedule_file())
    done = import_schedule(source, into)
    assert (done.version, done.path) == ("5.1", into / "5.1.json")
    assert [one.version for one in installed(into)] == ["4.64", "5.1"]
    assert load(folder=into).version == "5.1"
    assert load("4.64", into).version == "4.64"

    before = done.path.read_bytes()
    (source / HEPB).write_bytes(GOOD[:-30])
    with pytest.raises(ScheduleRefused):
        import_schedule(source, into)
    assert [path.name for path in into.iterdir()] == ["5.1.json"]
    assert done.path.read_bytes() == before


def test_a_zip_is_read_without_unpacking_it(tmp_path: Path) -> None:
    """CDC's ZIP has folders, and spreadsheets that are none of our business."""
    archive = tmp_path / "Version 4.65 - 508.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(f"XML/{HEPB}", GOOD)
        zipped.writestr(f"XML/{SCHEDULE}", schedule_file())
        zipped.writestr("Excel/AntigenSupportingData- HepB-508.xlsx", b"PK")
    assert sorted(read_files(archive)) == [HEPB, SCHEDULE]
    assert version_of(archive) == "4.65"
    assert import_schedule(archive, tmp_path / "in").version == "4.65"

    with zipfile.ZipFile(archive, "a") as zipped:
        zipped.writestr(f"Old/{HEPB}", GOOD)
    with pytest.raises(ScheduleRefused, match="occurs twice; give the folder of one version"):
        read_files(archive)


def test_sources_without_files_or_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScheduleRefused, match="holds no AntigenSupportingData"):
        read_files(tmp_path)
    with pytest.raises(ScheduleRefused, match="is neither a folder nor a ZIP file"):
        read_files(tmp_path / "absent.zip")
    with pytest.raises(ScheduleRefused, match="name it with --version"):
        version_of(tmp_path / "cdsi")


def test_an_unknown_version_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSchedule, match=r"schedule 3\.0 is not installed \(installed: 4\.64\)"):
        load("3.0")
    (tmp_path / "9.0.json").write_bytes(b'{"format": 2}')
    with pytest.raises(UnknownFormat, match="this software reads format 1"):
        load("9.0", tmp_path)
    (tmp_path / "9.0.json").write_bytes(b'{"format": 1}')
    with pytest.raises(UnknownFormat, match="import it again"):
        load("9.0", tmp_path)


def test_the_shipped_schedule_holds_facts_and_none_of_cdc_sentences() -> None:
    text = (SHIPPED / "4.64.json").read_text(encoding="utf-8")
    document = orjson.loads(text)
    assert (document["version"], len(document["antigens"]), len(document["groups"])) == ("4.64", 30, 26)
    assert (len(document["cvx"]), len(document["conflicts"]), len(document["observations"])) == (218, 625, 277)
    assert not [
        phrase for phrase in ("Do not vaccinate", "Administer to", "Dose is not required", "ACIP") if phrase in text
    ]
    assert compile_schedule(document).version == "4.64"


@pytest.mark.shared
@pytest.mark.skipif(not CDC.is_dir(), reason="../shared/cdsi-4.64 is absent")
def test_the_shipped_schedule_is_what_cdc_files_give() -> None:
    document = read_schedule(read_files(CDC), version="4.64", source="CDC CDSi supporting data 4.64")
    assert document_bytes(document) == (SHIPPED / "4.64.json").read_bytes()
