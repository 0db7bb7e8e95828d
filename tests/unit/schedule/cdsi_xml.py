"""CDC-shaped XML for tests: a small schedule written in a few lines, read by the importer like CDC's own files."""

from gapsvc.schedule.immunizations import Schedule, read_schedule
from gapsvc.schedule.immunizations.compiling import compile_schedule


def element(tag: str, **children: str) -> str:
    """<tag> with a text element per keyword; a value that starts with `<` goes in as it is."""
    inner = "".join(value if value.startswith("<") else f"<{name}>{value}</{name}>" for name, value in children.items())
    return f"<{tag}>{inner}</{tag}>" if children else f"<{tag}/>"


def age(
    absolute: str = "", minimum: str = "", earliest: str = "", latest: str = "", maximum: str = "", since: str = "",
    until: str = "",
) -> str:  # fmt: skip
    """An <age> row."""
    return element(
        "age", absMinAge=absolute, minAge=minimum, earliestRecAge=earliest, latestRecAge=latest, maxAge=maximum,
        effectiveDate=since, cessationDate=until,
    )  # fmt: skip


def interval(
    absolute: str = "", minimum: str = "", earliest: str = "", latest: str = "", *, target: str = "", recent: str = "",
    observation: str = "", override: bool = False, since: str = "", until: str = "",
) -> str:  # fmt: skip
    """An <interval> row: from the previous dose unless told otherwise."""
    seen = element("fromRelevantObs", text="event", code=observation) if observation else "<fromRelevantObs/>"
    return element(
        "interval",
        fromPrevious="N" if target or recent or observation else "Y",
        fromTargetDose=target,
        fromMostRecent=recent,
        fromRelevantObs=seen,
        absMinInt=absolute,
        minInt=minimum,
        earliestRecInt=earliest,
        latestRecInt=latest,
        intervalPriority="override" if override else "",
        effectiveDate=since,
        cessationDate=until,
    )


def allowable_interval(absolute: str) -> str:
    """An <allowableInterval> from the previous dose."""
    return element(
        "allowableInterval", fromPrevious="Y", fromTargetDose="", absMinInt=absolute, effectiveDate="", cessationDate=""
    )


def preferable(cvx: str, begin: str = "", end: str = "", *, mvx: str = "", volume: str = "", flag: str = "Y") -> str:
    """A <preferableVaccine> row."""
    return element(
        "preferableVaccine", vaccineType="vaccine", cvx=cvx, beginAge=begin, endAge=end, tradeName="", mvx=mvx,
        volume=volume, forecastVaccineType=flag,
    )  # fmt: skip


def allowable(cvx: str, begin: str = "", end: str = "") -> str:
    """An <allowableVaccine> row."""
    return element("allowableVaccine", vaccineType="vaccine", cvx=cvx, beginAge=begin, endAge=end)


def condition(kind: str, **values: str) -> str:
    """A <condition> of a conditional skip."""
    tags = (
        "startDate", "endDate", "beginAge", "endAge", "interval", "doseCount", "doseType", "doseCountLogic",
        "vaccineTypes", "seriesGroups",
    )  # fmt: skip
    return element("condition", conditionID="1", conditionType=kind, **{tag: values.get(tag, "") for tag in tags})


def skip(*sets: tuple[str, ...], context: str = "Both", sets_logic: str = "OR", logic: str = "AND") -> str:
    """A <conditionalSkip>; each set is a tuple of conditions."""
    inner = "".join(
        f"<set><setID>1</setID><setDescription/><effectiveDate/><cessationDate/><conditionLogic>{logic}"
        f"</conditionLogic>{''.join(conditions)}</set>"
        for conditions in sets
    )
    return f"<conditionalSkip><context>{context}</context><setLogic>{sets_logic}</setLogic>{inner}</conditionalSkip>"


def dose(
    number: int, *parts: str, vaccines: str = preferable("08"), inadvertent: str = "", recurring: bool = False,
    season: tuple[str, str] | None = None,
) -> str:  # fmt: skip
    """A <seriesDose>: `parts` are ages, intervals, allowable intervals and skips, in any order."""

    def of(tag: str) -> str:
        return "".join(part for part in parts if part.startswith(f"<{tag}>")) or f"<{tag}/>"

    pieces = [vaccine for vaccine in vaccines.split("\n") if vaccine]
    preferred = "".join(one for one in pieces if one.startswith("<preferableVaccine>")) or "<preferableVaccine/>"
    allowed = "".join(one for one in pieces if one.startswith("<allowableVaccine>")) or "<allowableVaccine/>"
    bad = element("inadvertentVaccine", vaccineType="vaccine", cvx=inadvertent) if inadvertent else ""
    when = element("seasonalRecommendation", startDate=season[0], endDate=season[1]) if season else ""
    return (
        f"<seriesDose><doseNumber>Dose {number}</doseNumber>{of('age')}{of('interval')}{of('allowableInterval')}"
        f"{preferred}{allowed}{bad or '<inadvertentVaccine/>'}{of('conditionalSkip')}"
        f"<recurringDose>{'Yes' if recurring else 'No'}</recurringDose>"
        f"{when or '<seasonalRecommendation/>'}</seriesDose>"
    )


