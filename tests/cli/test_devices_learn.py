"""`alertd devices learn`: an admin sees who was heard and is not registered, and gets the row, but never a guess."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertd.cli import app
from alertd.config import Loaded, load
from alertd.config.devices import OPTIONAL, REQUIRED
from alertd.console.backend import Proof
from alertd.ports import Sample, Stranger
from tests.cli.conftest import Said, Shell
from tests.console.fake_daemon import FakeDaemon

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
LORAWAN, BLE, PLAIN = "24E1240000000999", "AC2300000002", "button-9"
AT_US = 1_791_988_920_000_000
COLUMNS = [*REQUIRED, *OPTIONAL]


def sample(topic: str, payload: bytes | None, said: str = "press", **more: object) -> Sample:
    return Sample(topic=topic, payload=payload, at_us=AT_US, qos=1, retained=False, said=said, **more)


def stranger(device: str, *samples: Sample) -> Stranger:
    return Stranger(device_id=device, messages=len(samples), first_us=AT_US, samples=samples)


def up(data: str) -> Sample:
    payload = {"deviceInfo": {"devEui": LORAWAN}, "fPort": 85, "data": data, "rxInfo": [{"gatewayId": "gw-7"}]}
    return sample(f"application/7f3c/device/{LORAWAN}/event/up", json.dumps(payload).encode())


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example district with ChirpStack's devices and Shelly's."""
    folder = tmp_path_factory.mktemp("district") / "config"
    folder.mkdir()
    for each in EXAMPLE.iterdir():
        if each.name != "channels.toml":
            (folder / each.name).symlink_to(each)
    zigbee = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
    more = (
        '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },\n'
        '{ topic = "shellies/+/input_event/+", decoder = "profiles", options = { source = "shelly-gen1" } },\n'
        '{ topic = "zwave/#", decoder = "profiles", options = { source = "zwave-js-ui" } },'
    )
    wiring = (EXAMPLE / "channels.toml").read_text()
    (folder / "channels.toml").write_text(wiring.replace(zigbee, f"{zigbee}\n{more}"))
    return folder


@pytest.fixture(scope="module")
def loaded(config: Path) -> Loaded:
    return load(config)


@pytest.fixture
def learn(shell: Shell, config: Path, loaded: Loaded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("alertd.config.load", lambda _: loaded)  # a fifth of a second each time

    def run(*arguments: str) -> Said:
        return shell.run("devices", "learn", "--config", str(config), *arguments)

    return run


def test_every_candidate_is_listed_with_its_reason_and_none_of_several_is_written(daemon: FakeDaemon, learn):
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B"))]
    said = learn()
    assert f"{LORAWAN}, heard over broker: 1 message, last 2026-10-14" in said.out
    assert "gateway   gw-7" in said.out
    assert "milesight-ws101: press (rule 1, value short); understands 1 of 1" in said.out
    assert "abeeway-at2: duress (rule 2, value 1)" in said.out
    header, row = said.out.splitlines()[-2:]
    assert header.split(",") == COLUMNS
    assert row == f"{LORAWAN},button{',' * (len(COLUMNS) - 2)}", "a guess is written into the row"
    assert "Several fit, so none is in the row" in said.out


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)], ids=["text", "json", "rows"])
@pytest.mark.parametrize("tail", ["111/0/2/2", "unknownClass_111/endpoint_0/2/2", "99/0/userCode/1"])
def test_what_was_typed_at_a_keypad_is_not_shown_to_whoever_registers_it(daemon: FakeDaemon, learn, tail, form):
    """Even if the daemon has kept the message: an older one does."""
    typed = b'{"time": 1791988920000, "value": "80915"}'
    daemon.heard = [stranger("Office:keypad", sample(f"zwave/Office/keypad/{tail}", typed, said="no press"))]
    said = learn(*form)
    assert "Office:keypad" in said.out
    assert "80915" not in said.out + said.err, "a code that somebody typed is shown"


def test_a_single_candidate_is_in_the_row_and_a_source_of_its_own_needs_none(daemon: FakeDaemon, learn):
    daemon.heard = [
        stranger("b1", sample("shellies/b1/input_event/0", b'{"event": "S", "event_cnt": 7}')),
        stranger(LORAWAN, up("AXVV"), up("AXVV/y4C"), up("A2cAAARoAQ==")),
        stranger(PLAIN, sample(f"alertd/sensor/{PLAIN}", b'{"action": "vape"}', said="vape")),
    ]
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(learn("--csv").out))}
    assert rows["b1"]["profile"] == "", "Shelly's devices have Shelly's profile"
    assert rows[PLAIN]["kind"] == "sensor", "what speaks there are sensors, says its trigger"
    said = learn("--only", PLAIN).out
    assert "none is needed: press_json reads every device alike" in said
    assert LORAWAN not in said


def test_nobody_unknown_is_said_and_one_that_was_asked_for_in_vain_fails(daemon: FakeDaemon, learn):
    assert "Nobody unknown was heard. Press the new device" in learn().out
    daemon.heard = [stranger(LORAWAN, up("AXVV"))]
    vain = learn("--only", "button-1")
    assert (vain.code, "Not heard, or registered already: button-1" in vain.err) == (1, True)


