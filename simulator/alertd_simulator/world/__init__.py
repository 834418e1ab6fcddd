"""Bent time: the whole daemon in a simulated world, a school day from one seed.

plan        what the world will do: presses, faults, orders, habits. A value; a seed makes one, a file can hold one
happenings  what did happen, as seen from outside: the vocabulary of trace, checkers, coverage and reports
machine     the computer alertd runs on: files, ports, incarnations, crashes
school_day  the stated day: the district's configuration, and the plan that a seed makes
run         one plan from its first second to its verdict
"""
