"""Measures as content: one folder a measure (measure.toml, CQL, cases); adding one touches no code.

`catalog()` reads the measures that ship with the product; `read_measure` any folder of the same shape.
"""

from gapsvc.measures.definition import Group, MeasureDefinition, MeasureError, Requirement, catalog, read_measure

__all__ = ["Group", "MeasureDefinition", "MeasureError", "Requirement", "catalog", "read_measure"]
