"""The compiler tests the parts of a `where` as early as the sources allow; the reference, only on whole rows."""

from hypothesis import example, given
from hypothesis import strategies as st

import cql_like
from cql_like.session import EmptyRecord
from tests.generative.agreement import NOW, outcome, same

DAYS = ("@2024-01-01", "@2024-01-02", "@2024-03", "@2024-06-30", "null")
ALIASES = "ABCDE"


@st.composite
def queries(draw: st.DrawFn) -> str:
    """`from {...} A, {...} B ... where p and q and ... return ...`; some parts end in an error."""
    aliases = ALIASES[: draw(st.integers(2, 5))]
    sources = [f"({{ {', '.join(draw(st.lists(st.sampled_from(DAYS), max_size=3)))} }}) {alias}" for alias in aliases]
    sources = [source.replace("({  })", "({ null as Date })") for source in sources]
    empty = draw(st.sampled_from([None, *aliases]))
    sources = [
        source.replace(") ", " except { @2024-01-01, @2024-01-02, @2024-03, @2024-06-30, null }) ", 1)
        if empty and source.endswith(empty)
        else source
        for source in sources
    ]
    alias = st.sampled_from(aliases)
    phrase = st.sampled_from(["after", "on or before", "1 day or more after day of", "same month as", "="])
    part = st.one_of(
        st.builds(lambda one, how, other: f"{one} {how} {other}", alias, phrase, alias),
        st.builds(lambda one: f"{one} is not null", alias),
        st.builds(lambda one, other: f"({one} after {other} or {other} is null)", alias, alias),
        st.builds(lambda one: f"(singleton from {{ {one}, {one} }}) is null", alias),
        st.sampled_from(["true", "null as Boolean"]),
    )
    where = " and ".join(draw(st.lists(part, min_size=1, max_size=5)))
    rows = ", ".join(f"{name}: {name}" for name in aliases)
    return f"from {', '.join(sources)} where {where} return all Tuple {{ {rows} }}"


@given(queries())
@example(
    "from ({ @2024-01-01 }) A, ({ @2024-01-02 }) B, ({} as List<Date>) C where (singleton from {A, B}) = A return A"
)
def test_rows_are_the_same_wherever_they_are_left_out(query: str) -> None:
    library = cql_like.compile_library(f"library Rows\ndefine Main: {query}")
    reference, compiled = (
        outcome(library.session(EmptyRecord(), now=NOW, engine=engine)) for engine in ("reference", "compiled")
    )
    if reference[0] == "error" and compiled[0] == "value":
        return  # the part that fails can no longer change the outcome (see cql_like.reference)
    assert reference[0] == compiled[0]
    assert same(reference[1], compiled[1])


def test_messages_are_as_many_as_whole_rows() -> None:
    text = "library Rows\ndefine Main: from ({1, 2}) A, ({3, 4}) B where Message(A, true, 'seen', 'Message', 'row') = 1"
    library = cql_like.compile_library(text)
    for engine in ("reference", "compiled"):
        session = library.session(EmptyRecord(), now=NOW, engine=engine)
        session.evaluate("Main")
        assert len(session.messages) == 4
