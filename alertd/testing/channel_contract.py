"""What every channel must do, ours and third parties': one suite, run against each with a counterpart of its own.

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        def counterpart(self) -> Counterpart:
            return MyServer()          # a fake server with behaviour, and the channel that talks to it

The names of the tests are the contract. The counterpart's channel should have a deadline of a few hundredths of a
second: one test waits for it.
"""

import asyncio
from enum import StrEnum
from typing import Any, Protocol

from alertd.model.ids import NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, Lane, Notification, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Sent, Unknown
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.ports import Channel

SLACK_S = 0.25
"""What a busy machine may add to a deadline."""
HOUR_US = 3_600_000_000

EMERGENCY_ADDRESSES = (
    "911", "112", "933", "988", "999", "000", "9911", "9,911", "+1911", "tel:911", "sip:911@pbx.example",
    "+12025550142,,911", "+12025550142;postd=911", "９１１", "9 1 1", "+44999",
)  # fmt: skip


class Demeanour(StrEnum):
    """How the counterpart treats the next requests."""

    ACCEPTS = "accepts"
    REFUSES_FOR_GOOD = "refuses for good"
    REFUSES_FOR_NOW = "refuses for now"
    ANSWERS_GARBAGE = "answers success, then garbage"
    FAILS = "fails: an internal error"
    NEVER_ANSWERS = "never answers"
    ACCEPTS_WITHOUT_ANSWER = "accepts, and the answer is lost"
    IS_AWAY = "is away: nothing reaches it"


class Counterpart(Protocol):
    """A fake of what the channel talks to, and the channel."""

    channel: Channel
    address: str
    """One that the channel can reach."""
    secrets: tuple[str, ...]
    """Whatever must never be seen: tokens, keys, in every encoding that travels."""
    success_is_receipt: bool
    """True: any success, whatever its body, proves receipt (a webhook). False: it must name the message."""

    def behave(self, demeanour: Demeanour) -> None: ...

    @property
    def arrived(self) -> int:
        """Requests that reached it, or left us at all."""
        ...


def claim_for(channel: Channel, address: str, *, notification_id: str = "n-0001", now_us: int = HOUR_US) -> Claim:
    """A claim of a live alert to this address."""
    notification = Notification(
        id=NotificationId(notification_id),
        site_id=SiteId("oak"),
        mode=Mode.LIVE,
        kind=Kind.ALERT,
        lane=Lane.PANIC,
        endpoint=Endpoint(channel=channel.name, address=address),
        reason=Reason.FIRST_WAVE,
        created_us=now_us,
        expires_us=now_us + HOUR_US,
        resend_unknown=True,
        recipient="Ruiz",
        text="OAK ELEM Rm 204: LOCKDOWN 10:42. Reply 417 going, 617 cannot go.",
        body='{"message_id":"n-0001","type":"new","mode":"live"}',
    )
    return Claim(notification=notification, attempt=1, epoch=1)


def row_for(claim: Claim, *, ref: str = "") -> NotificationRow:
    """The row of a claim whose outcome is unknown."""
    return NotificationRow(
        notification=claim.notification,
        state=NotificationState.UNKNOWN,
        reason=Reason.FIRST_WAVE,
        attempt=claim.attempt,
        epoch=claim.epoch,
        ref=ref,
    )


async def _send(counterpart: Counterpart, demeanour: Demeanour, address: str | None = None) -> Outcome:
    counterpart.behave(demeanour)
    return await counterpart.channel.send(
        claim_for(counterpart.channel, counterpart.address if address is None else address)
    )