@pytest.mark.parametrize("how", [(), ("--for", "3")])
def test_that_alertd_has_no_session_is_said_to_who_looks_for_a_new_device(daemon: FakeDaemon, learn, monkeypatch, how):
    monkeypatch.setattr("alertd.console.learning.cli.time.sleep", lambda _seconds: None)
    daemon.proofs = [Proof(name="broker main", alive=False, words="no session: look at the broker")]
    vain = learn(*how)
    assert "Nobody unknown was heard: alertd hears NO device over broker main: no session" in vain.err
    assert "press what you want" not in vain.err, "nothing of what is pressed now is heard"
    assert vain.code == 1
    asked_for = learn("--only", LORAWAN, *how)
    assert asked_for.code == 1
    assert f"Not heard, or registered already: {LORAWAN}." in asked_for.err
    assert "alertd hears NO device over broker main: no session" in asked_for.err, "its battery would be looked for"
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B"))]
    assert learn(*how).code == 0, "it was heard before"


@pytest.mark.parametrize(
    "spelled", [LORAWAN.lower(), "24:e1:24:00:00:00:09:99", "24-E1-24-00-00-00-09-99", "0x24E1240000000999"]
)
def test_who_is_asked_for_may_be_spelled_as_on_its_label(daemon: FakeDaemon, learn, spelled):
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B")), stranger(PLAIN, sample(f"alertd/press/{PLAIN}", b"{}"))]
    rows = list(csv.DictReader(io.StringIO(learn("--csv", "--only", spelled).out)))
    assert [row["id"] for row in rows] == [LORAWAN], "nobody is asked to type a device's id as its server does"


def test_in_vain_makes_no_list(daemon: FakeDaemon, learn, tmp_path: Path):
    daemon.heard = [stranger(LORAWAN, up("AXVV"))]
    said = learn("--only", "button-1", "--append", str(tmp_path / "new.csv"))
    assert (said.code, list(tmp_path.iterdir())) == (1, [])
    assert "Nobody unknown was heard" not in said.out, "somebody was heard, and it was not that one"


@pytest.mark.parametrize("how", [(), ("--csv",), ("--json",)])
def test_that_others_may_have_been_dropped_is_said(daemon: FakeDaemon, learn, monkeypatch, how):
    """Of ten thousand strangers 500 are remembered; whoever looks for theirs must not think that it was not heard."""
    monkeypatch.setattr("alertd.ports.STRANGERS_MAX", 2)
    daemon.heard = [stranger(f"meter-{n}", sample(f"alertd/press/meter-{n}", b"{}")) for n in range(2)]
    words = (
        "Of broker these are the 2 heard last: more may have been heard, and were dropped. Press yours and look again"
    )
    assert words in learn(*how).err, "others were dropped, and nobody says so"
    assert "or dropped since: button-1" in learn("--only", "button-1").err
    daemon.heard = daemon.heard[:1]
    assert words not in learn(*how).err


def test_what_was_not_kept_is_said(daemon: FakeDaemon, learn):
    daemon.heard = [stranger(LORAWAN, sample(f"application/7f3c/device/{LORAWAN}/event/up", None))]
    assert "may hold a code that somebody typed" in learn().out


def test_the_words_of_a_stranger_steer_no_terminal(daemon: FakeDaemon, learn):
    daemon.heard = [stranger("b\x1b[2J1", sample("alertd/press/\x1b]0;", b"{}", said="pr\x1bess"))]
    assert "\x1b" not in learn().out.partition("For devices.csv")[0]


def test_as_json_for_programs(daemon: FakeDaemon, learn):
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B"))]
    (found,) = learn("--json").json["devices"]
    assert (found["id"], found["source"], found["row"]["kind"]) == (LORAWAN, "broker", "button")
    assert found["fits"][0] == {
        "profile": "milesight-ws101", "messages": 1, "of": 1, "presses": True, "why": ["press (rule 1, value short)"],
        "heard_by": "gw-7", "kind": "button",
    }  # fmt: skip


def test_a_list_for_an_import_grows_without_twins(daemon: FakeDaemon, learn, tmp_path: Path):
    new = tmp_path / "new.csv"
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B"))]
    assert "1 added to" in learn("--append", str(new)).err
    daemon.heard.append(stranger(PLAIN, sample(f"alertd/press/{PLAIN}", b"{}")))
    assert "1 added to" in learn("--append", str(new)).err
    assert [row["id"] for row in csv.DictReader(new.read_text().splitlines())] == [LORAWAN, PLAIN]
    new.write_text("id,room\n")
    assert "has other columns" in learn("--append", str(new)).err


def test_devices_csv_itself_is_left_to_the_import(daemon: FakeDaemon, learn, config: Path):
    daemon.heard = [stranger(LORAWAN, up("AXVV/y4B"))]
    before = (config / "devices.csv").read_bytes()
    refused = learn("--append", str(config / "devices.csv"))
    assert refused.code == 2
    assert "is changed by alertd import devices" in refused.err
    assert (config / "devices.csv").read_bytes() == before


def test_the_daemon_that_is_asked_is_that_of_the_directory(tmp_path: Path, loaded: Loaded, monkeypatch):
    monkeypatch.setattr("alertd.config.load", lambda _: loaded)
    for name in ("ALERTD_SOCKET_PATH", "ALERTD_STATE_DIR", "ALERTD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "alertd.toml").write_text(f'[daemon]\nstate_dir = "{tmp_path}/of-this-one"\n')
    said = CliRunner().invoke(app, ["devices", "learn", "--config", str(tmp_path), "--for", "1"])
    assert f"{tmp_path}/of-this-one/alertd.sock" in said.stderr.replace("\n", "")


def test_without_daemon_and_without_broker_it_says_so(tmp_path: Path, config: Path, monkeypatch):
    monkeypatch.setenv("ALERTD_SECRET_BROKER_PASSWORD", "x")
    said = Shell(tmp_path / "nobody").run("devices", "learn", "--config", str(config), "--for", "1")
    assert said.code == 1
    assert "no daemon is running here" in said.err
    assert "listening instead, for 1 s" in said.err
    assert "localhost:1883 cannot be reached" in said.err
