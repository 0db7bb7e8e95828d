"""The page that lists the measures' cases is that of the cases there are, and every measure has enough of them."""

from gapsvc.evaluation.cases import read_cases
from gapsvc.measures import catalog
from scripts.list_cases import PAGE, page

LEAST = 25  # issue 5


def test_the_page_lists_the_cases_that_there_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalog()), "run: python -m scripts.list_cases"


def test_every_measure_has_enough_cases_and_says_each_once() -> None:
    titles = {measure.id: [case.title for case in read_cases(measure.folder)] for measure in catalog().values()}
    assert {name: len(found) for name, found in titles.items() if len(found) < LEAST} == {}
    assert [one for found in titles.values() for one in found if found.count(one) > 1] == []
