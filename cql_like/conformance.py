"""HL7's CQL test suite (https://github.com/cqframework/cql-tests, Apache-2.0): reads its XML files and runs them.

A test gives an expression and either the output that it must have, as CQL text, or that it is invalid: `syntax` and
`semantic` must be refused before evaluation, `execution` and `true` (which says no more) may also end in an error
while being evaluated. Outputs are evaluated and compared by value, never as text: see `agrees`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast
from xml.etree import ElementTree
from xml.parsers import expat

from cql_like import (
    CqlErrors,
    CqlRuntimeError,
    CqlTuple,
    Engine,
    Interval,
    ModelValue,
    Quantity,
    Uncertainty,
    evaluate,
    to_cql,
)
from cql_like.runtime import interval, temporal
from cql_like.runtime.values import Date, DateTime, Time

_NAMESPACE = "{http://hl7.org/fhirpath/tests}"
_MAX_BYTES = 10_000_000
_REFUSED_EARLY = frozenset({"syntax", "semantic"})
_REFUSALS = frozenset({"syntax", "semantic", "execution", "true"})
ENGINES: tuple[Engine, ...] = ("compiled", "reference")
NOW = datetime(2024, 2, 29, 12, 30, 15, 250_000, UTC)
_LISTS = (list, tuple)
EXCLUSIONS = Path(__file__).with_name("conformance_exclusions.tsv")


class SuiteError(Exception):
    """A file is not a test suite, or a list of exclusions is malformed: the message says which and why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One `<test>`. `invalid` is None, `true`, `syntax`, `semantic` or `execution`; outputs are CQL texts."""

    suite: str
    group: str
    name: str
    expression: str
    outputs: tuple[str, ...]
    invalid: str | None

    @property
    def key(self) -> str:
        """Suite, group and name: what an exclusion names."""
        return f"{self.suite}/{self.group}/{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case on one engine; `detail` is the reason of a failure or a skip."""

    case: Case
    engine: Engine
    status: Literal["passed", "failed", "skipped"]
    detail: str = ""

    def __str__(self) -> str:
        expression = " ".join(self.case.expression.split())
        return f"{self.status.upper()} {self.case.key} [{self.engine}] {expression}: {self.detail}"


# --- reading


