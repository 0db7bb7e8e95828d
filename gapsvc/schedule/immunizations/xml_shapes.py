"""The elements of CDC's supporting data files, as tables: which child elements each may have, and how many.

Source: the files of version 4.64-508 and the Logic Specification's domain model. An element that isn't in the table is
a problem, not something to skip: a newer format may hold rules that this software would otherwise not apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .xml_reading import Node, Problem

# How often a child may occur: exactly once, at most once, any number of times, at least once.
ONE, MAYBE, MANY, SOME = "1", "?", "*", "+"
_ALLOWED = {ONE: (1, 1), MAYBE: (0, 1), MANY: (0, 100_000), SOME: (1, 100_000)}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element holds: text only (no children), or these children. `may_be_empty`: `<x/>` means none."""

    children: Mapping[str, "tuple[str, Shape]"] = field(default_factory=dict[str, "tuple[str, Shape]"])
    may_be_empty: bool = False


TEXT = Shape()


def _texts(*tags: str) -> dict[str, tuple[str, Shape]]:
    return dict.fromkeys(tags, (ONE, TEXT))


_EFFECTIVE = _texts("effectiveDate", "cessationDate")
_AGES = _texts("beginAge", "endAge")

_CONDITION = Shape(
    _texts(
        "conditionID",
        "conditionType",
        "startDate",
        "endDate",
        "beginAge",
        "endAge",
        "interval",
        "doseCount",
        "doseType",
        "doseCountLogic",
        "vaccineTypes",
        "seriesGroups",
    )
)
_SET = Shape(
    {**_texts("setID", "setDescription", "conditionLogic"), **_EFFECTIVE, "condition": (SOME, _CONDITION)},
)
_SKIP = Shape({**_texts("context", "setLogic"), "set": (SOME, _SET)}, may_be_empty=True)
_RELEVANT_OBSERVATION = Shape(_texts("text", "code"), may_be_empty=True)
_INTERVAL = Shape(
    {
        **_texts("fromPrevious", "fromTargetDose", "fromMostRecent"),
        "fromRelevantObs": (ONE, _RELEVANT_OBSERVATION),
        **_texts("absMinInt", "minInt", "earliestRecInt", "latestRecInt", "intervalPriority"),
        **_EFFECTIVE,
    },
    may_be_empty=True,
)
_ALLOWABLE_INTERVAL = Shape({**_texts("fromPrevious", "fromTargetDose", "absMinInt"), **_EFFECTIVE}, may_be_empty=True)
_DOSE = Shape(
    {
        "doseNumber": (ONE, TEXT),
        "age": (
            SOME,
            Shape(
                {**_texts("absMinAge", "minAge", "earliestRecAge", "latestRecAge", "maxAge"), **_EFFECTIVE},
                may_be_empty=True,
            ),
        ),
        # CDC itself leaves <interval/> out of one dose of 4.64 (Mumps risk 1-dose series): none means no interval.
        "interval": (MANY, _INTERVAL),
        "allowableInterval": (SOME, _ALLOWABLE_INTERVAL),
        "preferableVaccine": (
            SOME,
            Shape(
                {
                    **_texts("vaccineType", "cvx"),
                    **_AGES,
                    **_texts("tradeName", "mvx", "volume", "forecastVaccineType"),
                },
                may_be_empty=True,
            ),
        ),
        "allowableVaccine": (SOME, Shape({**_texts("vaccineType", "cvx"), **_AGES}, may_be_empty=True)),
        "inadvertentVaccine": (SOME, Shape(_texts("vaccineType", "cvx"), may_be_empty=True)),
        "conditionalSkip": (SOME, _SKIP),
        "recurringDose": (ONE, TEXT),
        "seasonalRecommendation": (ONE, Shape(_texts("startDate", "endDate"), may_be_empty=True)),
    }
)
_SERIES = Shape(
    {
        **_texts("seriesName", "targetDisease", "vaccineGroup", "seriesType", "equivalentSeriesGroups"),
        "seriesAdminGuidance": (MANY, TEXT),
        "requiredGender": (SOME, TEXT),
        "selectSeries": (
            ONE,
            Shape(
                _texts(
                    "defaultSeries",
                    "productPath",
                    "seriesGroupName",
                    "seriesGroup",
                    "seriesPriority",
                    "seriesPreference",
                    "minAgeToStart",
                    "maxAgeToStart",
                )
            ),
        ),
        "indication": (
            MANY,
            Shape(
                {
                    "observationCode": (ONE, Shape(_texts("text", "code"))),
                    **_texts("description"),
                    **_AGES,
                    **_texts("guidance"),
                },
                may_be_empty=True,
            ),
        ),
        "seriesDose": (SOME, _DOSE),
    }
)
_CONTRAINDICATION_TEXTS = _texts(
    "observationCode", "observationTitle", "contraindicationText", "contraindicationGuidance"
)
ANTIGEN = Shape(
    {
        "immunity": (
            ONE,
            Shape(
                {
                    "clinicalHistory": (MANY, Shape(_texts("guidelineCode", "guidelineTitle"), may_be_empty=True)),
                    "dateOfBirth": (
                        MANY,
                        Shape(
                            {
                                **_texts("immunityBirthDate", "birthCountry"),
                                "exclusion": (
                                    MANY,
                                    Shape(_texts("exclusionCode", "exclusionTitle"), may_be_empty=True),
                                ),
                            },
                            may_be_empty=True,
                        ),
                    ),
                },
                may_be_empty=True,
            ),
        ),
        "contraindications": (
            ONE,
            Shape(
                {
                    "vaccineGroup": (
                        MAYBE,
                        Shape(
                            {"contraindication": (MANY, Shape({**_CONTRAINDICATION_TEXTS, **_AGES}))},
                            may_be_empty=True,
                        ),
                    ),
                    "vaccine": (
                        MAYBE,
                        Shape(
                            {
                                "contraindication": (
                                    MANY,
                                    Shape(
                                        {
                                            **_CONTRAINDICATION_TEXTS,
                                            "contraindicatedVaccine": (
                                                SOME,
                                                Shape({**_texts("vaccineType", "cvx"), **_AGES}),
                                            ),
                                        }
                                    ),
                                )
                            },
                            may_be_empty=True,
                        ),
                    ),
                },
                may_be_empty=True,
            ),
        ),
        "series": (SOME, _SERIES),
    }
)

