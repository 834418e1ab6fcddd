"""The session that carries presses: read, decode, hand to the door, and acknowledge what is committed.

Promise 1 lives in `_commit_then_ack`. Must never acknowledge before the door has said so, over another connection
than the one that delivered, or after a failed commit: then it drops the connection, because a broker delivers again
only to a new one. Many messages are under way at once; at most `max_unacked`, then nothing more is read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from copy import copy
from typing import Any, NoReturn

import structlog
from msgspec import Struct
from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.events import Arrival, Signal
from alertd.ports import PAYLOAD_MAX_BYTES, Clock, Door, NotCommittedError, Question
from alertd_adapters.mqtt.canaries import Canaries
from alertd_adapters.mqtt.connection import BrokerConnection, BrokerMessage, ConnectionLostError, PublishRefusedError
from alertd_adapters.mqtt.decoding import Decoded, Triggers
from alertd_adapters.mqtt.feedback import MqttFeedback
from alertd_adapters.mqtt.reconnecting import Reconnecting
from alertd_adapters.mqtt.redelivery import Redelivery
from alertd_adapters.mqtt.session_memory import Memory, SessionMemory
from alertd_adapters.mqtt.sign_of_life import SignOfLife
from alertd_adapters.mqtt.standing_troubles import StandingTroubles
from alertd_adapters.mqtt.strangers import Strangers

log = structlog.get_logger("alertd.mqtt")

REFUSED_FROM = 128
"""SUBACK codes from here on are refusals."""
UNKNOWN_ABSENCE_US = 7 * 24 * 3600 * 1_000_000
"""The broker remembers us but we do not remember when: what waited there may be this old."""
FORBIDDEN_S = 600.0
"""A refused sign of life is tried again after so long."""
DEAF_PAUSE_S = 60.0
"""A session through which nothing comes is opened anew at once, then after so long, then after twice as long, up to
`FORBIDDEN_S`."""
ORPHANS_MAX = 1000
"""Uncommitted QoS 0 messages kept for the next connection: nobody else has them."""


class TriggerSessionOptions(Struct, frozen=True, kw_only=True):
    name: str
    address: str
    alive_topic: str
    canaries: Canaries
    """They end here, too."""
    strangers: Strangers
    feedback: MqttFeedback
    """Told by which names devices press."""
    max_unacked: int
    down_trouble_s: float


class TriggerSession:
    def __init__(
        self,
        options: TriggerSessionOptions,
        reconnecting: Reconnecting,
        triggers: Triggers,
        clock: Clock,
        memory: SessionMemory,
        troubles: StandingTroubles,
    ) -> None:
        self._options = options
        self._reconnecting = reconnecting
        self._triggers = triggers
        self._clock = clock
        self._memory = memory
        self._troubles = troubles
        self._slots = asyncio.Semaphore(options.max_unacked)
        self._live: BrokerConnection | None = None
        self._sign: SignOfLife | None = None
        self._before: Memory | None = None
        """What we knew before this connection, while what waited may still come; `None`: nothing has waited."""
        self._serial = 0
        self._connection_id = ""
        self._redelivery = Redelivery()
        self._orphans: list[Arrival] = []
        self._unlearn: dict[str, Callable[[], None]] = {}
        """How decoders forget what they learnt from messages that are not acknowledged, the oldest first."""
        self._commits: set[asyncio.Task[None]] = set()
        self._forbidden_until = 0.0
        """Loop time. The broker refused our sign of life; mosquitto 2.0.11 also ends the connection then."""
        self._deaf_pause_s = DEAF_PAUSE_S
        self._opened_anew_at: float | None = None
        """Loop time. Nothing came through the session of then; `None`: it has worked since."""
        self._only_sign_fails = False
        """A device was heard through a silent session: silence says nothing, until our own message comes back."""
        self._alive_key = f"broker_alive:{options.name}"
        self._down: asyncio.TimerHandle | None = None
        self._why_down = ""

    @property
    def is_connected(self) -> bool:
        """The broker takes and delivers: not only the socket stands."""
        return self._live is not None and self._sign is not None and self._sign.is_proven

    @property
    def may_be_asked(self) -> bool:
        """A canary can tell something: the session works, or its sign of life is late."""
        return self.is_connected or (self._live is not None and self._sign is not None and self._sign.is_late)

    async def run(self, door: Door) -> NoReturn:
        self._door = door
        self._lost("never connected yet")
        try:
            await self._reconnecting.run(self._serve, self._lost)
        finally:
            self._up()
            for task in self._commits:
                task.cancel()

    # --- one connection ---------------------------------------------------------------------------------------------

    async def _serve(self, connection: BrokerConnection) -> None:
        """Read until the connection is lost. Subscribing runs beside it: its answer comes behind the backlog."""
        self._begin(connection)
        preparing = asyncio.create_task(self._prepare(connection))
        try:
            async for message in connection.messages():
                await self._slots.acquire()
                self._take(connection, message)
        finally:
            preparing.cancel()
            self._end()

    def _begin(self, connection: BrokerConnection) -> None:
        now = self._clock.now()
        self._live = connection
        self._connection_id = f"{now.wall_us}.{now.boot_us}"
        is_forbidden = asyncio.get_running_loop().time() < self._forbidden_until
        self._sign = SignOfLife("" if is_forbidden else self._options.alive_topic, self._connection_id)
        self._up()
        self._before = None
        if connection.session_present:
            self._before = copy(self._memory.values)
        else:
            self._redelivery.all_came()
        for arrival in self._orphans:
            self._start(self._commit_again(arrival))
        self._orphans = []
        self._judge_session(connection)

    def _end(self) -> None:
        """The acks that are still owed die with the connection."""
        self._live = None
        for unlearn in reversed(self._unlearn.values()):  # it comes again, and must mean the same
            unlearn()
        self._unlearn.clear()
        self._redelivery.connection_lost()
        self._memory.save()

    async def _prepare(self, connection: BrokerConnection) -> None:
        try:
            await self._subscribe(connection)
        except ConnectionLostError as error:
            log.warning("mqtt_not_subscribed", source=self._options.name, why=str(error))
            await connection.close()
            return
        sign = self._sign
        assert sign is not None
        await sign.keep_sending(connection, self._on_beat)

    async def _subscribe(self, connection: BrokerConnection) -> None:
        wanted = [*self._triggers.filters, *filter(None, (self._options.alive_topic,))]
        granted = await connection.subscribe([(topic_filter, 1) for topic_filter in wanted])
        answers = dict(zip(wanted, granted, strict=False))
        refused = [f for f in wanted if answers.get(f, REFUSED_FROM) >= REFUSED_FROM]
        if more := self._triggers.instead(refused):  # what the broker lets us hear, we hear
            wanted += more
            answers |= zip(more, await connection.subscribe([(f, 1) for f in more]), strict=False)
            refused = [f for f in wanted if answers.get(f, REFUSED_FROM) >= REFUSED_FROM]
        gone = [f for f in self._memory.values.filters if f not in wanted]
        if connection.session_present and gone:  # afterwards: a press in between may come twice, but is not lost
            await connection.unsubscribe(gone)
        self._memory.values.filters = wanted
        self._memory.save()
        weak = [f for f in wanted if answers.get(f) == 0 and f != self._options.alive_topic]
        name, address = self._options.name, self._options.address
        self._judge(
            f"broker_subscription:{name}",
            f"Presses are NOT seen: the broker {address} refuses to send us {', '.join(refused)}. "
            "Allow it in its acl_file."
            if refused
            else "",
            rings=any(f in refused for f in self._triggers.filters),
        )
        self._judge(
            f"qos0:{name}",
            f"A press can be LOST: the broker {address} grants only QoS 0 for {', '.join(weak)}. "
            "Set its maximum QoS to 1."
            if weak
            else "",
        )

    def _on_beat(self, refused: str) -> bool:
        """Does the connection go on? One through which nothing comes is opened anew, for that can help: mosquitto
        2.0.11 sends nothing any more that is to be acknowledged, once as many messages of QoS 0 as its limit had
        waited. Where it does not help, and nothing at all came through the new one, the on-duty admin's phone rings."""
        sign = self._sign
        assert sign is not None
        if not sign.topic:
            self._memory.values.connected(self._clock.now())  # nothing else can be known
        self._memory.save()
        if not sign.topic:
            return True
        now = asyncio.get_running_loop().time()
        if refused:
            self._forbidden_until = now + FORBIDDEN_S
        elif self._slots.locked():  # nothing is read until something is committed: the silence is ours
            return True
        is_deaf = sign.is_deaf and not self._only_sign_fails
        if why := refused or ("it does not come back" if sign.is_missing else ""):
            rings = is_deaf and sign.heard_nothing and self._opened_anew_at is not None
            through = f"through the broker {self._options.address}"
            summary = f"Presses may not come {through}."
            if rings:
                summary = f"NOTHING comes {through}, also in a new session: presses may page NOBODY."
            summary += f" Our sign of life on {sign.topic} fails ({why}): allow our user to read and write that topic, "
            self._troubles.raise_(self._alive_key, f"{summary}or restart the broker.", rings=rings)
        if not is_deaf or (self._opened_anew_at is not None and now < self._opened_anew_at + self._deaf_pause_s):
            return True
        self._deaf_pause_s = DEAF_PAUSE_S if self._opened_anew_at is None else min(2 * self._deaf_pause_s, FORBIDDEN_S)
        self._opened_anew_at = now
        log.warning("mqtt_session_is_deaf", source=self._options.name, effect="it is opened anew")
        return False

    # --- one message ------------------------------------------------------------------------------------------------

    def _take(self, connection: BrokerConnection, message: BrokerMessage) -> None:
        sign = self._sign
        assert sign is not None
        was_silent = sign.is_deaf
        sign.heard(message.qos)
        if message.qos and not sign.arrived():
            self._memory.values.connected(self._clock.now())  # kept by the next beat
        if self._is_our_own(message, sign):
            self._slots.release()
            self._ack(connection, message)
            return
        self._only_sign_fails |= was_silent and message.qos > 0
        decoded = self._triggers.decode(message.topic, message.payload)
        arrival = self._arrival(message, decoded, waited=sign.arrived())
        if decoded.refused or decoded.shut_out:
            self._door.observe(self._options.name, "refused")
        if decoded.uncovered:
            self._door.observe(self._options.name, decoded.uncovered)
        taken = [each for each in decoded.signals if each.device_id not in decoded.shut_out]
        self._judge_qos(message, taken)
        if len(message.payload) > PAYLOAD_MAX_BYTES:  # it is refused; its bytes must not wait for the commit, too
            message = replace(message, payload=b"")
        if decoded.unlearn is not None and message.qos:
            self._unlearn[arrival.arrival_id] = decoded.unlearn
        self._options.feedback.heard(taken)
        self._start(self._commit_then_ack(connection, message, arrival, self._door.receive(arrival)))
        sign.handled()
        check_ins = decoded.check_ins
        if arrival.backlog_since_us is not None:  # who heard it then says nothing of where it is now
            check_ins = tuple(replace(each, heard=()) for each in check_ins)
        self._door.check_in(self._options.name, check_ins, retained=message.retain, qos=message.qos)
        self._options.strangers.note(message, decoded)
        for question in self._triggers.questions():
            self._start(self._ask(connection, question))

    def _is_our_own(self, message: BrokerMessage, sign: SignOfLife) -> bool:
        """Our sign of life, or a canary."""
        if message.topic == self._options.alive_topic:
            if sign.returned(message.payload):
                self._memory.values.connected(self._clock.now())
                self._memory.save()
                self._redelivery.all_came()
                self._opened_anew_at = None
                self._only_sign_fails = False
                self._troubles.clear(self._alive_key)
            return True
        return self._options.canaries.take(message)

    async def _ask(self, connection: BrokerConnection, question: Question) -> None:
        """Best effort: what is not asked now is asked at the next message."""
        try:
            await connection.publish(question.topic, question.payload, qos=0)
        except PublishRefusedError as error:
            remedy = "allow it in the broker's acl_file"
            log.warning("mqtt_question_refused", topic=question.topic, why=str(error), remedy=remedy)
        except ConnectionLostError:
            pass  # whoever reads from it knows, too

    def _arrival(self, message: BrokerMessage, decoded: Decoded, *, waited: bool) -> Arrival:
        self._serial += 1
        now = self._clock.now()
        fresh_id = f"{self._connection_id}.{self._serial}"
        arrival_id, first_us = self._redelivery.identify(message, fresh_id, now.boot_us)
        return Arrival(
            source=self._options.name,
            topic=message.topic,
            signals=decoded.signals,
            received_us=now.wall_us,
            arrival_id=arrival_id,
            again_after_us=now.boot_us - first_us,
            refused=decoded.refused,
            never_press=decoded.never_press,
            size=len(message.payload),
            retained=message.retain,
            qos=message.qos,
            backlog_since_us=self._since_us(now) if waited else None,
        )

    def _since_us(self, now: Now) -> int | None:
        """By the clock on the wall as it is now: somebody may have set it since we connected, as NTP does at a boot."""
        if self._before is None:
            return None
        since_us = self._before.connected_at(now)
        return now.wall_us - UNKNOWN_ABSENCE_US if since_us is None else since_us

    def _start(self, commit: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(commit)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _commit_then_ack(
        self, connection: BrokerConnection, message: BrokerMessage, arrival: Arrival, committed: Awaitable[None]
    ) -> None:
        """Promise 1: PUBACK leaves only after the press is committed, over the connection that delivered it."""
        try:
            await committed
        except Exception as error:  # noqa: BLE001  # whatever it was: it is not known to be on disk
            self._not_committed(arrival, error)
            if connection is self._live:
                await connection.close()
        else:
            if self._ack(connection, message):
                self._unlearn.pop(arrival.arrival_id, None)
        finally:
            self._slots.release()

    def _ack(self, connection: BrokerConnection, message: BrokerMessage) -> bool:
        """Over the connection that delivered, or not at all: the next one gives the packet id to another press. Has it
        left? Else the message comes again, and is the same one."""
        has_left = connection is self._live and message.qos > 0 and connection.ack(message)
        if has_left:
            self._redelivery.acked(message)
        return has_left

    async def _commit_again(self, arrival: Arrival) -> None:
        try:
            await self._door.receive(arrival)
        except Exception as error:  # noqa: BLE001  # as above
            self._not_committed(arrival, error)

    def _not_committed(self, arrival: Arrival, error: Exception) -> None:
        if arrival.qos == 0:  # the broker has forgotten it
            if len(self._orphans) < ORPHANS_MAX:
                self._orphans.append(arrival)
            else:
                self._door.observe(self._options.name, "qos0_lost")
        if isinstance(error, NotCommittedError):
            log.warning("press_not_committed", source=arrival.source, topic=arrival.topic, why=str(error))
        else:
            log.error("door_failed", source=arrival.source, topic=arrival.topic, exc_info=error)

    # --- what people are told ---------------------------------------------------------------------------------------

    def _judge(self, key: str, wrong: str, *, rings: bool = False) -> None:
        if wrong:
            self._troubles.raise_(key, wrong, rings=rings)
        else:
            self._troubles.clear(key)

    def _judge_session(self, connection: BrokerConnection) -> None:
        expected = self._memory.values.connected_us is not None
        self._judge(
            f"broker_session:{self._options.name}",
            f"Presses made while alertd was away are lost: the broker {self._options.address} has forgotten our "
            "session. Ask who pressed; see docs/broker.md for its persistence settings."
            if expected and not connection.session_present
            else "",
        )

    def _judge_qos(self, message: BrokerMessage, signals: Sequence[Signal]) -> None:
        for signal in signals:
            self._judge(
                f"qos0:{signal.device_id}",
                f"{signal.device_id} publishes presses at QoS 0: one can be lost on its way without a trace. "
                "Set QoS 1 in the device or its gateway."
                if message.qos == 0
                else "",
            )

    def _lost(self, why: str) -> None:
        """A broker that stays away for long is a trouble; a restart of it is not."""
        self._why_down = why
        if self._down is None:
            self._down = asyncio.get_running_loop().call_later(self._options.down_trouble_s, self._down_for_long)

    def _down_for_long(self) -> None:
        self._troubles.raise_(
            f"broker:{self._options.name}",
            f"Presses do NOT arrive: no connection to the broker {self._options.address} for "
            f"{self._options.down_trouble_s:g} s ({self._why_down}). Does it run, is the network up, is our password "
            "right?",
        )

    def _up(self) -> None:
        if self._down is not None:
            self._down.cancel()
            self._down = None
        if self._live is not None:
            self._troubles.clear(f"broker:{self._options.name}")
