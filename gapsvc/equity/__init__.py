"""Equity: is a disparity closing? Goals and benchmarks as dated data, the report, its words, tables and chart.

The arithmetic is `gapsvc.evaluation.disparity`; counts come as roll-ups (`gapsvc.evaluation.rollup`).
"""
