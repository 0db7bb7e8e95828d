"""A combination of rates (CIS combination 10, IMA combination 2) says for each of its parts why it is still open.

One service doesn't close such a gap, so one data requirement can't say what would: each missing part gives its own
reason, with the requirement (value set and days) of its own gap (design/gaps.md, "reasons").
"""

import dataclasses
from collections.abc import Mapping

from gapsvc.evaluation.result import GapStatus, GroupResult, Outlook, Reason

_PENDING = (GapStatus.OPEN, GapStatus.PROSPECTIVE)


def with_parts(groups: tuple[GroupResult, ...], combines: Mapping[str, tuple[str, ...]]) -> tuple[GroupResult, ...]:
    """The groups; a combination whose gap is pending has the reasons of its pending parts after its own.

    Args:
        combines: combination's group id -> its parts' group ids (measure.toml, `combines`).
    """
    by_id = {group.id: group for group in groups}
    return tuple(
        _combined(group, [by_id[part] for part in combines[group.id]])
        if group.id in combines and group.gap.status in _PENDING
        else group
        for group in groups
    )


def _combined(group: GroupResult, parts: list[GroupResult]) -> GroupResult:
    own = tuple(dataclasses.replace(reason, requirement=None) for reason in group.gap.reasons)
    missing = tuple(_missing(part) for part in parts if part.gap.status in _PENDING)
    return dataclasses.replace(group, gap=dataclasses.replace(group.gap, reasons=(*own, *missing)))


def _missing(part: GroupResult) -> Reason:
    text = part.description if part.gap.need is None else part.gap.need.text
    if part.gap.outlook is Outlook.MISSED:
        text += ": no longer possible"
    return dataclasses.replace(part.gap.reasons[0], text=text)
