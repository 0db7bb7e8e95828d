"""Units: the UCUM codes of clinical use, and the calendar durations (CQL §Quantities; UCUM §§ 2-4).

A unit expression is parsed into an exact factor (a Fraction) and a dimension vector. Arbitrary units (`[IU]`, ...)
and codes that are not in the table are a dimension of their own: comparable with themselves, with nothing else.
`Cel` and `[degF]` have an offset and convert only when they stand alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

Dimension = tuple[tuple[str, int], ...]

# UCUM table 1: prefixes
PREFIXES: Mapping[str, Fraction] = MappingProxyType(
    {
        symbol: Fraction(10) ** exponent
        for symbol, exponent in {
            "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
            "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
        }.items()
    }
)  # fmt: skip

# Metric units (they take prefixes): code -> (factor, the unit expression it multiplies). Base units multiply None.
_METRIC: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "m": ("1", None), "s": ("1", None), "g": ("1", None), "rad": ("1", None), "K": ("1", None),
        "C": ("1", None), "cd": ("1", None),
        "mol": ("602214076000000000000000", "1"), "sr": ("1", "rad2"), "Hz": ("1", "s-1"), "N": ("1000", "g.m/s2"),
        "Pa": ("1", "N/m2"), "J": ("1", "N.m"), "W": ("1", "J/s"), "A": ("1", "C/s"), "V": ("1", "J/C"),
        "F": ("1", "C/V"), "Ohm": ("1", "V/A"), "S": ("1", "Ohm-1"), "Wb": ("1", "V.s"), "T": ("1", "Wb/m2"),
        "H": ("1", "Wb/A"), "lm": ("1", "cd.sr"), "lx": ("1", "lm/m2"), "Bq": ("1", "s-1"), "Gy": ("1", "J/kg"),
        "Sv": ("1", "J/kg"), "L": ("1", "dm3"), "l": ("1", "dm3"), "ar": ("100", "m2"), "t": ("1000", "kg"),
        "bar": ("100000", "Pa"), "u": ("1.66053906660e-24", "g"), "eV": ("1.602176634e-19", "J"),
        "cal": ("4.184", "J"), "cal_th": ("4.184", "J"), "cal_IT": ("4.1868", "J"), "[Cal]": ("4184", "J"),
        "m[Hg]": ("133322", "Pa"), "m[H2O]": ("9806.65", "Pa"), "eq": ("1", "mol"), "osm": ("1", "mol"),
        "kat": ("1", "mol/s"), "U": ("1", "umol/min"), "g%": ("1", "g/dL"), "Ci": ("37000000000", "Bq"),
        "R": ("0.000258", "C/kg"), "RAD": ("0.01", "J/kg"), "REM": ("0.01", "Sv"), "P": ("1", "dyn.s/cm2"),
        "St": ("1", "cm2/s"), "dyn": ("1", "g.cm/s2"), "erg": ("1", "dyn.cm"), "bit": ("1", "1"), "By": ("8", "bit"),
        "Bd": ("1", "/s"), "[iU]": ("1", "[IU]"),
    }
)  # fmt: skip

# Units that take no prefix
_PLAIN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "10*": ("10", "1"), "10^": ("10", "1"), "%": ("0.01", "1"), "[ppth]": ("0.001", "1"),
        "[ppm]": ("0.000001", "1"), "[ppb]": ("0.000000001", "1"), "[pptr]": ("0.000000000001", "1"),
        "[pi]": ("3.1415926535897932384626433832795028841971693993751058209749445923", "1"),
        "min": ("60", "s"), "h": ("60", "min"), "d": ("24", "h"), "wk": ("7", "d"), "a_j": ("365.25", "d"),
        "a_t": ("365.24219", "d"), "a_g": ("365.2425", "d"), "a": ("1", "a_j"), "mo_j": ("1/12", "a_j"),
        "mo_s": ("29.53059", "d"), "mo_g": ("1/12", "a_g"), "mo": ("1", "mo_j"),
        "deg": ("1/180", "[pi].rad"), "'": ("1/60", "deg"), "''": ("1/60", "'"), "gon": ("0.9", "deg"),
        "[in_i]": ("2.54", "cm"), "[ft_i]": ("12", "[in_i]"), "[yd_i]": ("3", "[ft_i]"), "[mi_i]": ("5280", "[ft_i]"),
        "[in_us]": ("100/3937", "m"), "[nmi_i]": ("1852", "m"), "Ao": ("0.1", "nm"),
        "[sin_i]": ("1", "[in_i]2"), "[sft_i]": ("1", "[ft_i]2"), "[cin_i]": ("1", "[in_i]3"),
        "[cft_i]": ("1", "[ft_i]3"), "[acr_us]": ("4046.872609874252", "m2"),
        "[gr]": ("64.79891", "mg"), "[lb_av]": ("7000", "[gr]"), "[oz_av]": ("1/16", "[lb_av]"),
        "[dr_av]": ("1/16", "[oz_av]"), "[stone_av]": ("14", "[lb_av]"), "[ston_av]": ("2000", "[lb_av]"),
        "[oz_tr]": ("480", "[gr]"), "[lb_tr]": ("12", "[oz_tr]"), "[dr_ap]": ("60", "[gr]"), "[car_m]": ("0.2", "g"),
        "[gal_us]": ("231", "[in_i]3"), "[qt_us]": ("1/4", "[gal_us]"), "[pt_us]": ("1/2", "[qt_us]"),
        "[gil_us]": ("1/4", "[pt_us]"), "[foz_us]": ("1/4", "[gil_us]"), "[fdr_us]": ("1/8", "[foz_us]"),
        "[cup_us]": ("16", "[tbs_us]"), "[tbs_us]": ("1/2", "[foz_us]"), "[tsp_us]": ("1/3", "[tbs_us]"),
        "[foz_m]": ("30", "mL"), "[cup_m]": ("240", "mL"), "[tbs_m]": ("15", "mL"), "[tsp_m]": ("5", "mL"),
        "[drp]": ("1/20", "mL"), "[gal_br]": ("4.54609", "L"), "[pt_br]": ("1/8", "[gal_br]"),
        "[in_i'Hg]": ("1", "m[Hg].[in_i]/m"), "[psi]": ("6894.757293168", "Pa"), "atm": ("101325", "Pa"),
        "[lbf_av]": ("4.4482216152605", "N"), "[Btu]": ("1055.05585262", "J"), "[mi_us]": ("6336/3937", "km"),
        "[kn_i]": ("1", "[nmi_i]/h"), "[Ch]": ("1/3", "mm"), "[HPF]": ("1", "1"), "[LPF]": ("100", "1"),
        "[hp'_X]": ("1", "[hp'_X]"), "[g]": ("9.80665", "m/s2"), "[diop]": ("1", "/m"),
        "[MET]": ("3.5", "mL/min/kg"), "[degRe]": ("1", "[degRe]"),
    }
)  # fmt: skip

# UCUM § arbitrary units: each only commensurable with itself
_ARBITRARY = frozenset((
    "[IU]", "[arb'U]", "[USP'U]", "[GPL'U]", "[MPL'U]", "[APL'U]", "[beth'U]", "[anti'Xa'U]", "[todd'U]", "[dye'U]",
    "[smgy'U]", "[bdsk'U]", "[ka'U]", "[knk'U]", "[mclg'U]", "[tb'U]", "[CCID_50]", "[TCID_50]", "[EID_50]", "[PFU]",
    "[FFU]", "[CFU]", "[BAU]", "[AU]", "[Amb'a'1'U]", "[IR]", "[D'ag'U]", "[Lf]", "[FEU]", "[ELU]", "[EU]", "[pH]",
    "[S]", "[HP_X]", "Np", "B",
))  # fmt: skip

# Calendar keywords, singular -> its UCUM definite duration; up to the week they are the same (CQL §Quantities)
CALENDAR: Mapping[str, str] = MappingProxyType(
    {"year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s",
     "millisecond": "ms"}
)  # fmt: skip

# absolute temperature = (value + offset) * factor, in kelvin
_TEMPERATURES: Mapping[str, tuple[Fraction, Fraction]] = MappingProxyType(
    {
        "K": (Fraction(0), Fraction(1)),
        "Cel": (Fraction("273.15"), Fraction(1)),
        "[degF]": (Fraction("459.67"), Fraction(5, 9)),
        "[degR]": (Fraction(0), Fraction(5, 9)),
    }
)

_TOKEN = re.compile(r"\{[^{}]*\}|[./()]|(?:10[*^]|(?:\[[^\[\]]*\]|[^\s./(){}\[\]0-9+*^-])+)|[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit understood: `value * factor` is in the base units of `dimension`.

    `calendar` is the calendar keyword (`year`, `month`) that only a definite duration by approximation equals.
    """

    factor: Fraction
    dimension: Dimension
    components: tuple[tuple[str, int], ...]  # the codes as written, with exponents, for products and quotients
    calendar: str | None = None