def series(
    *doses: str, name: str = "series", kind: str = "Standard", group: str = "1", equivalent: str = "",
    default: bool = False, product: bool = False, priority: str = "A", preference: str = "1", first: str = "",
    last: str = "", indications: tuple[str, ...] = (), gender: str = "", disease: str = "HepB",
    vaccine_group: str = "HepB",
) -> str:  # fmt: skip
    """A <series>."""
    select = element(
        "selectSeries",
        defaultSeries="Yes" if default else "No",
        productPath="Yes" if product else "No",
        seriesGroupName="group",
        seriesGroup=group,
        seriesPriority=priority,
        seriesPreference=preference,
        minAgeToStart=first,
        maxAgeToStart=last,
    )
    reasons = "".join(
        element(
            "indication",
            observationCode=element("observationCode", text="risk", code=code),
            description="",
            beginAge="",
            endAge="",
            guidance="",
        )
        for code in indications
    )
    return (
        f"<series><seriesName>{name}</seriesName><targetDisease>{disease}</targetDisease>"
        f"<vaccineGroup>{vaccine_group}</vaccineGroup><seriesAdminGuidance/><seriesType>{kind}</seriesType>"
        f"<equivalentSeriesGroups>{equivalent}</equivalentSeriesGroups><requiredGender>{gender}</requiredGender>"
        f"{select}{reasons or '<indication/>'}{''.join(doses)}</series>"
    )


def contraindication(code: str, begin: str = "", end: str = "") -> str:
    """An antigen-level <contraindication>."""
    return element(
        "contraindication", observationCode=code, observationTitle="", contraindicationText="",
        contraindicationGuidance="", beginAge=begin, endAge=end,
    )  # fmt: skip


def antigen_file(*series_of: str, bars: str = "", immunity: str = "<immunity/>") -> bytes:
    """An AntigenSupportingData file."""
    group = f"<vaccineGroup>{bars}</vaccineGroup>" if bars else ""
    return (
        f"<antigenSupportingData>{immunity}<contraindications>{group}</contraindications>{''.join(series_of)}"
        "</antigenSupportingData>"
    ).encode()


def schedule_file(
    *,
    groups: dict[str, tuple[str, ...]] | None = None,
    full: str = "",
    cvx: dict[str, tuple[str, ...]] | None = None,
    conflicts: tuple[tuple[str, str, str, str, str], ...] = (),
    observations: tuple[str, ...] = ("007", "055", "100", "101"),
) -> bytes:
    """A ScheduleSupportingData file."""
    groups = groups or {"HepB": ("HepB",)}
    cvx = cvx or {"08": ("HepB",), "43": ("HepB",), "110": ("HepB",)}
    rows = "".join(
        f"<liveVirusConflict><previous><vaccineType/><cvx>{previous}</cvx></previous><current><vaccineType/><cvx>"
        f"{current}</cvx></current><conflictBeginInterval>{begin}</conflictBeginInterval><minConflictEndInterval>"
        f"{least}</minConflictEndInterval><conflictEndInterval>{end}</conflictEndInterval></liveVirusConflict>"
        for previous, current, begin, least, end in conflicts
    )
    named = "".join(element("vaccineGroup", name=name, administerFullVaccineGroup=full) for name in groups)
    mapped = "".join(
        f"<vaccineGroupMap><name>{name}</name>{''.join(f'<antigen>{one}</antigen>' for one in antigens)}"
        "</vaccineGroupMap>"
        for name, antigens in groups.items()
    )
    codes = "".join(
        f"<cvxMap><cvx>{code}</cvx><shortDescription>vaccine {code}</shortDescription>"
        + "".join(element("association", antigen=one, associationBeginAge="", associationEndAge="") for one in antigens)
        + "</cvxMap>"
        for code, antigens in cvx.items()
    )
    seen = "".join(
        element(
            "observation",
            observationCode=code,
            observationTitle=f"observation {code}",
            group="",
            indicationText="",
            contraindicationText="",
            clarifyingText="",
            codedValues="<codedValues/>",
        )
        for code in observations
    )
    return (
        f"<scheduleSupportingData><liveVirusConflicts>{rows}</liveVirusConflicts><vaccineGroups>{named}"
        f"</vaccineGroups><vaccineGroupToAntigenMap>{mapped}</vaccineGroupToAntigenMap><cvxToAntigenMap>{codes}"
        f"</cvxToAntigenMap><observations>{seen}</observations></scheduleSupportingData>"
    ).encode()


def small_schedule(*series_of: str, immunity: str = "<immunity/>", bars: str = "", **schedule: object) -> Schedule:
    """A schedule of one antigen, HepB, with these series."""
    files = {
        "AntigenSupportingData- HepB-508.xml": antigen_file(*series_of, immunity=immunity, bars=bars),
        "ScheduleSupportingData.xml": schedule_file(**schedule),  # type: ignore[arg-type]
    }
    return compile_schedule(read_schedule(files, version="1.0", source="a test"))
