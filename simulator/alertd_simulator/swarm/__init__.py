"""Many seeds: run them, watch which edges they take, and make what fails small enough to understand.

cli        `alertd simulate`: light, because `alertd --help` reads it
command    what that command does
workers    processes that run one day after the other, and are not trusted to come back
swarm      seeds in, report out
coverage   fault × life-cycle edge: what was taken, and what must be
shrink     the fewest deeds that still fail; pure
plan_file  a plan as JSON with a comment: shrunk plans, and regressions
words      everything that is printed
"""