def singular(unit: str) -> str:
    """A calendar keyword in the singular (`years` -> `year`); any other unit as it is."""
    if unit[-1:] == "s" and unit[:-1] in CALENDAR:
        return unit[:-1]
    return unit


def is_temperature(unit: str) -> bool:
    """Whether `unit` stands for an absolute temperature, which may have an offset."""
    return unit in _TEMPERATURES


def to_kelvin(value: Fraction, unit: str) -> Fraction:
    """An absolute temperature in kelvin."""
    offset, factor = _TEMPERATURES[unit]
    return (value + offset) * factor


def from_kelvin(value: Fraction, unit: str) -> Fraction:
    """The inverse of `to_kelvin`."""
    offset, factor = _TEMPERATURES[unit]
    return value / factor - offset


@lru_cache(maxsize=4096)
def parse(unit: str) -> Unit:
    """Understand a unit expression such as `mg/dL`, `10*3/uL`, `{score}`, `kg.m-2` or a calendar keyword.

    An expression that is not UCUM, or a code that is not in the table, is a dimension of its own.
    """
    name = singular(unit or "1")
    if name in CALENDAR:
        definite = parse(CALENDAR[name])
        return Unit(definite.factor, definite.dimension, definite.components, name)
    try:
        components = _expression(name)
    except ValueError:
        return Unit(Fraction(1), ((unit, 1),), ((unit, 1),))
    return _from_components(components)


