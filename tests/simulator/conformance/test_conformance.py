"""The conformance kit says of good and bad devices what is true of them: held against golden transcripts."""

import asyncio
from pathlib import Path

import pytest
from aiomqtt import Client
from msgspec.structs import replace
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from typer.testing import CliRunner

from alertd_simulator.cli import app
from alertd_simulator.conformance import listening
from alertd_simulator.conformance.command import Wish, run
from alertd_simulator.conformance.judge import Outcome, conforms, judged
from alertd_simulator.conformance.listening import Listener, Place
from alertd_simulator.conformance.report import as_html, as_text
from alertd_simulator.conformance.steps import STEPS
from alertd_simulator.conformance.transcript import (
    KIT,
    Entered,
    Line,
    Subject,
    Transcript,
    TranscriptError,
    heard,
    read,
)
from alertd_simulator.devices import on_the_air
from alertd_simulator.families.catalogue import families
from alertd_simulator.families.said import Said
from tests.real_broker import RealMosquitto
from tests.simulator.conformance.making import BENCHES, GOLDEN, Bench, text_of

PASSED, FAILED, NOT_SEEN = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_SEEN


def points(name: str):
    return {point.name: point for point in judged(read(GOLDEN / f"{name}.jsonl"))}


@pytest.mark.parametrize("name", BENCHES)
def test_a_golden_transcript_is_what_its_device_says(name):
    """After a change of a maker: python -m tests.simulator.conformance.making"""
    assert (GOLDEN / f"{name}.jsonl").read_text() == text_of(name)


def test_a_good_device_conforms_and_what_was_not_tried_is_not_seen():
    found = points("good")
    assert conforms(found.values())
    assert {point.outcome for point in found.values() if point.must} == {PASSED}
    assert found["repeats until it hears “received”"].outcome is NOT_SEEN
    assert found["reports its battery"].found == "64 %"


def test_a_careless_device_fails_where_it_is_careless():
    found = points("careless")
    failed = {name for name, point in found.items() if point.outcome is FAILED}
    assert failed == {
        "says nothing while nothing happens",
        "one press is one press",
        "two presses are two",
        "a press survives a broker that is away",
        "presses come at QoS 1",
        "presses are not retained",
        "its clock is right",
    }
    assert "it is retained" in found["one press is one press"].found
    assert "86400 s off" in found["its clock is right"].found


def test_a_press_that_its_queue_lost_is_a_failure():
    found = points("forgetful")
    assert [name for name, point in found.items() if point.outcome is FAILED] == [
        "a press survives a broker that is away"
    ]
    assert found["one press is one press"].outcome is PASSED, "a state that is said again is no second press"
    assert found["its end is told"].outcome is PASSED
    assert not conforms(found.values())


def test_a_counter_that_begins_anew_and_a_press_that_nobody_made_are_failures():
    found = points("restless")
    failed = {name: point.found for name, point in found.items() if point.outcome is FAILED and point.must}
    assert failed == {
        "a press survives a broker that is away": "it has the identity of an earlier press, so alertd takes it for a "
        "copy of that",
        "says nothing while nothing happens": "1 presses when it only reported its battery: press",
    }


@pytest.mark.parametrize(("repeats", "outcome"), [(0, FAILED), (2, PASSED)])
def test_who_says_it_once_does_not_repeat_until_it_is_heard(repeats, outcome):
    bench = Bench("meraki", "0C:7B:C8:00:00:01")
    bench.step("repeat", 300)
    for again in range(repeats + 1):
        bench.says("press", again=bool(again))
    bench.note("received", 5)
    found = {point.name: point for point in judged(Transcript(subject=bench.subject, lines=tuple(bench.lines)))}
    assert found["repeats until it hears “received”"].outcome is outcome


@pytest.mark.parametrize(("after_s", "outcome"), [(119, PASSED), (121, FAILED)])
def test_a_press_that_comes_minutes_after_the_broker_was_back_is_a_failure(after_s, outcome):
    bench = Bench("meraki", "0C:7B:C8:00:00:01")
    bench.step("broker_away", 130)
    bench.note("away")
    bench.note("back", 30)
    bench.says("press", after_s)
    found = {point.name: point for point in judged(Transcript(subject=bench.subject, lines=tuple(bench.lines)))}
    assert found["a press survives a broker that is away"].outcome is outcome


