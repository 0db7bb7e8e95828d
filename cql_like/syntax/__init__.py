"""CQL 1.5 text -> syntax tree: `parse_library`, `parse_expression`. The tree is in `cql_like.syntax.tree`."""

from cql_like.syntax.limits import Limits
from cql_like.syntax.parser import parse_expression, parse_library, read_library

__all__ = ["Limits", "parse_expression", "parse_library", "read_library"]