def _from_components(components: list[tuple[str, int]]) -> Unit:
    factor = Fraction(1)
    dimension: dict[str, int] = {}
    merged: dict[str, int] = {}
    for code, exponent in components:
        atom_factor, atom_dimension = _atom(code)
        factor *= atom_factor**exponent
        for base, power in atom_dimension:
            dimension[base] = dimension.get(base, 0) + power * exponent
        merged[code] = merged.get(code, 0) + exponent
    return Unit(
        factor,
        tuple(sorted((base, power) for base, power in dimension.items() if power)),
        tuple((code, exponent) for code, exponent in merged.items() if exponent),
    )


def _expression(unit: str) -> list[tuple[str, int]]:
    """The codes of a unit expression with their exponents (UCUM § 2.1, the grammar of unit terms)."""
    lexemes = _TOKEN.findall(unit)
    if "".join(lexemes) != unit or not lexemes:
        raise ValueError(unit)
    position = 0

    def term(depth: int) -> list[tuple[str, int]]:
        nonlocal position
        if depth > 20:
            raise ValueError(unit)
        result: list[tuple[str, int]] = []
        sign = 1
        expect = True
        if position < len(lexemes) and lexemes[position] == "/":
            position += 1
            sign = -1
        while position < len(lexemes):
            lexeme = lexemes[position]
            if lexeme == ")":
                break
            if lexeme in "./":
                if expect:
                    raise ValueError(unit)
                sign = 1 if lexeme == "." else -1
                expect = True
                position += 1
                continue
            if lexeme.startswith("{"):  # an annotation means nothing; alone it is the unit 1
                position += 1
                expect = False
                continue
            if not expect:
                raise ValueError(unit)
            position += 1
            if lexeme == "(":
                inner = term(depth + 1)
                if position >= len(lexemes) or lexemes[position] != ")":
                    raise ValueError(unit)
                position += 1
            else:
                inner = [] if lexeme == "1" else [(lexeme, 1)]
            exponent = 1
            if not lexeme.lstrip("+-").isdigit() and position < len(lexemes) and _is_integer(lexemes[position]):
                exponent = int(lexemes[position])
                position += 1
            if abs(exponent) > 100:
                raise ValueError(unit)
            result += [(code, power * exponent * sign) for code, power in inner]
            expect = False
        if expect:
            raise ValueError(unit)
        return result

    components = term(0)
    if position != len(lexemes):
        raise ValueError(unit)
    return components


def _is_integer(lexeme: str) -> bool:
    return lexeme.lstrip("+-").isdigit()


@lru_cache(maxsize=1024)
def _atom(code: str) -> tuple[Fraction, Dimension]:
    """Factor and dimension of one code, prefix included.

    Raises nothing: an unknown code is a dimension of its own.
    """
    if code.isdigit():
        return Fraction(int(code)), ()
    if code in _METRIC or code in _PLAIN:
        return _table(code, Fraction(1))
    if code not in _ARBITRARY:
        for length in (2, 1):
            prefix, rest = code[:length], code[length:]
            if prefix in PREFIXES and (rest in _METRIC or rest in _ARBITRARY):
                return _table(rest, PREFIXES[prefix])
    return Fraction(1), ((code, 1),)


def _table(code: str, prefix: Fraction) -> tuple[Fraction, Dimension]:
    if code in _ARBITRARY:
        return prefix, ((code, 1),)
    number, of = _METRIC[code] if code in _METRIC else _PLAIN[code]
    if of is None or of == code:
        return prefix * Fraction(number), ((code, 1),)
    unit = parse(of)
    return prefix * Fraction(number) * unit.factor, unit.dimension


def combine(left: Unit, right: Unit, sign: int) -> str:
    """The unit of a product (`sign` 1) or quotient (-1): `cm` and `cm` give `cm2`, `g` by `mL` gives `g/mL`."""
    exponents = dict(left.components)
    for code, power in right.components:
        exponents[code] = exponents.get(code, 0) + power * sign
    above = [_power(code, power) for code, power in exponents.items() if power > 0]
    below = [_power(code, -power) for code, power in exponents.items() if power < 0]
    return ".".join(above) + "".join(f"/{code}" for code in below) or "1"


def _power(code: str, exponent: int) -> str:
    return code if exponent == 1 else f"{code}{exponent}"


def fraction(value: Decimal | int) -> Fraction:
    """An exact fraction of a decimal."""
    return Fraction(value)
