"""Loudspeakers by RTP multicast: `plugin = "pa_rtp"`. A page becomes packets; what the zone's groups are is known here.

`Sent` means that the first packet has left, not that the announcement has ended, and never that anybody heard it:
multicast is blind (promise 5), and a channel that waited would keep its line from the next page.

Who may speak where, by rank: a live emergency, a live page, an emergency of a drill or test, another page of one. A
higher rank cuts a lower one in mid-word; an emergency also cuts its equal, for the newer knows more. Anything else that
finds its groups taken is refused for now and tried again when they are free (`retry_after_s`): waiting belongs to the
engine, which knows when words stop being true; a queue in here would speak them all the same.

An emergency goes to the zone's emergency groups and to its ordinary ones: priority is set on each receiver, and one
that somebody forgot to set would be silent otherwise.
"""

import asyncio
import errno
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alertd.model.blocked_numbers import blocked
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Notification, NotificationRow
from alertd.model.outcome import Failed, Outcome, Sent, Unknown, Withdrawn
from alertd.model.page import Page, PageAction
from alertd.ports import ChannelLimits
from alertd_adapters.rtp.announcements import Announcements
from alertd_adapters.rtp.assembly import variant_of
from alertd_adapters.rtp.clips import Clip
from alertd_adapters.rtp.pacer import Group
from alertd_adapters.rtp.pacer_process import Air, Order, PacerGoneError, Report, Way
from alertd_adapters.rtp.settings import Codec
from alertd_adapters.rtp.speech import SpeechError

SHARE_OF_DEADLINE = 0.9
"""The pacer is given up first, so that we name what happened before we are cancelled."""
AFTER_BUSY_S = 0.5
GONE_RETRY_S = 0.2
"""The pacer is started again by then."""
DETAIL_CHARS_MAX = 300
HEARD = frozenset({"started", "ended", "cut", "stopped"})
"""States of an order whose first packet has left."""


class Zone(Struct, frozen=True, kw_only=True):
    """A zone, ready to be spoken to."""

    groups: tuple[Group, ...]
    emergency_groups: tuple[Group, ...]
    codec: Codec

    @property
    def all_groups(self) -> tuple[Group, ...]:
        return (*self.emergency_groups, *self.groups)