def of_plain_json(*rows: str):
    """A device of `press_json`, whatever it says."""
    lines: list[Line] = []
    for row in rows:
        first, _, rest = row.partition(" ")
        at_s, _, payload = rest.partition(" ")
        is_heard = "/" in first
        lines.append(heard(float(at_s), first, payload.encode(), qos=1, retain=False) if is_heard else
                     Entered(step=first, at_s=float(at_s)))  # fmt: skip
    subject = Subject(kit=KIT, source="press_json", device="d1")
    return {point.name: point for point in judged(Transcript(subject=subject, lines=tuple(lines)))}


def test_signs_of_life_are_understood_where_a_plain_device_says_them():
    found = of_plain_json(
        'alertd/telemetry/d1 2 {"battery": 77}',
        "press_once 40",
        'alertd/press/d1 42 {"action": "press", "boot": "b", "seq": 1}',
        "will 60",
        "alertd/telemetry/d1 62 offline",
    )
    assert found["alertd understands all of it"].outcome is PASSED, "it is where docs/devices.md has it say so"
    assert found["reports its battery"].found == "77 %"
    assert found["its end is told"].outcome is PASSED
    assert found["one press is one press"].outcome is PASSED


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('alertd/telemetry/d1 42 {"action": "press"}', "a press on a topic for signs of life pages nobody"),
        ('alertd/telemetry/d1 42 {"battery": "full"}', "left out, because its value is none of those"),
        ('alertd/press/d1 42 {"battery": 77}', 'there is no "action"'),
    ],
)
def test_what_a_plain_device_says_wrongly_or_in_the_wrong_place_is_not_understood(row, words):
    found = of_plain_json("press_once 40", row)
    assert found["alertd understands all of it"].outcome is FAILED
    assert words in found["alertd understands all of it"].found
    assert found["one press is one press"].outcome is FAILED


def test_nobody_is_asked_to_do_what_the_kit_cannot_see():
    """A gateway's cable that is out leaves the kit at its broker, and a press made then would never be judged."""
    (step,) = (step for step in STEPS if step.id == "broker_away")
    assert step.do.startswith("Stop the broker. ")


def test_what_cannot_be_read_is_said():
    found = points("garbled")
    assert "not JSON" in found["alertd understands all of it"].found
    assert found["presses come at QoS 1"].outcome is NOT_SEEN, "nobody saw a press"


def test_nothing_heard_is_nothing_passed(tmp_path: Path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"kit":1,"source":"shelly","device":"x"}\n')
    found = judged(read(empty))
    assert {point.outcome for point in found} == {NOT_SEEN}
    assert not conforms(found)


def test_a_kit_that_heard_nothing_has_not_seen_that_nothing_was_pressed():
    bench = Bench("shelly", "desk-1")
    for step in ("idle", "press_once", "battery"):
        bench.step(step, 30)
    subject = replace(bench.subject, topics=("desk-1/#",))
    found = {point.name: point for point in judged(Transcript(subject=subject, lines=tuple(bench.lines)))}
    assert found["says nothing while nothing happens"].outcome is NOT_SEEN
    assert "the user allowed to read desk-1/#" in found["alertd understands all of it"].found


@pytest.mark.parametrize("said", ["press", "online"])
def test_one_that_heard_something_later_has(said):
    bench = Bench("shelly", "desk-1")
    bench.step("idle", 30)
    bench.step("press_once", 30)
    bench.says(said)
    found = {point.name: point for point in judged(Transcript(subject=bench.subject, lines=tuple(bench.lines)))}
    assert found["says nothing while nothing happens"].outcome is PASSED


def test_the_report_says_why_it_matters_and_no_payload_becomes_markup():
    transcript = read(GOLDEN / "careless.jsonl")
    found = judged(transcript)
    words, page = as_text(transcript, found), as_html(transcript, found)
    assert "Not shown to work with alertd: of 8 musts, 6 failed" in words
    assert "At QoS 0 a press can be lost on its way" in words
    assert "<script" not in page
    assert page.count("<tr") == len(found) + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no transcript"),
        ('{"kit":9,"source":"a","device":"b"}', "it is of kit 9"),
        ('{"kit":1,"source":"a","device":"b"}\n{"at_s":1}', ":2:"),
        ('{"kit":1,"source":"a","device":"b"}\n{"at_s":1,"topic":"t","base64":"?"}', ":2:"),
    ],
)
def test_a_broken_transcript_names_its_line(text, words, tmp_path: Path, capsys):
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(TranscriptError, match=words):
        read(path)
    assert run(Wish(judge=path)) == 2


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(source="shelly"), "it needs --source"),
        (Wish(source="toaster", device="x", topics=("#",), broker="h:1"), "there are:"),
        (Wish(source="shelly", device="x", topics=("#",), broker="h"), "write it like"),
        (
            Wish(source="chirpstack-v4", profile="milesight-ws10", device="x", topics=("#",), broker="h:1"),
            'there is no profile "milesight-ws10"; there are: ',
        ),
        (Wish(judge=GOLDEN / "good.jsonl", config=Path("/nowhere")), "/nowhere: is not a directory"),
    ],
)
def test_what_is_not_understood_is_said(wish, words, capsys):
    assert run(wish) == 2
    assert words in capsys.readouterr().err


