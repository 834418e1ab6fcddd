"""The configuration directory: read as a whole, refused as a whole, all errors at once. See docs/configuration.md.

loaded = load("/etc/alertd")          # never raises for what a person wrote
problems = (*loaded.problems, *lint.check(loaded))
print(render_problems(problems))
"""

from alertd.config.credentials import secret
from alertd.config.loading import Loaded, Refused, load, reload
from alertd.config.problems import Problem, ProblemSeverity, render_problems
from alertd.config.reading import Place, Thing
from alertd.config.sections import Section
from alertd.config.settings import Settings

__all__ = [
    "Loaded",
    "Place",
    "Problem",
    "ProblemSeverity",
    "Refused",
    "Section",
    "Settings",
    "Thing",
    "load",
    "reload",
    "render_problems",
    "secret",
]
