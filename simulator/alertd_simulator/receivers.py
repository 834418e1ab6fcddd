"""Everybody whom a district would tell, as one process on loopback: carrier and phones, dispatch centre, loudspeakers.

Owns the rehearsal's folder (the district's configuration, pointed here, and the daemon's environment), the feed of what
they get, and the door by which a player lets people type. Nothing in it can reach anybody real; what could is refused.
"""

import asyncio
import json
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from alertd.daemon.http_client import HttpClient
from alertd.daemon.system_clock import SystemClock
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_json import CallRecord, Text
from alertd_simulator.demo_loudspeakers import Heard, known_recordings, listening, why_no_multicast
from alertd_simulator.demo_school import SPARE, STATE, School, prepare, read_wiring
from alertd_simulator.demo_wiring import Endpoints, Keys
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.embedded_broker import embedded_broker
from alertd_simulator.feed import Feed
from alertd_simulator.live_broker import check_broker
from alertd_simulator.live_credentials import refuse_live
from alertd_simulator.loopback_server import LOOPBACK, free_port, served
from alertd_simulator.on_the_phone import conduct_of
from alertd_simulator.people import Habit, Responder, Seen
from alertd_simulator.receivers_door import Door

MARKER = "rehearsal.json"
ENVIRONMENT = "rehearsal.env"
A_LONG_CODE_PER_S = 1.0
"""Texts that each sender gives out in a second (Twilio, error 30001)."""


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What a player has to know; written to `MARKER` while the receivers run."""

    config: str
    socket: str
    door: str
    broker_host: str
    broker_port: int


class Receivers(Struct, frozen=True, kw_only=True):
    """All of them, running."""

    school: School
    rehearsal: Rehearsal
    feed: Feed
    carrier: Carrier
    center: DispatchCenter
    no_pa: str

    @property
    def command(self) -> str:
        """Starts the daemon that goes with it."""
        folder = Path(self.rehearsal.config).parent
        return f"env $(cat {shlex.quote(str(folder / ENVIRONMENT))}) alertd run {shlex.quote(self.rehearsal.config)}"


def prepare_folder(folder: Path) -> None:
    """A new one, or that of an earlier rehearsal. Raises `RuntimeError` about any other."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise RuntimeError(f"{folder} holds something else: name an empty or a new folder with --into")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    for old in ("config", STATE, SPARE):  # the broker has forgotten it all, and so shall the daemon
        shutil.rmtree(folder / old, ignore_errors=True)


@asynccontextmanager
async def receivers(
    config: Path, folder: Path, environ: Mapping[str, str], *, broker: tuple[str, int] | None = None
) -> AsyncIterator[Receivers]:
    """Until the block ends. `broker`: of the rehearsal's own; `None`: one is started. Raises `RuntimeError`."""
    wiring = read_wiring(config)
    refuse_live(wiring, environ)
    if broker is not None:
        check_broker(wiring, *broker)
    prepare_folder(folder)
    keys, clock = Keys.made_up(), SystemClock()
    carrier = Carrier(clock=clock, account_sid=keys.account_sid, auth_token=keys.auth_token, per_s=A_LONG_CODE_PER_S)
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    async with AsyncExitStack() as stack:
        host, port = broker or (LOOPBACK, stack.enter_context(embedded_broker(folder)).v5)
        carrier.phones.callback_http = http = HttpClient()
        stack.push_async_callback(http.close)
        endpoints = Endpoints(
            mqtt_host=host,
            mqtt_port=port,
            carrier_url=await stack.enter_async_context(served(carrier.handle)),
            dispatch_url=await stack.enter_async_context(served(center.handle)),
            callback_port=free_port(),
            hurries=False,
        )
        school = prepare(config, folder, endpoints, keys)
        carrier.numbers = school.numbers
        carrier.rings_strangers = carrier.phones.rings_strangers = True
        no_pa = await why_no_multicast() if school.pa_zones else ""
        known = known_recordings(school.directory, school.recordings)
        rooms = await stack.enter_async_context(listening(() if no_pa else school.pa_zones, known))
        feed = Feed()
        responders = _people(school, carrier, feed)
        _listen(feed, carrier, center, responders)
        for room in rooms:
            room.on_heard.append(lambda heard: _loudspeaker(feed, heard))
        door = Door(feed=feed, carrier=carrier, center=center, people=responders)
        rehearsal = Rehearsal(
            config=str(school.directory),
            socket=str(school.socket),
            door=await stack.enter_async_context(served(door.handle)),
            broker_host=host,
            broker_port=port,
        )
        _write(folder, school, rehearsal)
        yield Receivers(school=school, rehearsal=rehearsal, feed=feed, carrier=carrier, center=center, no_pa=no_pa)


