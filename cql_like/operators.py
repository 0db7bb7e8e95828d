"""The operator table: every operator and system function of CQL 1.5, one row per overload.

The rows are kept by area (`runtime/table_*.py`), in the order of CQL Appendix B; names are ELM's. The analysis picks
a row by name and operand types (`T`, `List<T>`, `Interval<T>` bind the type variable), the evaluators call its
implementation. See `cql_like.ir.OperatorRow` for the calling convention.
"""

from cql_like.ir import OperatorRow
from cql_like.runtime.table_basic import BASIC_ROWS

OPERATORS: tuple[OperatorRow, ...] = (*BASIC_ROWS,)
