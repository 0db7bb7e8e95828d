"""CQL at run time: its values (`values`), and what each operator does to them, an area of CQL Appendix B per file.

Both evaluators reach the functions through the operator table (`cql_like.operators`). Functions take plain values,
never read a clock and never raise on null; what an expression does wrong at run time is a `CqlRuntimeError`.
"""
