"""Loudspeakers: zones that speak one thing at a time, and the PA channel that makes them.

Owns what a zone says when, who cuts whom, and how it fails: the switch is down, the pacer is dead, everything is slow.
In bent time this stands in for the channel `pa_rtp` with its pacing process and its multicast packets; those are proved
by themselves (docs/pa.md). Must never know what alertd decides.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.json import decode

from alertd.config import Loaded
from alertd.model.mode import Mode
from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Failed, Outcome, Sent, Withdrawn
from alertd.model.page import Page, PageAction
from alertd.ports import ChannelLimits

PA_PLUGINS = frozenset({"pa_rtp"})
TONE_S = 2.3
"""Lead-in and tone."""
WORD_S = 0.4
"""A spoken word: 150 a minute."""
CROSSING_S = (0.005, 0.05)
"""From the channel to the first packet."""
SLOW_S = (1.0, 4.0)


class Mood(StrEnum):
    """How the loudspeakers of a school are."""

    FINE = "fine"
    SWITCH_DOWN = "switch down"
    """No packet leaves; the channel is told so."""
    PACER_DEAD = "pacer dead"
    SLOW = "slow"


class Speech(Struct, frozen=True, kw_only=True):
    """One announcement in one zone. `page_id`: the notification that asked for it."""

    channel: str
    zone: str
    words: str
    announcement: str
    mode: Mode
    emergency: bool
    page_id: str


@dataclass(frozen=True, kw_only=True)
class OnAir:
    """What a zone is saying. `turn`: of the order for it."""

    speech: Speech
    turn: int
    end: asyncio.TimerHandle


class Loudspeakers:
    """Every zone of a district. `moods` by zone, "" for all of them."""

    def __init__(self, school: Loaded, *, random: Random) -> None:
        self.moods: dict[str, Mood] = {}
        self.on_spoken: list[Callable[[Speech], None]] = []
        self.on_silent: list[Callable[[Speech, str], None]] = []
        """The second argument: the page that cut it; empty: it was said to its end."""
        self._random = random
        self._said: dict[tuple[str, str], OnAir] = {}
        self.turns = 0
        """Orders so far."""
        self.quiet: dict[tuple[str, str, bool], int] = {}
        """Channel, zone, is it an exercise -> turn of the last order for quiet that is meant for it. What was under way
        then is not begun any more."""
        self._times = {
            (section.name, name): int(announcement.get("times", 2))
            for section in school.sections
            if section.plugin in PA_PLUGINS
            for name, announcement in _tables(section.settings, "announcements").items()
        }

    def mood_of(self, zone: str) -> Mood:
        return self.moods.get(zone) or self.moods.get("") or Mood.FINE

    def crossing_s(self, zone: str) -> float:
        """How long it takes from here to the first packet; drawn anew each time."""
        return self._random.uniform(*(SLOW_S if self.mood_of(zone) is Mood.SLOW else CROSSING_S))

    def asked(self, channel: str, zone: str, page: Page) -> int:
        """An order begins its way. Its turn: of two, the later one knows more, whichever is there first."""
        self.turns += 1
        if page.action is PageAction.STOP:
            for is_exercise in (True,) if page.mode is not Mode.LIVE else (False, True):
                self.quiet[channel, zone, is_exercise] = self.turns
        return self.turns

    def is_overtaken(self, channel: str, zone: str, page: Page, turn: int) -> bool:
        """Was quiet ordered since these words were asked for?"""
        last = self.quiet.get((channel, zone, page.mode is not Mode.LIVE), 0)
        return page.action is PageAction.SAY and last > turn

    def take(self, channel: str, zone: str, page: Page, page_id: str, turn: int) -> Outcome:
        """Speak, fall silent, or say why not. Nobody knows whether a receiver was on: *sent* is all there is."""
        match self.mood_of(zone):
            case Mood.SWITCH_DOWN:
                return Failed(permanent=False, code="network_down", detail="no packet leaves this machine")
            case Mood.PACER_DEAD:
                return Failed(permanent=False, code="no_pacer", detail="the pacing process does not answer")
            case _:
                pass
        now = self._said.get((channel, zone))
        later = now is not None and now.turn > turn
        if page.action is PageAction.STOP:
            if now is not None and not later and (page.mode is Mode.LIVE or now.speech.mode is not Mode.LIVE):
                self._cut(channel, zone, page_id)
        elif now is not None and (later or not page.emergency):
            return Failed(permanent=False, code="busy", detail=f"{zone} is speaking", retry_after_s=2.0)
        else:
            self._cut(channel, zone, page_id)
            self._speak(channel, zone, page, page_id, turn)
        return Sent(ref=page_id)

    def _speak(self, channel: str, zone: str, page: Page, page_id: str, turn: int) -> None:
        speech = Speech(
            channel=channel,
            zone=zone,
            words=page.words,
            announcement=page.announcement,
            mode=page.mode,
            emergency=page.emergency,
            page_id=page_id,
        )
        times = self._times.get((channel, page.announcement), 1)
        lasts_s = TONE_S + WORD_S * len(page.words.split()) * times
        handle = asyncio.get_running_loop().call_later(lasts_s, self._end, channel, zone, "")
        self._said[channel, zone] = OnAir(speech=speech, turn=turn, end=handle)
        for tell in self.on_spoken:
            tell(speech)

    def _cut(self, channel: str, zone: str, by: str) -> None:
        if (channel, zone) in self._said:
            self._said[channel, zone].end.cancel()
            self._end(channel, zone, by)

    def _end(self, channel: str, zone: str, by: str) -> None:
        speech = self._said.pop((channel, zone)).speech
        for tell in self.on_silent:
            tell(speech, by)


class PaChannel:
    """See `ports.Channel`. Dies with its incarnation: `alive` refuses."""

    kind = "rtp"
    limits = ChannelLimits(concurrent=20, deadline_s=5.0)

    def __init__(self, name: str, loudspeakers: Loudspeakers, refuse_if_dead: Callable[[], None]) -> None:
        self.name = name
        self._loudspeakers = loudspeakers
        self._refuse_if_dead = refuse_if_dead

    async def send(self, claim: Claim) -> Outcome:
        notification = claim.notification
        page = decode(notification.body, type=Page)
        zone = notification.endpoint.address
        turn = self._loudspeakers.asked(self.name, zone, page)
        await asyncio.sleep(self._loudspeakers.crossing_s(zone))
        self._refuse_if_dead()
        if self._loudspeakers.is_overtaken(self.name, zone, page, turn):
            return Withdrawn(ref=notification.id, detail="quiet was ordered before it was said")
        return self._loudspeakers.take(self.name, zone, page, notification.id, turn)

    async def look_up(self, row: NotificationRow) -> Outcome | None:  # noqa: ARG002 - a port's signature
        """Nobody has kept what was said."""
        return None


def _tables(settings: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    table = settings.get(key, {})
    return {name: each for name, each in table.items() if isinstance(each, dict)} if isinstance(table, dict) else {}