_VACCINE = Shape(_texts("vaccineType", "cvx"))
SCHEDULE = Shape(
    {
        "liveVirusConflicts": (
            ONE,
            Shape(
                {
                    "liveVirusConflict": (
                        MANY,
                        Shape(
                            {
                                "previous": (ONE, _VACCINE),
                                "current": (ONE, _VACCINE),
                                **_texts("conflictBeginInterval", "minConflictEndInterval", "conflictEndInterval"),
                            }
                        ),
                    )
                }
            ),
        ),
        "vaccineGroups": (
            ONE,
            Shape({"vaccineGroup": (SOME, Shape(_texts("name", "administerFullVaccineGroup")))}),
        ),
        "vaccineGroupToAntigenMap": (
            ONE,
            Shape(
                {"vaccineGroupMap": (SOME, Shape({"name": (ONE, TEXT), "antigen": (SOME, TEXT)}))},
            ),
        ),
        "cvxToAntigenMap": (
            ONE,
            Shape(
                {
                    "cvxMap": (
                        SOME,
                        Shape(
                            {
                                **_texts("cvx", "shortDescription"),
                                "association": (
                                    SOME,
                                    Shape(_texts("antigen", "associationBeginAge", "associationEndAge")),
                                ),
                            }
                        ),
                    )
                }
            ),
        ),
        "observations": (
            ONE,
            Shape(
                {
                    "observation": (
                        SOME,
                        Shape(
                            {
                                **_texts(
                                    "observationCode",
                                    "observationTitle",
                                    "group",
                                    "indicationText",
                                    "contraindicationText",
                                    "clarifyingText",
                                ),
                                "codedValues": (
                                    ONE,
                                    Shape(
                                        {"codedValue": (MANY, Shape(_texts("code", "codeSystem", "text")))},
                                        may_be_empty=True,
                                    ),
                                ),
                            }
                        ),
                    )
                }
            ),
        ),
    }
)


def check_shape(file: str, node: Node, shape: Shape, problems: list[Problem]) -> None:
    """Append a problem for every element under `node` that is unknown, missing, repeated or holds stray text."""
    if not shape.children:
        problems.extend(Problem(file, child.where, "an element here is not expected") for child in node.children)
        return
    if shape.may_be_empty and not node.children and not node.text:
        return
    if node.text:
        problems.append(Problem(file, node.where, "text where only elements are expected"))
    counts: dict[str, int] = {}
    for child in node.children:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        known = shape.children.get(child.tag)
        if known is None:
            problems.append(Problem(file, child.where, "unknown element: this software doesn't know what it asks for"))
        else:
            check_shape(file, child, known[1], problems)
    for tag, (occurs, _) in shape.children.items():
        least, most = _ALLOWED[occurs]
        count = counts.get(tag, 0)
        if count < least:
            problems.append(Problem(file, node.where, f"element <{tag}> is missing"))
        elif count > most:
            problems.append(Problem(file, node.where, f"element <{tag}> occurs {count} times; once is expected"))
