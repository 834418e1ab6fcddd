"""Scenarios: one bad day told in plain lines, played against the real daemon, and judged. See docs/scenarios.md.

words         a line and its words; errors that say what may stand there
cast          the people, places and devices that a district's configuration names
story         a scenario as a value: what is done, what is expected
deeds         lines that make something happen
expectations  lines that say what must follow, must not, or may
reading       a file becomes a scenario
judging       a scenario and what happened become a list of complaints
playing       a scenario becomes a plan, runs in bent time, and is judged
"""