def read_suite(path: Path) -> tuple[Case, ...]:
    """The cases of one suite file, in its order.

    Raises:
        SuiteError: the file can't be read, is larger than 10 MB, declares a document type or entities (which can be
            made to expand without bound), or is no test suite.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SuiteError(f"{path}: larger than {_MAX_BYTES} bytes")
        data = path.read_bytes()
        _refuse_document_type(path, data)
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, so no entities: checked above
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror or error}") from error
    except (expat.ExpatError, ElementTree.ParseError) as error:
        raise SuiteError(f"{path}: not well-formed XML: {error}") from error
    if root.tag not in (f"{_NAMESPACE}tests", "tests"):
        raise SuiteError(f"{path}: the root element is {root.tag}; expected <tests> in {_NAMESPACE[1:-1]}")
    namespace = _NAMESPACE if root.tag.startswith(_NAMESPACE) else ""
    return tuple(_cases(root, root.get("name") or path.stem, namespace))


def _refuse_document_type(path: Path, data: bytes) -> None:
    def refuse(*_: object) -> None:
        raise SuiteError(f"{path}: declares a document type, which a test suite has no use for")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)


def _cases(root: ElementTree.Element, suite: str, namespace: str) -> Iterator[Case]:
    for group in root.iter(f"{namespace}group"):
        for test in group.iter(f"{namespace}test"):
            expression = test.find(f"{namespace}expression")
            if expression is None:
                raise SuiteError(f"{suite}: test {test.get('name')!r} has no expression")
            outputs = tuple((output.text or "").strip() for output in test.iter(f"{namespace}output"))
            invalid = expression.get("invalid")
            yield Case(
                suite=suite,
                group=group.get("name") or "",
                name=test.get("name") or "",
                expression=(expression.text or "").strip(),
                outputs=outputs,
                invalid=None if invalid in (None, "false") else invalid,
            )


def read_exclusions(path: Path = EXCLUSIONS) -> dict[str, str]:
    """Case keys and the reason why the specification contradicts each, from lines `key<TAB>reason`; # comments.

    Raises:
        SuiteError: a line has no reason, or a case is named twice.
    """
    exclusions: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, reason = line.partition("\t")
        if not reason.strip() or key in exclusions:
            raise SuiteError(f"{path}:{number}: expected a case that is not listed yet, a tab and a reason")
        exclusions[key.strip()] = reason.strip()
    return exclusions


# --- running


def run_case(case: Case, engine: Engine, exclusions: dict[str, str] | None = None) -> Outcome:
    """The outcome of a case. Nothing that an engine does wrong escapes: it is a failure with its reason."""
    if exclusions and case.key in exclusions:
        return Outcome(case, engine, "skipped", exclusions[case.key])
    if case.invalid is None and not case.outputs:
        return Outcome(case, engine, "skipped", "the suite states no output")
    if case.invalid is not None and case.invalid not in _REFUSALS:
        return Outcome(case, engine, "skipped", f"unknown kind of invalid: {case.invalid}")
    try:
        actual = evaluate(case.expression, engine=engine, now=NOW)
    except CqlErrors as error:
        return _refused(case, engine, error.errors[0].message)
    except CqlRuntimeError as error:
        if case.invalid in _REFUSED_EARLY:
            return Outcome(case, engine, "failed", f"refused only when evaluated: {error}")
        return _refused(case, engine, str(error))
    except Exception as error:  # noqa: BLE001 - a defect of the engine: reported with the rest of the suite
        return Outcome(case, engine, "failed", f"{type(error).__name__}: {error}")
    if case.invalid is not None:
        return Outcome(case, engine, "failed", f"is invalid ({case.invalid}), gave {_shown(actual)}")
    return _compared(case, engine, actual)


def _refused(case: Case, engine: Engine, message: str) -> Outcome:
    if case.invalid is not None:
        return Outcome(case, engine, "passed")
    return Outcome(case, engine, "failed", f"expected {' '.join(case.outputs)}, was refused: {message}")


def _compared(case: Case, engine: Engine, actual: Any) -> Outcome:
    try:
        values = [evaluate(output, engine=engine, now=NOW) for output in case.outputs]
    except (CqlErrors, CqlRuntimeError) as error:
        return Outcome(case, engine, "failed", f"the expected output {case.outputs} is no CQL: {error}")
    expected = values[0] if len(values) == 1 else values
    if agrees(actual, expected):
        return Outcome(case, engine, "passed")
    return Outcome(case, engine, "failed", f"expected {_shown(expected)}, gave {_shown(actual)}")


def _shown(value: Any) -> str:
    try:
        return to_cql(value)
    except Exception:  # noqa: BLE001 - a value that has no CQL text is itself the finding
        return repr(value)


def run(
    paths: Sequence[Path],
    engines: Iterable[Engine] = ENGINES,
    write: Callable[[str], object] = print,
    exclusions: dict[str, str] | None = None,
) -> int:
    """Run suites on each engine; `write` a line per failing test, then `N passed, N failed, N skipped`, which has the
    engine's name before it where there are several engines.

    `exclusions` None: those that come with the package. Returns the number of failures.

    Raises:
        SuiteError: a file is not a suite.
    """
    reasons = read_exclusions() if exclusions is None else exclusions
    cases = [case for path in paths for case in read_suite(path)]
    failures = 0
    chosen = list(engines)
    for engine in chosen:
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        for case in cases:
            outcome = run_case(case, engine, reasons)
            counts[outcome.status] += 1
            if outcome.status == "failed":
                write(str(outcome))
        failures += counts["failed"]
        figures = ", ".join(f"{count} {status}" for status, count in counts.items())
        write(f"{engine}: {figures}" if len(chosen) > 1 else figures)
    return failures


def main(paths: Sequence[Path], engine: Engine = "compiled") -> int:
    """`conformance`: prints what `run` writes. Exit code 0; 1 for failures; 3 for a file that is no suite."""
    try:
        return 1 if run(paths, [engine], print) else 0
    except SuiteError as error:
        sys.stderr.write(f"{error}\n")
        return 3


# --- comparing


def agrees(actual: Any, expected: Any) -> bool:
    """Whether an engine's value is the one expected. Stricter than CQL's `~`, which forgives case and decimals:

    kinds must be the same, except that a suite writes the Decimal 10.0 as `10` and an uncertainty as a closed
    interval; decimals, quantities and date-times compare by value, dates also by precision; null agrees with null;
    intervals agree if they have the same ends, however those are closed.
    """
    if type(actual) is ModelValue:
        return agrees(actual.value, expected)
    if type(actual) is Uncertainty:
        return agrees(Interval(actual.low, actual.high, True, True), expected)
    if type(actual) is Decimal and type(expected) is int:
        return actual == expected
    if isinstance(expected, _LISTS) and isinstance(actual, _LISTS):
        left, right = cast("Sequence[Any]", actual), cast("Sequence[Any]", expected)
        return len(left) == len(right) and all(map(agrees, left, right))
    if type(actual) is not type(cast("object", expected)):
        return False
    return _values_agree(actual, cast("Any", expected))


def _values_agree(actual: Any, expected: Any) -> bool:
    match expected:
        case Date() | DateTime() | Time():
            return temporal.equivalent(actual, expected)
        case Quantity():
            return actual.value == expected.value and _unit(actual.unit) == _unit(expected.unit)
        case Interval():
            return _intervals_agree(actual, expected)
        case CqlTuple():
            left_elements, right_elements = dict(actual.items()), dict(expected.items())
            return left_elements.keys() == right_elements.keys() and all(
                agrees(left_elements[name], right_elements[name]) for name in right_elements
            )
        case _:
            return bool(actual == expected)


def _unit(unit: str) -> str:
    """Calendar units are the same in singular and plural."""
    return unit[:-1] if unit.endswith("s") and unit[:-1] in _CALENDAR else unit


_CALENDAR = frozenset({"year", "month", "week", "day", "hour", "minute", "second", "millisecond"})


def _intervals_agree(actual: Any, expected: Any) -> bool:
    if (actual.low_closed, actual.high_closed) == (expected.low_closed, expected.high_closed):
        return agrees(actual.low, expected.low) and agrees(actual.high, expected.high)
    starts, ends = interval.start(expected), interval.end(expected)
    if starts is None or ends is None:
        return False
    return agrees(interval.start(actual), starts) and agrees(interval.end(actual), ends)
