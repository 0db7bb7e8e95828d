"""CDC's NDC-to-CVX table, as CDC publishes it (delimited text with a header), read into a mapping.

NDCs name packages and change monthly, so none are shipped: a site downloads CDC's table and names the file in its
settings. A column whose heading has `NDC11` (or is `NDC`) holds the package code, one with `CVX` the vaccine.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .vaccine_codes import normal_ndc

_CVX = re.compile(r"[0-9]{1,3}\Z")
LONGEST = 500_000  # rows


class NdcTableRefused(ValueError):
    """A table that can't be used; the message names the line and what was expected there."""


def read_ndc_table(text: str, name: str = "NDC table") -> Mapping[str, str]:
    """NDC (11 digits, without hyphens) -> CVX of every row that has both.

    Raises:
        NdcTableRefused: there is no such column, a code is not one, or two rows name different vaccines for one NDC.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if not lines:
        raise NdcTableRefused(f"{name}: is empty; expected a heading with an NDC11 and a CVX column")
    delimiter = max("|\t,", key=lines[0].count)
    rows = csv.reader(lines, delimiter=delimiter)
    heading = [column.strip().upper() for column in next(rows)]
    ndc_columns = [at for at, column in enumerate(heading) if "NDC11" in column or column == "NDC"]
    cvx_columns = [at for at, column in enumerate(heading) if column.startswith("CVX") and "DESCR" not in column]
    if not ndc_columns or not cvx_columns:
        raise NdcTableRefused(f"{name}:1: expected a heading with an NDC11 (or NDC) and a CVX column")
    return MappingProxyType(_read(rows, ndc_columns, cvx_columns[0], name))


def _read(rows: Iterable[list[str]], ndc_columns: list[int], cvx_column: int, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if number > LONGEST:
            raise NdcTableRefused(f"{name}: more than {LONGEST:,} rows")
        if len(row) <= cvx_column or not row[cvx_column].strip():
            continue
        cvx = row[cvx_column].strip()
        if not _CVX.match(cvx):
            raise NdcTableRefused(f"{name}:{number}: {cvx!r:.40} is not a CVX code")
        for column in ndc_columns:
            written = row[column].strip() if column < len(row) else ""
            if not written or written.upper().startswith("NO"):  # "No Use NDC": the outer package alone is coded
                continue
            ndc = normal_ndc(written)
            where = f"{name}:{number}"
            if ndc is None:
                raise NdcTableRefused(
                    f"{where}: {written!r:.40} is not an NDC (11 digits, or hyphens between its parts)"
                )
            if found.setdefault(ndc, cvx.zfill(2)) != cvx.zfill(2):
                raise NdcTableRefused(f"{where}: NDC {written} has CVX {cvx}, and {found[ndc]} in an earlier row")
    return found
