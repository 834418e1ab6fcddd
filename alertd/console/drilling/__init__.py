"""Drills at the console: ordered, looked at, ended, and afterwards reported.

orders   what an operator can do, as events through the door
report   what was measured, from rows and journal: one value
page     the report as one HTML file; `plot` its pictures, `table` the same as CSV
cli      `alertd drill …`
"""
