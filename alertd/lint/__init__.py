"""`check`: would this configuration do what people believe it does? The last look before a press (req 101).

`alertd.config` says whether a configuration can be read; here it is judged: does every press have a place, a policy and
somebody who hears, do the words fit one text and say what they must. Pure: the day comes in as an argument.
"""

from datetime import UTC, date, datetime

from alertd.config import Loaded, Problem, Refused
from alertd.config import reload as reload_configuration
from alertd.lint.answering import check_answering
from alertd.lint.devices import check_devices
from alertd.lint.fan_out import FanOut, check_fan_out, fan_outs
from alertd.lint.findings import Judge
from alertd.lint.loudspeakers import check_loudspeakers
from alertd.lint.names import check_names
from alertd.lint.people import check_people
from alertd.lint.policies import check_policies
from alertd.lint.profiles import check_profiles
from alertd.lint.sensors import check_sensors
from alertd.lint.site_rules import check_sites
from alertd.lint.sources import check_sources
from alertd.lint.supervision import check_supervision, unwatched
from alertd.lint.templates import check_templates
from alertd.lint.twice import check_twice
from alertd.lint.words import check_words, words

__all__ = ["FanOut", "check", "reload", "telling", "unwatched", "words"]


def check(loaded: Loaded, today: date | None = None) -> tuple[Problem, ...]:
    """What is wrong or doubtful. Judges what could be read, even beside errors of the reading. `today`: the day whose
    following year is looked at for gaps in schedules."""
    judge = Judge(loaded)
    check_sources(judge)
    check_twice(judge)
    check_sites(judge)
    check_devices(judge)
    check_profiles(judge)
    check_words(judge)
    check_supervision(judge)
    check_people(judge)
    check_names(judge)
    check_answering(judge)
    check_policies(judge, today or datetime.now(UTC).date())
    check_sensors(judge)
    check_templates(judge)
    check_loudspeakers(judge)
    check_fan_out(judge)
    return judge.findings.all()


def telling(loaded: Loaded) -> tuple[FanOut, ...]:
    """How long it takes to tell everyone, class by class and site by site; empty if too little could be read."""
    return fan_outs(Judge(loaded))


def reload(current: Loaded) -> Loaded | Refused:
    """Read and judge the directory again: the new configuration, or why the current one stays."""
    return reload_configuration(current.directory, current, check)
