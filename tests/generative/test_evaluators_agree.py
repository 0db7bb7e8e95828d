"""Both evaluators give the same value or error, over random programs and records; and nothing is left ungenerated."""

import random
from collections import Counter
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cql_like import ir, leaves
from cql_like.operators import OPERATORS
from cql_like.runtime.values import Uncertainty
from cql_like.types import INTEGER, LONG, Named
from cql_like.walk import bodies, walk
from tests.generative.agreement import check
from tests.generative.programs import LIBRARY, SOME_TYPES, Programs
from tests.generative.records import record

ROWS_BY_NAME: dict[str, list[ir.OperatorRow]] = {}
for _row in OPERATORS:
    ROWS_BY_NAME.setdefault(_row.name, []).append(_row)

DEPTH = 4
PROGRAMS = 400


@pytest.mark.parametrize("name", sorted(ROWS_BY_NAME))
def test_they_agree_on_every_row_of_an_operator(name):
    random_number = random.Random(name)
    for row in ROWS_BY_NAME[name]:
        for attempt in range(8):
            programs = Programs(random_number.randrange)
            program = programs.program(lambda scope, p=programs, r=row, a=attempt: p.any_of_row(r, scope, a // 4))
            kind, value = check(program, record(random_number.randrange))
            if kind == "value" and value is not None:
                assert_of_type(value, program.libraries[LIBRARY].defines["Main"].expression.type)


def assert_of_type(value, kind):
    """A System value has its static type; but a duration may be uncertain, an Integer power a Decimal."""
    loose = isinstance(value, Uncertainty | Decimal) and kind in (INTEGER, LONG)
    if isinstance(kind, Named) and kind.model == "System" and not loose and not isinstance(value, Uncertainty):
        assert leaves.is_type(value, kind), f"{value!r} is no {kind}"


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(st.data())
def test_they_agree_on_random_programs_that_shrink(data):
    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1))

    programs = Programs(choose)
    program = programs.program(lambda scope: programs.anything(scope, 3))
    check(program, record(choose))


def test_they_agree_on_deep_programs_and_every_node_type_occurs():
    random_number = random.Random(20250401)
    nodes: Counter[type] = Counter()
    outcomes: Counter[str] = Counter()
    for _ in range(PROGRAMS):
        programs = Programs(random_number.randrange)
        kind = random_number.choice(SOME_TYPES)
        program = programs.program(lambda scope, p=programs, k=kind: p.expression(k, scope, DEPTH))
        kind_of_outcome, value = check(program, record(random_number.randrange))
        outcomes[f"{kind_of_outcome} {type(value).__name__}" if kind_of_outcome == "value" else kind_of_outcome] += 1
        for library in program.libraries.values():
            for _, body in bodies(library):
                nodes.update(type(node) for node in walk(body))
    missing = [node.__name__ for node in get_args(ir.Expression) if nodes[node] == 0]
    assert missing == [], f"never generated: {missing}"
    nulls = outcomes["value NoneType"]
    assert nulls < PROGRAMS * 0.8, f"most programs are null, which shows little: {outcomes}"
