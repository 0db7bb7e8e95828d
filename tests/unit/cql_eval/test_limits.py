"""Input that would run without end, or make more than a machine holds, ends as a clear error within limits that can be
set; nothing of Python's own (RecursionError, MemoryError) gets out."""

import threading
import time

import pytest

import cql_like
from cql_like import CqlErrors, EmptyRecord, LimitExceeded, Limits
from cql_like.runtime.deadline import time_limit

ENGINES: tuple[cql_like.Engine, ...] = ("compiled", "reference")
NUMBERS = "(expand Interval[1, {}])"


def repeated(step: str, starting: str, times: int = 60) -> str:
    return f"{NUMBERS.format(times)} X aggregate R starting {starting}: {step}"


# What an expression would make, and the limit that its error names.
MADE = {
    "a list doubled sixty times": (repeated("flatten {R, R}", "{1}"), "list"),
    "a union of all products": (repeated("R union (from R A, R B return all A * 1000 + B)", "{1, 2}"), "list"),
    "a string doubled sixty times": (repeated("R + R", "'abc'"), "string"),
    "a string combined with itself": (repeated("Combine({R, R, R})", "'abc'"), "string"),
    "a replacement by the whole string": (repeated("ReplaceMatches(R, '[abc]', R)", "'abc'"), "string"),
    "every integer": ("expand Interval[1, 2147483647]", "expand_intervals"),
    "every step of a decimal": ("expand { Interval[0.0, 99999999.0] } per 0.00000001", "expand_intervals"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("expression", "limit"), MADE.values(), ids=MADE)
def test_what_one_operator_makes_is_bounded(expression: str, limit: str, engine: cql_like.Engine) -> None:
    small = Limits(list=10_000, string=10_000, expand_intervals=5_000, seconds=20)
    with pytest.raises(LimitExceeded) as caught:
        cql_like.evaluate(expression, engine=engine, limits=small)
    assert f"`{limit}`" in str(caught.value)


LONG = {
    "sources that multiply": "Count(from {0} A, {0} B, {0} C where A = B + C return all 1)".format(
        NUMBERS.format(3000)
    ),
    "lists compared pairwise": f"Count(distinct ({NUMBERS.format(20000)} X return all Tuple {{ a: X }}))",
    "a list that holds itself twice, forty times over": f"({repeated('{R, R}', '(null as Any)', 40)}) = "
    f"({repeated('{R, R}', '(null as Any)', 40)})",
    "a search for every element": f"Sum({NUMBERS.format(20000)} X return all IndexOf({NUMBERS.format(20000)}, X))",
}


# Hypothesis watches Python's collector; an interruption that falls into its callback is lost once, with a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("expression", LONG.values(), ids=LONG)
def test_an_evaluation_ends_when_its_time_is_up(expression: str, engine: cql_like.Engine) -> None:
    with pytest.raises(LimitExceeded, match=r"more than 0\.2 seconds"):
        cql_like.evaluate(expression, engine=engine, limits=Limits(seconds=0.2))


def test_steps_are_counted_by_the_reference_engine() -> None:
    enough = Limits(steps=1_000)
    assert cql_like.evaluate("Sum(({1, 2, 3}) X return X * 2)", engine="reference", limits=enough) == 12
    with pytest.raises(LimitExceeded, match=r"more than 1000 steps.*`steps`"):
        cql_like.evaluate(f"Sum({NUMBERS.format(500)} X return X * 2)", engine="reference", limits=enough)


def test_a_session_can_go_on_after_its_time_was_up() -> None:
    library = cql_like.compile_library(f'define "Long": {LONG["sources that multiply"]}\ndefine "Short": 1 + 1')
    session = library.session(EmptyRecord(), limits=Limits(seconds=0.1))
    with pytest.raises(LimitExceeded):
        session.evaluate("Long")
    assert session.evaluate("Short") == 2


def test_time_that_is_not_used_up_interrupts_nothing_later() -> None:
    for _ in range(50):
        try:
            with time_limit(0.001):
                sum(range(500))
        except LimitExceeded:
            continue
    began = time.perf_counter()
    while time.perf_counter() - began < 0.05:
        sum(range(100))


def test_each_thread_has_its_own_time() -> None:
    outcomes: dict[str, str] = {}

    def work(name: str, seconds: float) -> None:
        try:
            cql_like.evaluate(f"Sum({NUMBERS.format(3000)} X return all X)", limits=Limits(seconds=seconds))
            cql_like.evaluate(LONG["sources that multiply"] if name == "hasty" else "1", limits=Limits(seconds=seconds))
            outcomes[name] = "done"
        except LimitExceeded:
            outcomes[name] = "interrupted"

    threads = [threading.Thread(target=work, args=each) for each in (("hasty", 0.3), ("patient", 60.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"hasty": "interrupted", "patient": "done"}


@pytest.mark.parametrize("engine", ENGINES)
def test_values_nested_without_end(engine: cql_like.Engine) -> None:
    deep = repeated("Tuple { a: R }", "(null as Any)", 4_000)
    value = cql_like.evaluate(deep, engine=engine)
    with pytest.raises(LimitExceeded, match="nested too deeply to be written"):
        cql_like.to_cql(value)
    with pytest.raises(LimitExceeded, match="nested too deeply"):
        cql_like.evaluate(f"({deep}) = ({deep})", engine=engine)
    wide = cql_like.evaluate(repeated("{R, R}", "(null as Any)", 40), engine=engine)
    with pytest.raises(LimitExceeded, match="too large to be written"):
        cql_like.to_cql(wide)


SYNTAX = {
    "parentheses": "(" * 100_000 + "1" + ")" * 100_000,
    "prefixes": "not " * 100_000 + "true",
    "signs": "-" * 100_000 + "1",
    "a chain of operators": "1" + " + 1" * 100_000,
    "a chain of members": "X" + ".a" * 100_000,
    "a chain of indexes": "X" + "[0]" * 100_000,
    "conditionals": "if true then 1 else " * 50_000 + "1",
    "cases": "case when true then " * 5_000 + "1" + " end" * 5_000,
    "open lists": "{" * 100_000,
    "types": "null as " + "List<" * 10_000 + "Integer" + ">" * 10_000,
    "an integer of a million digits": "9" * 1_000_000,
    "a decimal of a million digits": "1." + "9" * 1_000_000,
    "comments that never end": "/*" * 500_000,
    "a text that is too long": "'" + "a" * 3_000_000 + "'",
}


@pytest.mark.parametrize("text", SYNTAX.values(), ids=SYNTAX)
def test_absurd_texts_are_errors_with_a_place(text: str) -> None:
    with pytest.raises(CqlErrors) as caught:
        cql_like.evaluate(text)
    assert caught.value.errors[0].line == 1


RECURSIVE = {
    "a define": "define A: A",
    "two defines": "define A: B\ndefine B: A",
    "a function": "define function F(n Integer): if n = 0 then 1 else n * F(n - 1)\ndefine A: F(5)",
    "two functions": "define function F(n Integer): G(n)\ndefine function G(n Integer): F(n)\ndefine A: F(5)",
}


@pytest.mark.parametrize("text", RECURSIVE.values(), ids=RECURSIVE)
def test_nothing_depends_on_itself(text: str) -> None:
    with pytest.raises(CqlErrors, match="depends on itself"):
        cql_like.compile_library(text)


def test_a_parameters_default_may_depend_on_another_but_not_on_itself() -> None:
    library = cql_like.compile_library("parameter P Integer default Q + 1\nparameter Q Integer default 2\ndefine A: P")
    assert library.session(EmptyRecord()).evaluate("A") == 3
    assert library.session(EmptyRecord(), parameters={"Q": 5}).evaluate("A") == 6
    with pytest.raises(cql_like.WrongParameter, match='depends on itself: "P" -> "P"'):
        cql_like.compile_library("parameter P Integer default A\ndefine A: P").session(EmptyRecord())


def test_types_that_double_are_errors() -> None:
    doubling = [f"define X{n + 1}: Tuple {{ a: X{n}, b: X{n} }}" for n in range(60)]
    with pytest.raises(CqlErrors, match="a tuple type has more than 20000 elements"):
        cql_like.compile_library("\n".join(["define X0: 1", *doubling]))


def test_a_long_chain_of_defines_is_no_recursion() -> None:
    lines = [f"define X{number}: X{number + 1} + 1" for number in range(2_000)]
    library = cql_like.compile_library("\n".join([*lines, "define X2000: 0"]))
    for engine in ENGINES:
        session = library.session(EmptyRecord(), engine=engine)
        try:
            assert session.evaluate("X0") == 2_000
        except LimitExceeded as error:  # deeper than Python's stack: an error of ours, and smaller parts still work
            assert "nested too deeply" in str(error)
        assert session.evaluate("X1990") == 10


REGULAR_EXPRESSIONS = [
    "(a+)+",
    "(a|aa)+",
    "((((a*)*)*)*)*b",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^!]",
    "(a|a?)+$",
    "([a-z]+)*\\\\d",
]


@pytest.mark.parametrize("pattern", REGULAR_EXPRESSIONS)
@pytest.mark.parametrize("call", ["Matches({0}, {1})", "ReplaceMatches({0}, {1}, 'x')", "SplitOnMatches({0}, {1})"])
def test_regular_expressions_that_could_run_away(call: str, pattern: str) -> None:
    text = call.format("'" + "a" * 2_000 + "!'", f"'{pattern}'")
    with pytest.raises(LimitExceeded, match="could run away"):
        cql_like.evaluate(text)