class ChannelContract:
    """Subclass it, and give it a fixture `counterpart`."""

    async def test_what_was_accepted_has_the_providers_name(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.ACCEPTS)

        assert isinstance(outcome, Accepted | Sent | Delivered), outcome
        assert outcome.ref
        assert counterpart.arrived == 1

    async def test_a_refusal_for_good_is_permanent_and_says_why(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.REFUSES_FOR_GOOD)

        assert isinstance(outcome, Failed), outcome
        assert outcome.permanent
        assert outcome.code
        assert outcome.detail

    async def test_a_refusal_for_now_may_be_tried_again(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.REFUSES_FOR_NOW)

        assert isinstance(outcome, Failed), outcome
        assert not outcome.permanent
        assert outcome.code

    async def test_an_internal_error_is_never_permanent(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.FAILS)

        assert isinstance(outcome, Unknown) or (isinstance(outcome, Failed) and not outcome.permanent), outcome

    async def test_a_success_that_cannot_be_read_is_unknown_or_mere_receipt(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.ANSWERS_GARBAGE)

        if counterpart.success_is_receipt:
            assert isinstance(outcome, Delivered), outcome
            assert outcome.answer is None, "garbage accepts nothing"
        else:
            assert isinstance(outcome, Unknown), outcome

    async def test_no_answer_is_unknown_and_comes_within_the_deadline(self, counterpart: Counterpart) -> None:
        counterpart.behave(Demeanour.NEVER_ANSWERS)
        claim = claim_for(counterpart.channel, counterpart.address)
        async with asyncio.timeout(counterpart.channel.limits.deadline_s + SLACK_S):
            outcome = await counterpart.channel.send(claim)

        assert isinstance(outcome, Unknown), outcome
        assert outcome.detail

    async def test_a_lost_answer_is_unknown_not_failed(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.ACCEPTS_WITHOUT_ANSWER)

        assert isinstance(outcome, Unknown), outcome

    async def test_what_never_left_may_be_tried_again(self, counterpart: Counterpart) -> None:
        outcome = await _send(counterpart, Demeanour.IS_AWAY)

        assert isinstance(outcome, Failed), outcome
        assert not outcome.permanent
        assert not outcome.breaks_channel

    async def test_one_send_is_one_request(self, counterpart: Counterpart) -> None:
        """Only dispatch repeats: it knows what is still true, and when."""
        for number, demeanour in enumerate(d for d in Demeanour if d is not Demeanour.IS_AWAY):
            await _send(counterpart, demeanour)

            assert counterpart.arrived == number + 1, demeanour

    async def test_a_cancelled_send_stops_at_once(self, counterpart: Counterpart) -> None:
        counterpart.behave(Demeanour.NEVER_ANSWERS)
        sending = asyncio.ensure_future(counterpart.channel.send(claim_for(counterpart.channel, counterpart.address)))
        while not counterpart.arrived:  # noqa: ASYNC110  # the counterpart has no event
            await asyncio.sleep(0)
        sending.cancel()
        done, _ = await asyncio.wait([sending], timeout=counterpart.channel.limits.deadline_s / 2)

        assert done
        assert sending.cancelled(), "a channel must not swallow its cancellation"

    async def test_an_emergency_number_is_refused_and_nothing_leaves(self, counterpart: Counterpart) -> None:
        for address in EMERGENCY_ADDRESSES:
            outcome = await _send(counterpart, Demeanour.ACCEPTS, address)

            assert isinstance(outcome, Failed), f"emergency block: {address!r} was sent"
            assert outcome.permanent
            assert outcome.code == "emergency_number", f"emergency block: {address!r} was refused for another reason"
        assert counterpart.arrived == 0, "emergency block: a request left"

    async def test_an_address_that_is_none_is_refused_and_nothing_leaves(self, counterpart: Counterpart) -> None:
        for address in ("", " ", "nobody\r\nhere", "\x00", "x" * 5_000):
            outcome = await _send(counterpart, Demeanour.ACCEPTS, address)

            assert isinstance(outcome, Failed), repr(address)
            assert outcome.permanent
        assert counterpart.arrived == 0

    async def test_looking_up_answers_or_cannot_tell(self, counterpart: Counterpart) -> None:
        for demeanour in Demeanour:
            claim = claim_for(counterpart.channel, counterpart.address, notification_id=f"n-{demeanour.name}")
            counterpart.behave(demeanour)
            for ref in ("", "ref-of-an-attempt", "../../etc"):
                outcome = await counterpart.channel.look_up(row_for(claim, ref=ref))

                if isinstance(outcome, Failed):
                    assert outcome.code == "not_found", demeanour
                    assert not outcome.permanent
                else:
                    assert not isinstance(outcome, Unknown), "say None"

    async def test_what_was_accepted_is_never_said_to_be_lost(self, counterpart: Counterpart) -> None:
        claim = claim_for(counterpart.channel, counterpart.address)
        counterpart.behave(Demeanour.ACCEPTS_WITHOUT_ANSWER)
        await counterpart.channel.send(claim)
        counterpart.behave(Demeanour.ACCEPTS)

        outcome = await counterpart.channel.look_up(row_for(claim))

        assert outcome is None or isinstance(outcome, Accepted | Sent | Delivered), outcome

    async def test_no_secret_is_seen(self, counterpart: Counterpart, caplog: Any, capsys: Any) -> None:
        assert counterpart.secrets
        shown = [repr(counterpart.channel), str(vars(counterpart.channel))]
        shown += [repr(await _send(counterpart, demeanour)) for demeanour in Demeanour]
        shown += [repr(await _send(counterpart, Demeanour.ACCEPTS, "nowhere")), caplog.text, *capsys.readouterr()]
        for secret in counterpart.secrets:
            assert not any(secret in text for text in shown), "a secret is in an outcome, a log line or a repr"

    async def test_its_bounds_are_believable(self, counterpart: Counterpart) -> None:
        limits = counterpart.channel.limits

        assert counterpart.channel.name
        assert counterpart.channel.kind
        assert limits.per_s >= 0
        assert limits.concurrent >= 1
        assert limits.deadline_s > 0
