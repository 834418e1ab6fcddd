"""`alertd-sim receivers` and `play`: they reach nobody real, and say why they do not begin."""

import asyncio
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from alertd.config import load
from alertd.daemon.system_clock import SystemClock
from alertd.ports import HttpRequest
from alertd_simulator import demo, live_broker, rehearsing
from alertd_simulator.carrier import Carrier
from alertd_simulator.demo_daemon import running_daemon
from alertd_simulator.demo_school import WIRING, Endpoints, Keys, find_example, prepare
from alertd_simulator.dispatch_center import DispatchCenter
from alertd_simulator.feed import Feed, grouped
from alertd_simulator.fleet import Fleet
from alertd_simulator.live_broker import check_broker
from alertd_simulator.live_credentials import LiveError, live_channels, live_secrets, refuse_live
from alertd_simulator.people import Habit, Responder
from alertd_simulator.play import Player, refuse_what_is_live
from alertd_simulator.play_program import program_of_seed, program_of_story
from alertd_simulator.receivers import (
    Rehearsal,
    prepare_folder,
    read_rehearsal,
    receivers,
)
from alertd_simulator.receivers_door import Door
from alertd_simulator.world.plan import Crash, Gesture, Press

EXAMPLE = find_example()
ENDPOINTS = Endpoints(
    mqtt_port=18830, carrier_url="http://127.0.0.1:18831", dispatch_url="http://127.0.0.1:18832", hurries=False
)
STORY = """# A second room is news.
proves R12
site oak
0:00   press button-204 held down
0:01   crash before puback
0:02   ruiz replies going
0:03   start
expect by 0:04 text responders "Rm 204"
"""


@pytest.fixture
def wiring() -> dict[str, Any]:
    return tomllib.loads((EXAMPLE / WIRING).read_text())


# --- what is live ---------------------------------------------------------------------------------------------------


def test_a_district_as_it_is_configured_leads_out_by_every_channel(wiring):
    found = "\n".join(live_channels(wiring))

    for way in ("api.twilio.com", "cad-gateway.example.org", "192.0.2.10"):
        assert way in found
    assert found.count("\n") + 1 == len(wiring["channels"])


def test_a_rehearsal_leads_nowhere(tmp_path):
    school = prepare(EXAMPLE, tmp_path, ENDPOINTS, Keys.made_up())
    pointed = tomllib.loads((school.directory / WIRING).read_text())

    assert list(live_channels(pointed)) == []
    assert list(live_secrets(pointed, school.environment)) == []


@pytest.mark.parametrize(
    "name", ["ALERTD_SECRET_TWILIO_AUTH_TOKEN", "ALERTD_SECRET_DISPATCH_SIGNING", "TWILIO_ACCOUNT_SID"]
)
def test_a_live_secret_is_refused_by_its_name_and_never_by_its_value(wiring, name):
    with pytest.raises(LiveError, match=name) as caught:
        refuse_live(wiring, {name: "hunter2hunter2hunter2"})
    assert "hunter2" not in str(caught.value)


def test_the_demo_does_not_play_beside_a_live_account_either(monkeypatch, capsys):
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1hunter2")
    assert asyncio.run(demo.demonstrate(once=True, config=EXAMPLE)) == rehearsing.LIVE, "it plays beside a live account"

    told = capsys.readouterr()
    assert told.out == ""
    assert "TWILIO_ACCOUNT_SID stands in the environment" in told.err
    assert "hunter2" not in told.err


