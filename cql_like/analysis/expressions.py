"""The table of handlers: which function makes IR of which syntax node."""

from collections.abc import Mapping

from cql_like.analysis import calls, literals, members, operators, queries, retrieves, timing
from cql_like.analysis.context import Handler
from cql_like.syntax import tree

HANDLERS: Mapping[type, Handler] = {
    tree.NullLiteral: literals.null,
    tree.BooleanLiteral: literals.scalar,
    tree.StringLiteral: literals.scalar,
    tree.IntegerLiteral: literals.scalar,
    tree.LongLiteral: literals.long,
    tree.DecimalLiteral: literals.scalar,
    tree.DateLiteral: literals.temporal,
    tree.DateTimeLiteral: literals.temporal,
    tree.TimeLiteral: literals.temporal,
    tree.QuantityLiteral: literals.quantity,
    tree.RatioLiteral: literals.ratio,
    tree.Identifier: members.identifier,
    tree.Member: members.member,
    tree.Indexer: operators.indexer,
    tree.Call: calls.call,
    tree.Iteration: literals.iteration,
    tree.ExternalConstant: literals.external_constant,
    tree.IntervalSelector: literals.interval,
    tree.TupleSelector: literals.tuple_selector,
    tree.InstanceSelector: literals.instance,
    tree.ListSelector: literals.list_selector,
    tree.CodeSelector: literals.code_selector,
    tree.ConceptSelector: literals.concept_selector,
    tree.Unary: operators.unary,
    tree.Binary: operators.binary,
    tree.BooleanTest: operators.boolean_test,
    tree.TypeTest: operators.type_test,
    tree.Cast: operators.cast,
    tree.Conversion: operators.conversion,
    tree.UnitConversion: operators.unit_conversion,
    tree.TypeExtreme: operators.type_extreme,
    tree.ComponentFrom: operators.component_from,
    tree.ElapsedOf: operators.elapsed_of,
    tree.ElapsedBetween: operators.elapsed_between,
    tree.Between: operators.between,
    tree.Membership: operators.membership,
    tree.Timing: timing.timing,
    tree.If: operators.if_then_else,
    tree.Case: operators.case,
    tree.ExpandCollapse: operators.expand_collapse,
    tree.Retrieve: retrieves.retrieve,
    tree.Query: queries.query,
}
