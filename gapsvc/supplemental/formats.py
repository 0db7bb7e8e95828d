"""What cells hold, read as a mapping says and in no other way: days, codes, numbers, flags. Pure.

Nothing is guessed: `03/04/2026` is a day only where the mapping names its format. What can't be read is told by its
shape (`99/99/9999`), never by its value, which may be a patient's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

_TOKENS: Mapping[str, str] = MappingProxyType(
    {
        "YYYY": r"(?P<year>\d{4})",
        "MM": r"(?P<month>\d{2})",
        "DD": r"(?P<day>\d{2})",
        "HH": r"\d{2}",
        "mm": r"\d{2}",
        "SS": r"\d{2}(?:\.\d+)?",
        "M": r"(?P<month>\d{1,2})",
        "D": r"(?P<day>\d{1,2})",
    }
)
_TOKEN = re.compile("|".join(_TOKENS))
EXCEL = "excel"
_EXCEL_ZERO = date(1899, 12, 30)  # day 0 as counted from 1 March 1900 on; before, Excel has a leap day that never was
_EXCEL = re.compile(r"(\d{2,7})(?:\.\d+)?\Z", re.ASCII)
_YEARS = range(1900, 2101)  # others are stand-ins for "not known" (0001, 9999) or mistakes

DayReader = Callable[[str], str | None]


def day_reader(pattern: str) -> DayReader:
    """A reader of days written as `pattern`: `YYYY`, `MM` or `M`, `DD` or `D`, `HH`, `mm`, `SS` and what is between
    them; or `excel` for the day number of a spreadsheet.

    It gives the FHIR date, as precise as the pattern (a time of day is passed over), or None: not such a day.

    Raises:
        ValueError: the pattern has no year of four digits, or names a part twice.
    """
    if pattern == EXCEL:
        return _excel_day
    parts: list[str] = []
    end = 0
    for found in _TOKEN.finditer(pattern):
        parts += [re.escape(pattern[end : found.start()]), _TOKENS[found[0]]]
        end = found.end()
    parts.append(re.escape(pattern[end:]))
    try:
        expression = re.compile("".join(parts), re.ASCII)
    except re.error:
        raise ValueError(f"the format {pattern!r} names a part of the date twice") from None
    if "year" not in expression.groupindex:
        raise ValueError(
            f"the format {pattern!r} has no year of four digits: write it of YYYY, MM or M, DD or D, or {EXCEL!r}"
        )
    if "day" in expression.groupindex and "month" not in expression.groupindex:
        raise ValueError(f"the format {pattern!r} has a day and no month")

    def read(text: str) -> str | None:
        found = expression.fullmatch(text)
        if found is None:
            return None
        given = found.groupdict()
        year, month, day = int(given["year"]), given.get("month"), given.get("day")
        try:
            real = date(year, int(month or 1), int(day or 1))
        except ValueError:
            return None
        written = real.isoformat() if day else real.isoformat()[: 7 if month else 4]
        return written if year in _YEARS else None

    return read


def _excel_day(text: str) -> str | None:
    found = _EXCEL.match(text)
    if found is None or not 61 <= int(found[1]) <= 100_000:
        return None
    return (_EXCEL_ZERO + timedelta(days=int(found[1]))).isoformat()


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system as mappings name it: its URI, what its codes look like, and how a file may write them besides."""

    uri: str
    expected: str
    read: Callable[[str], str | None]  # the code as FHIR has it; None: no such code


def _matching(pattern: str, change: Callable[[str], str] = str) -> Callable[[str], str | None]:
    expression = re.compile(pattern, re.ASCII)
    return lambda text: change(text) if expression.fullmatch(text) else None


def _dotted(code: str) -> str:
    # Claims (X12 837) leave the dot of ICD-10-CM out.
    plain = code.upper().replace(".", "")
    return plain if len(plain) == 3 else f"{plain[:3]}.{plain[3:]}"