def test_a_secret_that_systemd_provides_is_live_too(wiring, tmp_path):
    (tmp_path / "twilio-auth-token").write_text("hunter2")
    with pytest.raises(LiveError, match="twilio-auth-token"):
        refuse_live(wiring, {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_the_brokers_password_alone_reaches_nobody(wiring):
    refuse_live(wiring, {"ALERTD_SECRET_BROKER_PASSWORD": "hunter2"})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_broker_of_the_district_is_none_for_a_rehearsal(wiring, host):
    with pytest.raises(LiveError, match="broker of its own"):
        check_broker(wiring, host, 1883)
    check_broker(wiring, host, 1884)


@pytest.mark.parametrize(
    "host",
    ["127.1", "127.0.0.2", "0.0.0.0", "::", "[::1]", "LOCALHOST.", "broker.oak.example"],  # noqa: S104
)
def test_the_broker_of_the_district_is_none_under_any_other_name_of_it(wiring, monkeypatch, host):
    """Its own name included: what counts is where it leads."""
    resolved = live_broker._resolved
    known = {"broker.oak.example": {"127.0.1.1"}}  # as Debian writes its own name into /etc/hosts
    monkeypatch.setattr(live_broker, "_resolved", lambda name: known.get(name) or resolved(name))

    with pytest.raises(LiveError, match="broker of its own"):
        check_broker(wiring, host, 1883)
    check_broker(wiring, host, 1884)


def test_the_broker_of_the_district_is_found_by_its_address(wiring, monkeypatch):
    wiring["sources"]["broker"]["host"] = "mqtt.example.org"
    known = {"mqtt.example.org": {"198.51.100.7"}}
    monkeypatch.setattr(live_broker, "_resolved", lambda name: known.get(name, {name}))

    with pytest.raises(LiveError, match="broker of its own"):
        check_broker(wiring, "198.51.100.7", 1883)
    check_broker(wiring, "198.51.100.8", 1883)
    check_broker(wiring, "localhost", 1883)


def test_a_broker_of_the_district_at_its_usual_tls_port_is_none(wiring):
    wiring["sources"]["broker"] = {"plugin": "mqtt", "host": "localhost", "tls": {}}

    with pytest.raises(LiveError, match="broker of its own"):
        check_broker(wiring, "localhost", 8883)


async def test_receivers_do_not_start_at_the_districts_own_broker(tmp_path):
    with pytest.raises(LiveError, match="broker of its own"):
        async with receivers(EXAMPLE, tmp_path / "rehearsal", {}, broker=("localhost", 1883)):
            pass
    assert not (tmp_path / "rehearsal").exists()


def test_nothing_is_played_beside_a_live_secret_though_all_channels_lead_here(tmp_path):
    school = prepare(EXAMPLE, tmp_path, ENDPOINTS, Keys.made_up())
    rehearsal = Rehearsal(config=str(school.directory), socket="s", door="d", broker_host="127.0.0.1", broker_port=1)

    with pytest.raises(LiveError, match="TWILIO_AUTH_TOKEN stands in the environment") as caught:
        refuse_what_is_live(rehearsal, {"TWILIO_AUTH_TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_channel_of_a_plugin_that_nobody_here_knows_may_lead_anywhere(wiring):
    wiring["channels"] = {"pager": {"plugin": "pager_plugin_of_somebody"}}

    assert list(live_channels(wiring)) == ["channels.pager (plugin pager_plugin_of_somebody) may lead anywhere"]


def test_nothing_is_played_into_a_configuration_that_somebody_pointed_back(tmp_path):
    school = prepare(EXAMPLE, tmp_path, ENDPOINTS, Keys.made_up())
    rehearsal = Rehearsal(config=str(school.directory), socket="s", door="d", broker_host="127.0.0.1", broker_port=1)
    refuse_what_is_live(rehearsal, school.environment)

    text = (school.directory / WIRING).read_text()
    (school.directory / WIRING).write_text(text.replace("http://127.0.0.1:18831", "https://api.twilio.com"))
    with pytest.raises(LiveError, match=r"channels\.sms sends through api\.twilio\.com"):
        refuse_what_is_live(rehearsal, {})


def test_a_rehearsal_keeps_no_database_and_no_watchdog_of_the_districts_own(tmp_path):
    example = tmp_path / "own"
    example.mkdir()
    for path in EXAMPLE.rglob("*"):
        if path.is_file():
            target = example / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    main = example / "alertd.toml"
    away = 'store_url = "postgresql://db.example.org/alertd"\nheartbeat_url = "https://watch.example.org/x"\n'
    main.write_text(main.read_text().replace("[daemon]\n", "[daemon]\n" + away))

    school = prepare(example, tmp_path / "rehearsal", ENDPOINTS, Keys.made_up())

    written = (school.directory / "alertd.toml").read_text()
    assert "db.example.org" not in written
    assert "watch.example.org" not in written
    assert "ALERTD_DEMO_WAIT_S" not in school.environment, "a rehearsal waits as the district will"


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RuntimeError, match="holds something else"):
        prepare_folder(tmp_path)
    with pytest.raises(RuntimeError, match="start them first"):
        read_rehearsal(tmp_path)


# --- what is played -------------------------------------------------------------------------------------------------


def test_a_story_is_played_but_for_what_only_a_simulated_world_can_do(tmp_path):
    (tmp_path / "story.txt").write_text(STORY)

    program = program_of_story(tmp_path / "story.txt", EXAMPLE)

    assert [deed.at_s for deed in program.deeds] == [0.0, 2.0]
    assert not any(isinstance(deed, Crash) for deed in program.deeds)
    assert program.left_out == ("story.txt:5: 0:01   crash before puback",)


def test_a_story_that_nobody_judges_need_expect_nothing(tmp_path):
    (tmp_path / "story.txt").write_text("site oak\n0:00 sensor vape-112 says vape\n0:08 patel opts out\n")

    program = program_of_story(tmp_path / "story.txt", EXAMPLE)

    assert [deed.at_s for deed in program.deeds] == [0.0, 8.0]


def test_a_seed_is_one_day_at_the_districts_own_devices():
    registry = load(EXAMPLE).registry

    program = program_of_seed(7, registry, minutes=5)

    assert program == program_of_seed(7, registry, minutes=5)
    assert program != program_of_seed(8, registry, minutes=5)
    presses = [deed for deed in program.deeds if isinstance(deed, Press)]
    assert len(presses) >= 10
    assert {deed.device for deed in presses} <= set(map(str, registry.devices))
    assert set(program.habits) <= set(map(str, registry.people))


def test_the_same_day_of_another_evening_is_other_presses():
    """A device's counts begin anew: without another boot alertd would take them for repeats, and keep quiet."""
    registry = load(EXAMPLE).registry
    program = program_of_seed(7, registry, minutes=3)
    rehearsal = Rehearsal(config="c", socket="s", door="d", broker_host="127.0.0.1", broker_port=1)
    press = Press(at_s=0.0, name="p", device="button-204", gesture=Gesture.HOLD)
    [(_, payload, _)] = Fleet(registry, clock=SystemClock(), random=Random("x")).messages(press, 0)

    player = Player(program, rehearsal, registry, speed=1.0, tell=lambda *_: None)

    published = msgspec.json.decode(player._of_today(payload).payload)
    before = msgspec.json.decode(payload.payload)
    assert published["boot"] != before["boot"]
    assert published | {"boot": 0} == before | {"boot": 0}
    assert player._of_today(replace(payload, payload=b"\xff{")).payload == b"\xff{"


# --- the receivers --------------------------------------------------------------------------------------------------


def test_the_same_text_to_many_is_one_line():
    feed = Feed()
    for name in ("Ruiz", "Chen", "Brooks", "Patel", "Hall"):
        feed.add("text", name, "LOCKDOWN")
    feed.add("key", "Ruiz", "4")

    assert grouped(feed.after(0)) == ["Ruiz, Chen, Brooks and 2 more read “LOCKDOWN”", "Ruiz presses 4"]
    assert [line.who for line in feed.after(5)] == ["Ruiz"]


async def ask(door: Door, method: str, path: str, body: object = None):
    request = HttpRequest(method=method, url=f"http://127.0.0.1:1{path}", body=msgspec.json.encode(body))
    return await door.handle(request)


async def test_a_player_lets_people_type_and_hears_what_they_got():
    keys, clock, feed = Keys.made_up(), SystemClock(), Feed()
    carrier = Carrier(clock=clock, auth_token=keys.auth_token)
    responder = Responder("Ruiz", "+12025550110", carrier, habit=Habit.SILENT)
    responder.on_screen.append(lambda line: feed.add("typed", "Ruiz", line.body))
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    door = Door(feed=feed, carrier=carrier, center=center, people={"ruiz": responder})

    assert (await ask(door, "POST", "/type", {"person": "ruiz", "body": "on my way"})).status == 200
    assert (await ask(door, "POST", "/key", {"person": "ruiz", "key": "4"})).body == b"false"
    await ask(door, "POST", "/habits", {"people": {"ruiz": [Habit.GOES.value, 3.0]}})
    told = msgspec.json.decode((await ask(door, "GET", "/feed?after=0")).body)

    assert [line["what"] for line in told] == ["on my way"]
    assert (responder.habit, responder.after_s) == (Habit.GOES, 3.0)
    assert (await ask(door, "POST", "/type", {"person": "nobody", "body": "x"})).status == 422
    assert (await ask(door, "DELETE", "/")).status == 422


def test_play_needs_something_to_play(tmp_path, capsys):
    wish = rehearsing.Wish(story=None, seed=None, minutes=3, speed=1.0, into=tmp_path)
    assert rehearsing.run_play(wish) == rehearsing.USAGE
    assert "name a story file" in capsys.readouterr().err


@pytest.mark.slow
async def test_a_story_reaches_the_phones_of_a_rehearsal_and_a_reply_comes_back(tmp_path):
    folder = tmp_path / "r"
    (tmp_path / "story.txt").write_text(STORY)
    told: list[str] = []
    async with receivers(EXAMPLE, folder, {}) as running:
        rehearsal = read_rehearsal(folder)
        assert (folder / "rehearsal.env").read_text().count("ALERTD_SECRET_") >= 3
        async with running_daemon(running.school, folder / "alertd.log"):
            program = program_of_story(tmp_path / "story.txt", Path(rehearsal.config))
            player = Player(
                program, rehearsal, running.school.registry, speed=1.0, tell=lambda _, words: told.append(words)
            )
            await asyncio.wait_for(player.play(afterwards_s=6.0), 60)
            still_open = await player.open_incidents()
        assert running.carrier.violations == []

    assert player.done == 2
    assert [incident["site"] for incident in still_open] == ["oak"]
    assert any("J. Ruiz" in words and "Rm 204" in words and " read" in words for words in told), told
    assert [answer["kind"] for answer in still_open[0]["answers"]] == ["going"]
