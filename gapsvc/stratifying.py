"""How people are told apart: as the settings have it."""

from collections.abc import Mapping
from datetime import date

from gapsvc.config import Settings
from gapsvc.evaluation.strata import StrataContext
from gapsvc.evaluation.stratification import race_table


def strata_context(settings: Settings, as_of: date, names: Mapping[str, str]) -> StrataContext:
    """What deciding a person's strata needs beside the record (`gapsvc.evaluation.strata.strata_of`).

    `names` are those of organizations, by reference (`names_of` resources, or `Store.organization_names`).
    """
    return StrataContext(
        as_of,
        race_table(settings["stratification.categories"]),
        names,
        settings["stratification.zip_digits"],
    )