# Formats: CDC (CVX: two digits at least, MVX), AMA (CPT: five characters), CMS (HCPCS level II, ICD-10-CM), ADA (CDT),
# Regenstrief (LOINC: with check digit), FDA (NDC), SNOMED CT (6 to 18 digits). URIs as the measures' value sets have
# them (gapsvc/measures/valuesets).
CODE_SYSTEMS: Mapping[str, CodeSystem] = MappingProxyType(
    {
        "cvx": CodeSystem(
            "http://hl7.org/fhir/sid/cvx", "1 to 3 digits", _matching(r"\d{1,3}", lambda text: f"{int(text):02d}")
        ),
        "mvx": CodeSystem("http://hl7.org/fhir/sid/mvx", "2 or 3 letters", _matching(r"[A-Z]{2,3}")),
        "ndc": CodeSystem(
            "http://hl7.org/fhir/sid/ndc",
            "11 digits, or 10 or 11 digits in three parts with hyphens",
            _matching(r"\d{11}|\d{4,5}-\d{3,4}-\d{1,2}"),
        ),
        "cpt": CodeSystem(
            "http://www.ama-assn.org/go/cpt", "4 digits and a digit or letter", _matching(r"\d{4}[0-9A-Z]")
        ),
        "hcpcs": CodeSystem(
            "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
            "a letter and 4 digits",
            _matching(r"[A-Z]\d{4}"),
        ),
        "cdt": CodeSystem("http://www.ada.org/cdt", "D and 4 digits", _matching(r"D\d{4}")),
        "icd-10-cm": CodeSystem(
            "http://hl7.org/fhir/sid/icd-10-cm",
            "a letter, a digit, a digit or letter and up to 4 more, with or without the dot",
            _matching(r"[A-Za-z]\d[0-9A-Za-z](?:\.?[0-9A-Za-z]{1,4})?", _dotted),
        ),
        "loinc": CodeSystem("http://loinc.org", "digits, a hyphen, a digit", _matching(r"\d{1,7}-\d")),
        "snomed": CodeSystem("http://snomed.info/sct", "6 to 18 digits", _matching(r"[1-9]\d{5,17}")),
    }
)
_ANY_CODE = _matching(r"[^\s\x00-\x1f]+(?: [^\s\x00-\x1f]+)*")  # FHIR R4 code


def code_system(name: str) -> CodeSystem | None:
    """The code system of a name in the table, or of any URI (whose codes are taken as they are); else None."""
    known = CODE_SYSTEMS.get(name)
    if known is None and re.fullmatch(r"(?:https?://|urn:)\S+", name):
        return CodeSystem(name, "a code without leading, trailing or double blanks", _ANY_CODE)
    return known


_NUMBER = re.compile(r"(<=|>=|<|>)?\s*(-?\d{1,9}(?:\.\d{1,6})?)\Z", re.ASCII)


def number(text: str) -> tuple[str | None, float | int] | None:
    """(comparator or None, value) of `4.2` or `<1`; None: no number."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    return found[1], float(found[2]) if "." in found[2] else int(found[2])


_GUARDED = re.compile(r'="([^"]*)"\Z')
_FORMULA = ("=", "+", "@", "\t", "\r")


def unguarded(cell: str) -> str:
    """A cell without the guard that spreadsheets are given to keep leading zeros (`="00123"`), and without blanks
    around it."""
    text = cell.strip()
    found = _GUARDED.match(text) if text.startswith('="') else None
    return found[1].strip() if found else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet that this text is ever written to would run it (OWASP: CSV injection)."""
    return text.startswith(_FORMULA) or (text.startswith("-") and not _NUMBER.match(text))


def shape(text: str) -> str:
    """What a value looks like, without the value: digits as 9, letters as A (`A9999`, `99/99/99`), cut after 20."""
    plain = "".join("9" if c.isdigit() else "A" if c.isalpha() else c if c in " -/.,:" else "?" for c in text[:20])
    return f"{plain}…" if len(text) > 20 else plain
