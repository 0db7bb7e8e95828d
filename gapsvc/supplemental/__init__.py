"""Supplemental data: what registries, payers and laboratories report, as FHIR resources under their own source name.

A mapping file (TOML) says what the columns of a delimited file mean; rows become resources with ids that depend on
nothing but the row, so that the same row again is nothing new and a corrected one replaces what it corrects.
"""

from gapsvc.supplemental.csvfile import FileLimits
from gapsvc.supplemental.mapping import Mapping, MappingError, read_mapping, shipped_mappings
from gapsvc.supplemental.remembered import Seen, Vanished
from gapsvc.supplemental.source import CsvSource, KnownPeople, TaggedSource

__all__ = [
    "CsvSource",
    "FileLimits",
    "KnownPeople",
    "Mapping",
    "MappingError",
    "Seen",
    "TaggedSource",
    "Vanished",
    "read_mapping",
    "shipped_mappings",
]