def read_rehearsal(folder: Path) -> Rehearsal:
    """What `receivers` wrote. Raises `RuntimeError`."""
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=Rehearsal)
    except (OSError, msgspec.DecodeError):
        raise RuntimeError(
            f"no receivers run for {folder}: start them first, with alertd-sim receivers --config DIR --into {folder}"
        ) from None


def _write(folder: Path, school: School, rehearsal: Rehearsal) -> None:
    """The secrets in it were made up a moment ago, and open nothing anywhere."""
    lines = [f"{name}={value}\n" for name, value in sorted(school.environment.items())]
    (folder / ENVIRONMENT).write_text("".join(lines))
    (folder / MARKER).write_text(json.dumps(msgspec.to_builtins(rehearsal), indent=2) + "\n")


# --- what they get --------------------------------------------------------------------------------------------------


def _people(school: School, carrier: Carrier, feed: Feed) -> dict[str, Responder]:
    """Everybody with a phone, by person id. Nobody answers until somebody lets them."""
    found = {}
    for person, number in school.phones():
        responder = Responder(person.name, number, carrier, habit=Habit.SILENT)
        carrier.phones.conducts[number] = conduct_of(Habit.SILENT, 0.0)
        responder.on_screen.append(_reader(feed, responder))
        found[str(person.id)] = responder
    return found


def _reader(feed: Feed, responder: Responder) -> Callable[[Seen], None]:
    def read(line: Seen) -> None:
        feed.add("typed" if line.mine else "text", responder.name, line.body)

    return read


def _listen(feed: Feed, carrier: Carrier, center: DispatchCenter, people: Mapping[str, Responder]) -> None:
    names = {responder.number: responder.name for responder in people.values()}

    def unknown(text: Text) -> None:
        if text.to not in names:
            feed.add("text", f"{text.to}, who is nobody of the district", text.body)

    def rang(call: CallRecord) -> None:
        if call.status in {"ringing", "busy", "no-answer", "failed"}:
            feed.add("ring", names.get(call.to, call.to), call.status.replace("-", " "))

    def message(received: Message) -> None:
        if received.type != "heartbeat":
            feed.add("dispatch", "the dispatch centre", f"{received.type.replace('_', ' ')}: {received.headline}")

    carrier.on_phone.append(unknown)
    carrier.phones.on_status.append(rang)
    carrier.phones.on_heard.append(lambda call, words: feed.add("call", names.get(call.to, call.to), words))
    carrier.phones.on_key.append(lambda call, key: feed.add("key", names.get(call.to, call.to), key))
    center.on_message.append(message)
    center.on_accept.append(lambda _, call: feed.add("accepted", "the dispatch centre", f"call {call}"))


def _loudspeaker(feed: Feed, heard: Heard) -> None:
    if heard.words:
        feed.add("speech", heard.zone, heard.words)
    elif heard.ended:
        saying = heard.saying
        words = f"{saying.seconds:.1f} s, {saying.packets} packets, {saying.lost} lost"
        feed.add("silence", heard.zone, words)
    else:
        feed.add("speaks", heard.zone, "")


async def print_until_cancelled(running: Receivers, write: Callable[[str], None]) -> None:
    """Each thing that somebody gets, as a line."""
    running.feed.on_line.append(lambda line: write(f"{line.clock()}  {line.words()}"))
    await asyncio.Event().wait()
