"""Walking typed IR beyond one expression: the bodies of a library, and what evaluating a define may touch."""

from collections.abc import Iterable, Iterator

from cql_like import ir
from cql_like.analysis.walk import walk

__all__ = ["bodies", "reachable", "walk"]


def bodies(library: ir.Library) -> Iterator[tuple[str, ir.Expression]]:
    """The expressions of a library with the name of the define, function or parameter that each belongs to."""
    for define in library.defines.values():
        yield define.name, define.expression
    for function in library.functions.values():
        if function.body is not None:
            yield function.name, function.body
    for parameter in library.parameters.values():
        if parameter.default is not None:
            yield parameter.name, parameter.default


def reachable(program: ir.Program, defines: Iterable[tuple[str, str]]) -> Iterator[ir.Expression]:
    """Every expression that evaluating these defines, given by (library key, name), may touch."""
    pending: list[tuple[str, str, bool]] = [(library, name, False) for library, name in defines]
    seen = set(pending)
    while pending:
        library, name, is_function = pending.pop()
        owner = program.libraries[library]
        body = owner.functions[name].body if is_function else owner.defines[name].expression
        for node in walk(body) if body is not None else ():
            yield node
            if isinstance(node, ir.ExpressionRef):
                key = (node.library, node.name, False)
            elif isinstance(node, ir.FunctionCall):
                key = (node.library, node.function, True)
            else:
                continue
            if key not in seen:
                seen.add(key)
                pending.append(key)
