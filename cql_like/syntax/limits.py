"""How large and how deep a text may be. Beyond a limit parsing ends in an ordinary error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`characters`: of a whole text. `nesting`: brackets and prefixes within each other, as the parser descends.
    `depth`: of an expression's tree, which long chains (`a + b + c ...`) deepen without nesting.
    `errors`: after that many the rest of a text is not looked at."""

    characters: int = 2_000_000
    nesting: int = 200
    depth: int = 120
    errors: int = 100
