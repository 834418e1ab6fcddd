"""`Rehearsed`: one subject with all its days, between those who run them and those who show them."""

from msgspec import Struct

from alertd_simulator.rehearsal.days import Day
from alertd_simulator.rehearsal.findings import Hang
from alertd_simulator.rehearsal.measures import Measured
from alertd_simulator.rehearsal.subjects import Subject


class Rehearsed(Struct, frozen=True, kw_only=True):
    subject: Subject
    days: tuple[Day, ...]
    measured: tuple[Measured, ...]
    """Of the days, in their order."""
    silent: Measured
    """Of a day on which nobody answers."""
    hangs: tuple[Hang, ...]
    """The worst first."""
    broken: tuple[str, ...]
    """Promises that a day has seen broken: alertd's own defects."""
