"""Hypothesis strategies for results: any value that the types allow."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from gapsvc.evaluation.result import (
    Basis,
    Coding,
    Counted,
    DataRequirement,
    Discounted,
    GapRecord,
    GapStatus,
    GroupResult,
    Label,
    MeasureResult,
    Need,
    Observations,
    Outlook,
    Reason,
    StratifierResult,
    Stratum,
    SupplementalResult,
    SupplementalValue,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)  # JSON has no lone surrogates
days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
maybe_text = st.none() | texts
maybe_day = st.none() | days
counts = st.none() | st.integers(0, 20)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


codings = st.builds(Coding, system=texts, code=texts, display=maybe_text)
requirements = st.builds(
    DataRequirement,
    resource_type=texts,
    code_path=maybe_text,
    value_set=maybe_text,
    date_path=maybe_text,
    date_from=maybe_day,
    date_to=maybe_day,
)
gaps = st.builds(
    GapRecord,
    status=st.sampled_from(GapStatus),
    need=st.none() | st.builds(Need, text=texts, coding=codings, further=some(codings)),
    needed=counts,
    done=counts,
    due_from=maybe_day,
    due_by=maybe_day,
    last_day=maybe_day,
    outlook=st.sampled_from(Outlook),
    reasons=some(
        st.builds(
            Reason,
            code=texts,
            text=texts,
            reference=maybe_text,
            path=maybe_text,
            requirement=st.none() | requirements,
        )
    ),
    counted=some(st.builds(Counted, reference=texts, on=maybe_day)),
    discounted=some(st.builds(Discounted, reference=texts, on=maybe_day, reason=texts, text=texts)),
    changes_on=maybe_day,
    basis=st.builds(
        Basis,
        measure=texts,
        software=texts,
        schedule=maybe_text,
        data_as_of=st.dictionaries(texts, texts, max_size=2),
    ),
)
labels = st.builds(Label, text=texts, coding=st.none() | codings)
decimals = st.decimals(-(10**9), 10**9, allow_nan=False, places=8)
populations = st.dictionaries(texts, st.integers(0, 40), max_size=4)
observations = some(st.builds(Observations, of=texts, aggregate=texts, values=some(decimals), unit=maybe_text))
strata = st.builds(
    Stratum, values=some(labels), populations=populations, observations=observations, score=st.none() | decimals
)
groups = st.builds(
    GroupResult,
    id=texts,
    description=texts,
    populations=populations,
    gap=gaps,
    score=st.none() | decimals,
    scoring=texts,
    improvement_notation=texts,
    observations=observations,
    stratifiers=some(
        st.builds(StratifierResult, id=texts, codes=some(labels), has_components=st.booleans(), strata=some(strata))
    ),
)
supplemental = st.builds(
    SupplementalResult,
    id=texts,
    usage=texts,
    code=labels,
    values=some(st.builds(SupplementalValue, reference=maybe_text, label=st.none() | labels)),
)
results = st.builds(
    MeasureResult,
    subject=texts,
    measure_id=texts,
    measure_url=texts,
    measure_version=texts,
    measure_title=texts,
    scoring=texts,
    improvement_notation=texts,
    period_start=days,
    period_end=days,
    as_of=days,
    groups=some(groups),
    evaluated=st.dictionaries(texts, some(texts), max_size=3),
    supplemental=some(supplemental),
    sources=st.dictionaries(texts, texts, max_size=3),
)
