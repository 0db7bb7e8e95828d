"""Who reported what a result rests on, and which of it two sources report. Pure.

A result keeps the source of every resource that was looked at, so that the page, the card and the MeasureReport can say
it without the record. What a measure puts aside because another on its day counts is told as what it is where another
source reports the one that counts: the same visit or service, reported twice.
"""

from dataclasses import replace
from types import MappingProxyType

from gapsvc.evaluation.result import Discounted, GroupResult, MeasureResult
from gapsvc.records.duplicates import repeated_elsewhere
from gapsvc.records.record import PatientRecord

SAME_DAY = "same-day"  # measures/common/*.cql


def with_sources(result: MeasureResult, record: PatientRecord) -> MeasureResult:
    """The result with the source of each resource that was evaluated; itself where the record names none."""
    known = record.sources
    if not known:
        return result
    sources = {reference: known[reference] for reference in result.evaluated if reference in known}
    groups = tuple(_told(group, sources) for group in result.groups)
    return replace(result, groups=groups, sources=MappingProxyType(sources))


def _told(group: GroupResult, sources: dict[str, str]) -> GroupResult:
    gap = group.gap
    if not any(item.reason == SAME_DAY for item in gap.discounted):
        return group
    counted = [(item.reference, item.on) for item in gap.counted]
    discounted = tuple(
        Discounted(item.reference, item.on, item.reason, text)
        if item.reason == SAME_DAY
        and (text := repeated_elsewhere(item.reference, item.on, counted, sources)) is not None
        else item
        for item in gap.discounted
    )
    return replace(group, gap=replace(gap, discounted=discounted)) if discounted != gap.discounted else group