# --- a profile of one's own -------------------------------------------------------------------------------------------

ACME = """
[profile.acme-b1]
about = "Acme B1 call button"
rules = [{ value = "object.pressed", map = { 1 = "press" } }]

[[profile.acme-b1.codec.frames]]
fport = 1
length = 1
fields = [{ name = "pressed" }]

[[profile.acme-b1.examples]]
source = "chirpstack-v4"
topic = "application/a/device/70b3d50000000001/event/up"
payload = '{"deviceInfo": {"devEui": "70b3d50000000001"}, "fPort": 1, "data": "AQ=="}'
expect = [{ event = "press", device = "70b3d50000000001" }]
"""
ONE_PRESS = """{"kit":1,"source":"chirpstack-v4","device":"70b3d50000000001","profile":"acme-b1"}
{"step":"press_once","at_s":40.0}
{"at_s":42.0,"topic":"application/a/device/70b3d50000000001/event/up","qos":1,"text":"{\\"deviceInfo\\": {\\"devEui\\": \\"70b3d50000000001\\"}, \\"fPort\\": 1, \\"data\\": \\"AQ==\\"}"}
"""  # noqa: E501


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A vendor's directory: a profile, and nothing else of a configuration."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/acme.toml").write_text(ACME)
    (tmp_path / "t.jsonl").write_text(ONE_PRESS)
    return tmp_path


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_device_is_read_by_a_profile_of_ones_own(acme, by):
    """Found as `alertd devices decode` and `alertd check` find it."""
    option = ["--config", str(acme)] if by == "option" else []
    environ = {"ALERTD_CONFIG": str(acme) if by == "variable" else None}
    said = CliRunner().invoke(app, ["conformance", "--judge", str(acme / "t.jsonl"), *option], env=environ).output
    assert "passed    must    one press is one press: alertd reads press in 1 messages" in said
    assert "passed    must    alertd understands all of it" in said


def test_a_profile_that_is_nowhere_is_the_command_s_mistake_and_not_the_device_s(acme, capsys):
    code, told = run(Wish(judge=acme / "t.jsonl")), capsys.readouterr()
    assert not told.out, "a device was judged by a profile that there is not"
    assert code == 2
    assert 'there is no profile "acme-b1"; there are: ' in told.err
    assert "milesight-ws101" in told.err
    assert "--config" in told.err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"AQ=="}', '"Ag=="}', "profile.acme-b1.examples[1]: expected "),
        ("fport = 1", "fport = ", "profiles/acme.toml:7: "),
    ],
)
def test_what_check_would_refuse_of_a_profile_is_said_before_anybody_presses(acme, capsys, old, new, words):
    (acme / "profiles/acme.toml").write_text(ACME.replace(old, new))
    assert run(Wish(judge=acme / "t.jsonl", config=acme)) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_device_is_walked_through_at_a_real_broker(tmp_path: Path):
    """At twenty times the pace; the device queues what it cannot send, and repeats until it hears «received»."""
    with RealMosquitto(tmp_path) as broker:
        subject = Subject(kit=KIT, source="shelly-gen1", device="desk-1")
        place = Place(
            host="127.0.0.1", port=broker.port, topics=("shellies/desk-1/#",), feedback="alertd/feedback/desk-1"
        )
        out = tmp_path / "t.jsonl"
        number = 0

        async def press() -> None:
            nonlocal number
            number += 1
            (message,) = families()["shelly-gen1"].maker(Said(device="desk-1", act="press", at_us=0, number=number))
            async with on_the_air("127.0.0.1", broker.port) as air:
                await air.publish(message)

        async def act(step) -> str:
            match step.id:
                case "press_once" | "press_twice" | "repeat":
                    times = 2 if step.id == "press_twice" else 1
                    tasks.extend(asyncio.create_task(_later(0.2, press)) for _ in range(times))
                case "broker_away":
                    tasks.append(asyncio.create_task(_outage(broker, press)))
                case "hold" | "battery" | "will":
                    return "skip"
                case _:
                    pass
            return ""

        tasks: list[asyncio.Task[None]] = []
        await Listener(place, subject, out, say=lambda words: None, answer=act).walk(STEPS, pace=20)
        await asyncio.gather(*tasks)

    found = {point.name: point for point in judged(read(out))}
    assert found["one press is one press"].outcome is PASSED
    assert found["two presses are two"].outcome is PASSED
    assert found["a press survives a broker that is away"].outcome is PASSED
    assert found["presses come at QoS 1"].outcome is PASSED
    assert found["presses are not retained"].outcome is PASSED
    assert found["repeats until it hears “received”"].found == "it said it once and never again"


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_device_that_is_back_before_the_kit_is_heard_all_the_same(tmp_path: Path, monkeypatch):
    """The broker keeps what came meanwhile: its session lasts longer than the broker is away."""
    monkeypatch.setattr(listening, "RETRY_S", 3.0)
    (step,) = (step for step in STEPS if step.id == "broker_away")
    message = ("alertd/press/d1", b'{"action": "press", "boot": "b", "seq": 1}')

    async def outage(broker: RealMosquitto) -> None:
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(broker.start)
        async with Client("127.0.0.1", broker.port) as device:
            await device.publish(*message, qos=1)

    with RealMosquitto(tmp_path) as broker:
        place = Place(host="127.0.0.1", port=broker.port, topics=("alertd/#",))
        subject = Subject(kit=KIT, source="press_json", device="d1")
        listener = Listener(place, subject, tmp_path / "t.jsonl", say=lambda words: None, answer=_at_once)
        away = asyncio.create_task(_later(0.2, lambda: outage(broker)))
        await listener.walk([step], pace=step.lasts_s / 6)
        await away
    (point,) = (each for each in judged(read(tmp_path / "t.jsonl")) if "broker that is away" in each.name)
    assert point.outcome is PASSED, f"the broker had it, and the kit was not there: {point.found}"


