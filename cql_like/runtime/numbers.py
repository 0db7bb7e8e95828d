"""The number domains of CQL: Integer 32 bit, Long 64 bit, Decimal 28 digits with 8 decimals (CQL Author's Guide
§Simple types). Results outside them are null (CQL Appendix B §Arithmetic operators); decimals are rounded to 8
places.

Python's own decimal context is never used: all decimal arithmetic goes through `CONTEXT`.
"""

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow

MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1
MIN_LONG, MAX_LONG = -(2**63), 2**63 - 1
STEP = Decimal("0.00000001")
MAX_DECIMAL = Decimal("99999999999999999999.99999999")  # `maximum Decimal`: (10^28 - 1) / 10^8
MIN_DECIMAL = -MAX_DECIMAL
_BEYOND = Decimal(10) ** 28  # 28 digits before the point and 8 behind are kept; this is the first number beyond

# 28 + 8 digits, doubled so that a product is exact before it is rounded to 8 places
CONTEXT = Context(prec=80, rounding=ROUND_HALF_UP, Emin=-999, Emax=999, traps=[InvalidOperation, Overflow])


def fit(value: Decimal) -> Decimal | None:
    """`value` rounded to 8 places, or None where it has left the domain of Decimal.

    10^28 itself is let through, so that `10 * 10^27 - 0.00000001`, which is in the domain, can be computed.
    """
    if not -_BEYOND <= value <= _BEYOND:
        return None
    if decimal_places(value) > 8:
        value = value.quantize(STEP, context=CONTEXT)
    return value


def decimal_places(value: Decimal) -> int:
    """Digits behind the point, as written: 2 for 1.50."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def in_decimal_domain(value: Decimal) -> bool:
    """Whether a decimal is a CQL Decimal: within 28 digits and at most 8 decimals."""
    return value.is_finite() and -_BEYOND < value < _BEYOND and decimal_places(value) <= 8


def decimal_of(value: int | Decimal) -> Decimal:
    """An Integer or Long as a Decimal."""
    return value if isinstance(value, Decimal) else Decimal(int(value))
