"""The store's roll-up and the tally of the same results say the same, today and when windows have closed."""

from dataclasses import asdict
from datetime import date

import pytest
from contract_client import AS_OF, Api

from gapsvc.evaluation.tally import Tally

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize("measure", ["three-by-120", "w30"])
def test_the_stores_rates_are_those_of_its_results(api: Api, measure: str) -> None:
    store, url = api.service.store, api.service.measures[measure].url
    tally = Tally()
    for result in store.results(measure_url=url, period=PERIOD):
        tally.add(result)
    summed = {rate.group_id: rate for rate in store.summary(url, PERIOD, AS_OF)}
    assert summed.keys() == {group for _, group in tally.rates}
    for group, rate in summed.items():
        counted = tally.rates[measure, group]
        assert {**asdict(rate), "outside": rate.outside, "group_id": None} == {
            **asdict(counted),
            "statuses": dict(counted.statuses),
            "outlooks": dict(counted.outlooks),
            "group_id": None,
        }
        assert 0 < rate.final_denominator < rate.denominator


def test_after_the_period_every_result_is_final(api: Api) -> None:
    url = api.service.measures["w30"].url
    for rate in api.service.store.summary(url, PERIOD, date(2027, 1, 1)):
        assert (rate.final_denominator, rate.final_numerator) == (rate.denominator, rate.numerator)