async def _later(after_s: float, press) -> None:
    await asyncio.sleep(after_s)
    await press()


async def _outage(broker: RealMosquitto, press) -> None:
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(1.5)
    await asyncio.to_thread(broker.start)
    await asyncio.sleep(2.0)  # the kit is back before the device's queue is: it tries every half second
    await press()


# --- who may read -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_user_who_may_not_read_is_told_so_though_mosquitto_grants_it(tmp_path: Path):
    """Its access list is asked when a message is handed out, not when somebody subscribes."""
    said: list[str] = []
    acl = "user chirpstack-v4\ntopic write application/#\n"
    with RealMosquitto(tmp_path, users={"chirpstack-v4": "its own"}, acl=acl) as broker:
        place = Place(host="127.0.0.1", port=broker.port, topics=("application/#",), username="chirpstack-v4",
                      password="its own")  # fmt: skip
        subject = Subject(kit=KIT, source="chirpstack-v4", device="24e1240000000101", topics=place.topics)
        steps = [step for step in STEPS if step.id in ("idle", "press_once")]
        await Listener(place, subject, tmp_path / "t.jsonl", say=said.append, answer=_at_once).walk(steps, pace=200)
    assert sum("nothing at all was heard: is the user chirpstack-v4 allowed to read application/#" in words
               for words in said) == 1  # fmt: skip


@pytest.mark.slow
async def test_a_broker_that_refuses_the_subscription_is_believed(tmp_path: Path, monkeypatch):
    async def refuse(*_arguments, **_more):
        return [ReasonCode(PacketTypes.SUBACK, identifier=135)]

    monkeypatch.setattr(Client, "subscribe", refuse)
    with RealMosquitto(tmp_path) as broker:
        place = Place(host="127.0.0.1", port=broker.port, topics=("shellies/#",))
        listener = Listener(place, Subject(kit=KIT, source="shelly", device="x"), tmp_path / "t.jsonl",
                            say=lambda words: None, answer=_at_once)  # fmt: skip
        with pytest.raises(RuntimeError, match=r"does not let somebody .* read shellies/# \(Not authorized\)"):
            await listener.walk()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("login", "who"),
    [({}, "somebody without a name .see --username."), ({"username": "tasmota", "password": "x"}, "the user tasmota")],
    ids=["no name", "a wrong password"],
)
async def test_a_broker_that_lets_nobody_in_does_answer(tmp_path: Path, login, who):
    with RealMosquitto(tmp_path, users={"tasmota": "its own"}) as broker:
        place = Place(host="127.0.0.1", port=broker.port, topics=("stat/#",), **login)
        listener = Listener(place, Subject(kit=KIT, source="tasmota", device="x"), tmp_path / "t.jsonl",
                            say=lambda words: None, answer=_at_once)  # fmt: skip
        with pytest.raises(RuntimeError, match=rf"the broker does not let {who} in \(Not authorized\)"):
            await listener.walk()


async def _at_once(step) -> str:
    return ""
