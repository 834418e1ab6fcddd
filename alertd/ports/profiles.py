"""Profiles of sources and devices, for whoever checks and explains them: no press takes this way."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from alertd.model.events import Signal
from alertd.ports.plugins import Surroundings


class ProfileProblem(Struct, frozen=True, kw_only=True):
    """What is wrong with a profile. `path`: the key from the top of the file ("profile", "our-button", "rules", 0)."""

    file: str
    path: tuple[str | int, ...]
    message: str
    remedy: str
    is_error: bool = True
    """False: a doubt. It can be used as it is."""


class Step(Struct, frozen=True, kw_only=True):
    """One step of an explanation: what was looked at ("device"), and what was found."""

    what: str
    found: str


class Explained(Struct, frozen=True, kw_only=True):
    """What a message means, and how that was found out."""

    steps: tuple[Step, ...]
    signals: tuple[Signal, ...] = ()
    refused: str = ""
    """It may have been a press, and nobody can read it: a trouble."""
    never_press: bool | None = None
    """As `DecodeError.never_press`, of what is refused."""
    uncovered: str = ""
    """Nothing says what it means: counted."""


class Fit(Struct, frozen=True, kw_only=True):
    """A profile that understands what a device said. No proof: devices of one maker say much alike."""

    profile: str
    messages: int
    """How many of the samples it understands."""
    of: int
    """How many there are."""
    presses: bool
    """One of them is a press or an alarm."""
    why: tuple[str, ...]
    """What each of them is to it: "press (rule 1, value short)"."""
    heard_by: str = ""
    """The gateway that heard it, and how well: "gw-1 (-61 dBm)"."""
    kind: str = "button"
    """Of device that it is for, as far as its alarms say: "button" or "sensor"."""


class Says(Struct, frozen=True, kw_only=True):
    """What the devices of a profile can say, as far as its rules tell."""

    words: frozenset[str]
    """Actions of the signals that they make."""
    renamed: Mapping[str, str] = {}
    """The device's own word -> what the profile makes of it: no gesture ever hears the first."""
    any_word: bool = False
    """Beside these, whatever it is set up to say: its words are the integrator's."""


class Reads(Struct, frozen=True, kw_only=True):
    """What a source profile reads of its devices."""

    profile: str
    """By which a device is read of which the registry names none; "": by none."""
    codes: bool
    """It knows where a code stands that somebody typed."""
    topics: tuple[str, ...] = ()
    """Topic filters of all that it reads, some beginning with `{base}`. None: nobody knows."""
    base: str = ""
    """What stands for `{base}` where no trigger says anything else."""


class Profiles(Protocol):
    """What an entry point of `alertd.profiles` names: profiles of sources and devices, for whoever checks and explains
    them. `own`: the district's, file -> its TOML."""

    api_version: int

    def check(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[ProfileProblem]:
        """What is wrong with the district's, their examples included, and what is doubtful."""
        ...

    def names(self, own: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
        """Names that the column `profile` of devices.csv may hold."""
        ...

    def check_in_s(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, int]:
        """Check-in windows, in seconds, of the profiles whose devices report by themselves."""
        ...

    def says(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Says]:
        """Profile -> what its devices can say."""
        ...

    def reads(self, own: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Reads]:
        """Source profile -> what it reads."""
        ...

    def triggers(self, own: Mapping[str, Mapping[str, Any]], topic: str) -> Sequence[tuple[str, str]]:
        """Topic filters that cover this topic, each with the source profile that reads it, the narrowest first."""
        ...

    def explain(self, settings: Mapping[str, Any], surroundings: Surroundings, topic: str, payload: bytes) -> Explained:
        """Reads a message as the decoder with these settings would. Raises `SettingsError`."""
        ...

    def fits(
        self, settings: Mapping[str, Any], surroundings: Surroundings, device_id: str, said: Sequence[tuple[str, bytes]]
    ) -> Sequence[Fit]:
        """Profiles whose rules understand what a device said (topics and payloads), the likeliest first; "" is that of
        the source itself. Never one that takes whatever comes. Raises `SettingsError`."""
        ...
