"""Analysis: the syntax tree of a library and its includes -> typed IR (CQL §Semantics; ELM).

`analyse` resolves every name, chooses every overload, makes every conversion explicit, and reports every problem of
the library and its includes at once. `analyse_expression` does the same for one expression without a library.
"""

from cql_like.analysis.problems import is_known
from cql_like.analysis.programs import EXPRESSION, Examined, analyse, analyse_expression, examine

__all__ = ["EXPRESSION", "Examined", "analyse", "analyse_expression", "examine", "is_known"]