class LoudspeakerChannel:
    """`alertd.ports.Channel` for loudspeakers."""

    kind = "rtp"

    def __init__(  # noqa: PLR0913 - what it speaks, where, how and through what
        self,
        *,
        name: str,
        limits: ChannelLimits,
        zones: Mapping[str, Zone],
        announcements: Announcements,
        way: Way,
        air: Callable[[], Air],
        live_words_deadline_s: float,
    ) -> None:
        self.name = name
        self.limits = limits
        self._zones = zones
        self._announcements = announcements
        self._way = way
        self._air = air
        self._live_words_deadline_s = live_words_deadline_s

    async def send(self, claim: Claim) -> Outcome:
        notification = claim.notification
        zone = self._zones.get(notification.endpoint.address)
        page = _page(notification)
        if refusal := self._refusal(notification, zone, page):
            return refusal
        assert zone is not None
        assert page is not None
        order_id = _order_id(notification, claim.attempt)
        loop = asyncio.get_running_loop()
        gives_up_s = loop.time() + self.limits.deadline_s * SHARE_OF_DEADLINE
        if page.action is PageAction.STOP:
            return await self._in_time(order_id, zone, _quiet_up_to(page), gives_up_s)
        turn = self._air().turn()  # before the words are spoken, which takes seconds
        try:
            clip = await self._clip(page, zone, min(gives_up_s - loop.time(), self._live_words_deadline_s))
        except SpeechError as error:
            return Failed(permanent=False, code="not_spoken", detail=str(error)[:DETAIL_CHARS_MAX])
        order = Order(
            id=order_id,
            clip=clip,
            groups=zone.all_groups if page.emergency else zone.groups,
            rank=_rank(page),
            cuts=page.emergency,
            turn=turn,
            way=self._way,
        )
        return await self._in_time(order_id, zone, order, gives_up_s)

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        """By the pacer's memory, which dies with the daemon."""
        order_id = _order_id(row.notification, row.attempt)
        report = self._air().remembers(order_id)
        if report is None:
            return None
        if report.state in HEARD:
            return Sent(ref=order_id, detail="the first packet had left")
        return Failed(permanent=False, code="not_found", detail="no packet of it left")

    # --- what a page means

    def _refusal(self, notification: Notification, zone: Zone | None, page: Page | None) -> Failed | None:
        """Why nothing of this may be said, whatever happens."""
        if why := blocked(notification.endpoint.address):
            return Failed(permanent=True, code="emergency_number", detail=f"not sent: {why}")
        if zone is None:
            known = ", ".join(sorted(self._zones))
            detail = f"channel {self.name} has no zone of that name; it has: {known}"
            return Failed(permanent=True, code="unknown_zone", detail=detail[:DETAIL_CHARS_MAX])
        if page is None:
            # The text is not spoken instead: it may name the room that somebody hides in.
            return Failed(permanent=True, code="no_page", detail="not sent: it is no order for loudspeakers")
        if page.action is PageAction.SAY and page.mode is not notification.mode:
            detail = f"not sent: a {notification.mode} notification with a {page.mode} page"
            return Failed(permanent=True, code="mode_mismatch", detail=detail)
        if page.action is PageAction.SAY and not self._is_sayable(page, zone):
            known = ", ".join(self._announcements.names)
            detail = f"no announcement {page.announcement!r} and no words; there are: {known}"
            return Failed(permanent=True, code="unknown_announcement", detail=detail[:DETAIL_CHARS_MAX])
        return None

    def _is_sayable(self, page: Page, zone: Zone) -> bool:
        variant = variant_of(page.mode, real_after_drill=page.real_after_drill)
        return bool(page.words.strip()) or self._announcements.get(page.announcement, variant, zone.codec) is not None

    async def _clip(self, page: Page, zone: Zone, deadline_s: float) -> Clip:
        """What was rendered at load; else the words, spoken now: an announcement that a reload removed is still due to
        the incidents that it was frozen into."""
        variant = variant_of(page.mode, real_after_drill=page.real_after_drill)
        clip = self._announcements.get(page.announcement, variant, zone.codec)
        if clip is not None:
            return clip
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.to_thread(
                    self._announcements.live,
                    page.words,
                    variant=variant,
                    tone="hi_lo" if page.emergency else "chime",
                    codec=zone.codec,
                    deadline_s=deadline_s,
                )
        except TimeoutError:
            raise SpeechError(f"the words were not spoken within {deadline_s:.1f} s") from None

    # --- what becomes of it

    async def _in_time(self, order_id: str, zone: Zone, wanted: Order | int, gives_up_s: float) -> Outcome:
        """Say it, or make silent what has this rank or a lower one, and judge what the pacer answers."""
        air = self._air()
        order = wanted if isinstance(wanted, Order) else None
        try:
            async with asyncio.timeout_at(gives_up_s):
                if isinstance(wanted, Order):
                    report = await air.say(wanted)
                else:
                    report = await air.stop(order_id, zone.all_groups, wanted)
        except TimeoutError:
            air.give_up(order_id)
            if order is None:  # not tried again: it would cut what is announced from now on
                return Sent(ref=order_id, detail="the pacer did not answer and was ended, and what it said with it")
            return Unknown(detail="the pacer did not answer; it is started again")
        except PacerGoneError as error:
            return Failed(permanent=False, code="pacer_gone", detail=str(error), retry_after_s=GONE_RETRY_S)
        return self._judge(report, order)

    def _judge(self, report: Report, order: Order | None) -> Outcome:
        match report.state:
            case "stopped":
                return Sent(ref=report.order, detail="the zone is silent")
            case "started" if order is not None:
                to = ", ".join(f"{host}:{port}" for host, port in order.groups)
                missing = f"; NOT to {', '.join(report.silent)}" if report.silent else ""
                detail = f"{order.clip.seconds:.1f} s to {to}{missing}"
                return Sent(ref=report.order, detail=detail[:DETAIL_CHARS_MAX])
            case "silenced":
                return Withdrawn(ref=report.order, detail="quiet was ordered before it was said")
            case "refused":
                detail = (
                    f"something as urgent, or more, is being said there ({report.by}), for {report.left_s:.1f} s more"
                )
                wait_s = report.left_s + AFTER_BUSY_S
                return Failed(permanent=False, code="zone_busy", detail=detail, retry_after_s=wait_s)
            case "failed":
                return self._failed(report)
            case strange:
                return Unknown(detail=f"the pacer answered {strange!r}")

    def _failed(self, report: Report) -> Failed:
        why = _ERRNO.get(report.errno or 0)
        detail = why.format(interface=self._way.interface) if why else report.why
        permanent = report.errno == errno.EINVAL
        return Failed(permanent=permanent, code=report.code or "not_sent", detail=detail[:DETAIL_CHARS_MAX])


_ERRNO = {
    errno.EADDRNOTAVAIL: "{interface} is no address of this machine now: is the network card up, has it a new address?",
    errno.ENODEV: "the network card of {interface} is gone",
    errno.ENETDOWN: "the network card of {interface} is down",
    errno.ENETUNREACH: "no way to the group from {interface}: is the network card up?",
    errno.EPERM: "a firewall on this machine forbids it",
    errno.EACCES: "a firewall on this machine forbids it",
    errno.EINVAL: "the system says that there can be no such group",
}


def _order_id(notification: Notification, attempt: int) -> str:
    return f"{notification.id}/{attempt}"


def _page(notification: Notification) -> Page | None:
    try:
        return msgspec.json.decode(notification.body, type=Page)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _rank(page: Page) -> int:
    """Real before rehearsed, then urgent before plain."""
    return 2 * (page.mode is Mode.LIVE) + page.emergency


def _quiet_up_to(page: Page) -> int:
    """The highest rank that falls silent: what ends an exercise never touches what is real."""
    return _rank(replace(page, emergency=True))
