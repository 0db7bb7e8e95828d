"""CDC's NDC-to-CVX table: read as it is published; what is wrong is named with its line."""

import pytest

from gapsvc.schedule.immunizations.ndc_table import NdcTableRefused, read_ndc_table

PUBLISHED = """NDCInnerID|UseUnitLabeler|UseUnitPropName|UseUnitNDC11|OuterNDC11|CVX Code|CVX Description
1|A|Vaccine A|11111-1111-11|11111-1111-12|3|measles, mumps and rubella
2|A|Vaccine B|No Use NDC|22222-0222-22|110|DTaP-hepatitis B-IPV
3|A|Vaccine C||||
"""


def test_a_table_as_it_is_published() -> None:
    assert dict(read_ndc_table(PUBLISHED)) == {"11111111111": "03", "11111111112": "03", "22222022222": "110"}


def test_hyphens_tell_where_a_zero_is_missing() -> None:
    assert dict(read_ndc_table("NDC,CVX\n1234-5678-90,10\n")) == {"01234567890": "10"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", ":1: expected a heading"),
        ("NDC,CVX\n11111-1111-11,MMR\n", ":2: 'MMR' is not a CVX code"),
        ("NDC,CVX\n1234567890,03\n", ":2: '1234567890' is not an NDC"),
        ("NDC,CVX\n11111-1111-11,03\n11111-1111-11,94\n", ":3: NDC 11111-1111-11 has CVX 94, and 03 in an earlier row"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(NdcTableRefused, match=r"^ndc\.txt") as refused:
        read_ndc_table(text, "ndc.txt")
    assert said in str(refused.value)
