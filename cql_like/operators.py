"""The operator table: every operator and system function of CQL 1.5, one row per overload.

The rows are kept by area (`runtime/table_*.py`), with the sections of CQL Appendix B; names are ELM's. The analysis
picks a row by name and operand types (`T`, `List<T>`, `Interval<T>` bind the type variable; of rows that fit equally
the first), the evaluators call its implementation. See `cql_like.ir.OperatorRow` for the calling convention.
"""

from cql_like.ir import OperatorRow
from cql_like.runtime.certainty import with_certain_operands
from cql_like.runtime.table_basic import BASIC_ROWS
from cql_like.runtime.table_lists import LIST_ROWS
from cql_like.runtime.table_numbers import NUMBER_ROWS
from cql_like.runtime.table_time import TIME_ROWS

# lists stand before intervals: an untyped null is then taken as a list
OPERATORS: tuple[OperatorRow, ...] = tuple(
    map(with_certain_operands, (*BASIC_ROWS, *NUMBER_ROWS, *LIST_ROWS, *TIME_ROWS))
)
