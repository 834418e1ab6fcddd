"""`alertd broker config`: who is a user of the broker, what each may, and whose password stays."""

import base64
import hashlib
import re
import stat
from functools import cache
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import typer.testing

from alertd.cli import app
from alertd.config import Loaded, load
from alertd.console.plugin_check import surroundings_of
from alertd.exports.broker import access, passwords
from alertd.exports.broker.clients import Client
from alertd.exports.broker.files import CannotBeWrittenError, Planned, plan
from alertd_adapters.mqtt.settings import is_within
from tests.generated_broker import generate, handed_out

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
SHIPPED = EXAMPLE / "mosquitto"


@pytest.fixture
def district(tmp_path: Path) -> Path:
    """A small one: two schools, and one of each kind of device at the first."""
    folder = tmp_path / "config"
    (folder / "sites").mkdir(parents=True)
    (folder / "policies").mkdir()
    for name in ("alertd.toml", "people.csv", "gestures.toml", "schedules.toml"):
        (folder / name).write_text((EXAMPLE / name).read_text())
    for pattern in ("sites/*.toml", "policies/*.toml"):
        for path in EXAMPLE.glob(pattern):
            (folder / path.relative_to(EXAMPLE)).write_text(path.read_text())
    (folder / "devices.csv").write_text(DEVICES)
    wire(folder, TRIGGERS)
    return folder


DEVICES = """id,kind,site,zone,gestures,label,assigned_to,roaming_sites,profile
button-204,button,oak,rm-204,wall-button,wall button,,,
badge-okafor,wearable,oak,,badge,Okafor badge,okafor,,
badge-reed,wearable,oak,,badge,Reed badge,reed,elm,
badge-shaw,wearable,elm,,badge,Shaw badge,shaw,,
vape-112,sensor,oak,wc-112,vape-sensor,vape sensor,,,
gw-2-east,gateway,oak,fl-2-east,,,,,
gw-elm-hall,gateway,elm,main-hall,,,,,
24E124535B316056,button,oak,rm-118,wall-button,desk button,,,milesight-ws101
front-desk:2,button,oak,office,wall-button,desk button,,,shelly
"""
TRIGGERS = """
  { topic = "alertd/press/+", kinds = ["button", "wearable"] },
  { topic = "alertd/sensor/+", kinds = ["sensor"] },
  { topic = "east/+", decoder = "zigbee2mqtt", options = { base_topic = "east" } },
  { topic = "application/+/device/+/event/up", decoder = "profiles", options = { source = "chirpstack-v4" } },
"""
OUR_SERVER = """
[source.our-server]
about = "A network server of our own"
[source.our-server.down]
topic = "ours/{device}/tell"
payload = "{bytes}"
forget_topic = "ours/{device}/tell"
[[source.our-server.messages]]
topic = "ours/{device}/up"
id = "topic.device"
"""
SHELLY = '{ topic = "+/events/rpc", decoder = "profiles", options = { source = "shelly" } },'


def wire(folder: Path, triggers: str, more: str = "") -> None:
    text = (EXAMPLE / "channels.toml").read_text()
    text = re.sub(r"triggers = \[.*?\n\]", lambda _: f"triggers = [{triggers}]", text, flags=re.DOTALL)
    (folder / "channels.toml").write_text(text.replace("[channels.sms]", f"{more}\n[channels.sms]", 1))


_READ: dict[tuple[str, ...], Loaded] = {}


def read(folder: Path) -> Loaded:
    """Read once: most tests look at the same district."""
    key = tuple((folder / name).read_text() for name in ("devices.csv", "channels.toml"))
    if key not in _READ:
        _READ[key] = load(folder)
    return _READ[key]


def planned(folder: Path, tmp_path: Path) -> tuple[Planned, ...]:
    loaded = read(folder)
    return plan(loaded, tmp_path / "out", surroundings_of(loaded), frozenset())


def rights(folder: Path, tmp_path: Path, user: str) -> tuple[set[str], set[str]]:
    [client] = [client for client in planned(folder, tmp_path)[0].clients if client.name == user]
    return set(client.says), set(client.hears)


# --- who may what -----------------------------------------------------------------------------------------------------


def test_a_device_presses_and_lives_as_itself_and_hears_whether_it_was_heard(district: Path, tmp_path: Path):
    says, hears = rights(district, tmp_path, "button-204")

    assert says == {"alertd/press/button-204", "alertd/telemetry/button-204"}
    assert hears == {"alertd/feedback/button-204"}, "a button that never hears that it was received repeats in vain"


def test_a_sensor_may_publish_on_no_topic_of_presses(district: Path, tmp_path: Path):
    says, _ = rights(district, tmp_path, "vape-112")

    assert says == {"alertd/sensor/vape-112", "alertd/telemetry/vape-112"}, "a sensor may press"


def test_a_trigger_for_anybody_is_none_of_the_sensors_where_they_have_one_of_their_own(district: Path, tmp_path: Path):
    wire(district, TRIGGERS + SHELLY)

    assert rights(district, tmp_path, "vape-112")[0] == {"alertd/sensor/vape-112", "alertd/telemetry/vape-112"}
    assert "button-204/#" in rights(district, tmp_path, "button-204")[0]


def test_a_gateway_speaks_for_the_wearables_of_its_school_and_for_who_roams_there(district: Path, tmp_path: Path):
    oak, _ = rights(district, tmp_path, "gw-2-east")
    elm, hears = rights(district, tmp_path, "gw-elm-hall")

    ours = {"alertd/press/badge-okafor", "alertd/press/badge-reed"}
    assert {t for t in oak if "/press/" in t} == ours, "promise 6: a gateway of one school presses at another"
    assert {t for t in elm if "/press/" in t} == {"alertd/press/badge-shaw", "alertd/press/badge-reed"}
    assert "alertd/telemetry/gw-elm-hall" in elm
    assert hears == {"alertd/feedback/badge-shaw", "alertd/feedback/badge-reed"}


def test_a_bridge_and_a_network_server_are_one_user_each_on_their_own_topics(district: Path, tmp_path: Path):
    assert rights(district, tmp_path, "east") == ({"east/#"}, {"east/#"})
    says, hears = rights(district, tmp_path, "chirpstack-v4")
    assert "application/+/device/+/event/#" in says
    assert hears == {"application/+/device/+/command/#", "+/gateway/+/command/#"}


@pytest.mark.parametrize(
    ("topic", "source", "told"),
    [
        ("application/+/device/+/event/up", "chirpstack-v4", "application/+/device/+/command/down"),
        ("v3/+/devices/+/up", "tts-v3", "v3/+/devices/+/down/replace"),
        ("ours/+/up", "our-server", "ours/+/tell"),
    ],
)
def test_where_a_source_tells_devices_something_alertd_may_write_and_its_server_read(
    district: Path, tmp_path: Path, topic: str, source: str, told: str
):
    """The Things Stack's was refused: the button's own light never said that it was heard, and no trouble did."""
    (district / "profiles").mkdir()
    (district / "profiles" / "ours.toml").write_text(OUR_SERVER)
    wire(district, TRIGGERS + f'{{ topic = "{topic}", decoder = "profiles", options = {{ source = "{source}" }} }},')

    assert told in rights(district, tmp_path, "alertd")[0], "feedback never leaves"
    assert any(is_within(told, each) for each in rights(district, tmp_path, source)[1]), "feedback never arrives"


def test_a_device_with_a_tree_of_its_own_has_all_of_it_under_its_own_name(district: Path, tmp_path: Path):
    wire(district, TRIGGERS + SHELLY)
    says, hears = rights(district, tmp_path, "front-desk")

    assert says == {"front-desk/#"}
    assert hears == {"front-desk/#", "alertd/feedback/front-desk:2"}


def test_what_is_behind_a_bridge_by_its_profile_is_no_user_though_its_id_looks_like_a_button_of_something(
    district: Path, tmp_path: Path
):
    wire(
        district,
        TRIGGERS + SHELLY + '{ topic = "zwave/#", decoder = "profiles", options = { source = "zwave-js-ui" } },',
    )
    with (district / "devices.csv").open("a") as rows:
        rows.write("Office:strip,button,oak,office,wall-button,panic strip,,,zwave-js-ui\n")
    names = {client.name for client in planned(district, tmp_path)[0].clients}

    assert "zwave-js-ui" in names
    assert not names & {"Office", "Office:strip"}, "a password for nobody"


def test_what_a_server_speaks_for_is_no_user(district: Path, tmp_path: Path):
    assert "24E124535B316056" not in {client.name for client in planned(district, tmp_path)[0].clients}


def test_alertd_itself_may_read_what_it_is_configured_to_read(district: Path, tmp_path: Path):
    says, hears = rights(district, tmp_path, "alertd")

    assert {"alertd/press/+", "alertd/sensor/+", "east/+", "alertd/telemetry/+", "alertd/alive/+"} < hears
    assert {topic for topic in says if "canary" not in topic} == {
        "alertd/alive/+",
        "alertd/feedback/+",
        "application/+/device/+/command/down",
    }


def test_alertd_may_say_below_each_trigger_the_word_by_which_it_knows_that_presses_are_heard(
    district: Path, tmp_path: Path
):
    says, hears = rights(district, tmp_path, "alertd")

    words = {topic for topic in says if "canary" in topic}
    assert {"alertd/press/alertd-canary", "alertd/sensor/alertd-canary", "east/alertd-canary"} < words
    assert all(any(mqtt.topic_matches_sub(read, word) for read in hears) for word in words)


def test_signs_of_life_that_a_decoder_reads_may_be_said_by_who_says_them(district: Path, tmp_path: Path):
    wiring = district / "channels.toml"
    lives = (
        'telemetry = [{ topic = "north/+/availability", decoder = "zigbee2mqtt", options = { base_topic = "north" } }]'
    )
    wiring.write_text(wiring.read_text().replace('telemetry = ["alertd/telemetry/+"]', lives))

    assert rights(district, tmp_path, "north")[0] == {"north/#"}
    assert "north/+/availability" in rights(district, tmp_path, "alertd")[1]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("alertd-canary", 'the name "alertd-canary" is the broker\'s user for something else'),
        ("alertd", 'the name "alertd" is the broker\'s user for something else'),
        ("east", 'the name "east" is the broker\'s user for something else'),
        ("desk:1", 'its id has ":" in it'),
        ("desk\\n\\nuser x", ""),
    ],
)
def test_a_device_whose_name_would_be_somebody_elses_gets_no_user_and_it_is_said_where(
    district: Path, tmp_path: Path, name: str, why: str
):
    line = f'"{name.encode().decode("unicode_escape")}",button,oak,rm-118,wall-button,desk button,,,\n'
    (district / "devices.csv").write_text(DEVICES + line)
    if not read(district).is_usable:
        assert not why, "the configuration itself refuses it"
        return
    [broker] = planned(district, tmp_path)

    [problem] = broker.problems
    assert (problem.file, problem.line, problem.key) == ("devices.csv", 11, "id")
    assert why in problem.message
    assert not any(client.what.endswith("rm-118") for client in broker.clients)


def test_a_device_whose_tree_would_be_alertds_own_gets_no_user(district: Path, tmp_path: Path):
    """A Shelly called "application" could speak as the network server."""
    wire(district, TRIGGERS + SHELLY)
    (district / "devices.csv").write_text(DEVICES + "application,button,oak,rm-118,wall-button,desk,,,shelly\n")
    [broker] = planned(district, tmp_path)

    [problem] = broker.problems
    assert 'topics below "application" are not its own' in problem.message


def test_the_access_list_names_no_person(district: Path, tmp_path: Path):
    texts = planned(district, tmp_path)[0].texts

    assert "Okafor" in texts["broker/hand-out.csv"][1]
    assert "Okafor" not in texts["broker/acl"][1]


def test_a_sites_own_lines_stay_and_their_users_get_passwords(district: Path, tmp_path: Path):
    own = "user dashboard\ntopic read alertd/telemetry/#\n"
    (tmp_path / "out/broker").mkdir(parents=True)
    (tmp_path / "out/broker/acl.own").write_text(own)
    generate(read(district), tmp_path / "out")

    assert (tmp_path / "out/broker/acl").read_text().endswith(own)
    assert "dashboard" in handed_out(tmp_path / "out/broker")


@pytest.mark.parametrize(
    ("own", "line", "says"),
    [
        ("# a remark\ntopic read alertd/#\n", 2, "a right of another"),
        ("user dashboard\ntopic read alertd/te+/x\n", 2, "would not start"),
        ("user dashboard\ntopic see alertd/x\n", 2, "would not start"),
        ("user\tdashboard\n", 1, "would not start"),
        ("user a:b\n", 1, "nobody's name"),
        ("user dashboard\npattern write alertd/press/%c\n", 2, "sensors, too"),
    ],
)
def test_a_line_of_the_sites_own_that_would_harm_the_broker_is_refused_where_it_stands(
    district: Path, tmp_path: Path, own: str, line: int, says: str
):
    (tmp_path / "out/broker").mkdir(parents=True)
    (tmp_path / "out/broker/acl.own").write_text(own)

    try:
        planned(district, tmp_path)
        refused = ""
    except CannotBeWrittenError as error:
        refused = str(error)
    assert f"acl.own:{line}: " in refused and says in refused, (  # noqa: PT018
        "a broker that does not start takes no press, and a right is given to nobody by mistake"
    )


# --- the layouts ------------------------------------------------------------------------------------------------------

SENSORS = """
[sources.sensors]
plugin = "mqtt"
host = "localhost"
port = 1884
client_id = "alertd-maple-sensors"
username = "alertd"
password_secret = "broker-password"
triggers = [{ topic = "alertd/sensor/+", kinds = ["sensor"] }]
telemetry = ["alertd/telemetry/+"]
"""


def settings_of(text: str) -> dict[str, str]:
    lines = (line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, value in lines if key not in ("listener", "log_type")}


def test_sensors_with_a_source_of_their_own_get_a_broker_beside_that_of_the_presses(district: Path, tmp_path: Path):
    wire(district, '{ topic = "alertd/press/+", kinds = ["button", "wearable"] }', SENSORS)
    presses, sensors = planned(district, tmp_path)
    first = settings_of(presses.texts["broker/mosquitto.conf"][1])
    second = settings_of(sensors.texts["sensors/mosquitto.conf"][1])

    assert (first["autosave_on_changes"], first["autosave_interval"]) == ("true", "1")
    assert (second["autosave_on_changes"], second["autosave_interval"]) == ("false", "60")
    assert "vape-112" not in {client.name for client in presses.clients}
    assert "button-204" not in {client.name for client in sensors.clients}
    assert {key for key in first if first[key] != second[key]} == {
        "autosave_on_changes", "autosave_interval", "persistence_location", "password_file", "acl_file",
    }  # fmt: skip
    assert "listener 8884\n" in sensors.texts["sensors/mosquitto.conf"][1]


@pytest.mark.parametrize("name", ["mosquitto.conf", "acl"])
def test_what_is_shipped_is_what_is_written_for_the_example(tmp_path: Path, name: str):
    """Else: alertd broker config --config config --out DIR, and copy both files to config/mosquitto."""
    [broker] = planned(EXAMPLE, tmp_path)

    assert (SHIPPED / name).read_text() == broker.texts[f"broker/{name}"][1]


def test_a_sensor_with_a_broker_of_its_own_may_not_press_at_that_of_the_buttons(district: Path, tmp_path: Path):
    wire(district, '{ topic = "alertd/press/+" }', SENSORS)
    presses, sensors = planned(district, tmp_path)

    assert "vape-112" not in {client.name for client in presses.clients}, "a sensor may press"
    assert "vape-112" in {client.name for client in sensors.clients}
    assert "button-204" in {client.name for client in presses.clients}
    assert not presses.problems


def test_it_is_said_that_sensors_may_publish_where_people_press(district: Path, tmp_path: Path):
    wire(district, '{ topic = "alertd/press/+" }')
    (problem,) = planned(district, tmp_path)[0].problems

    assert (problem.file, problem.key, problem.is_error) == ("channels.toml", "sources.broker.triggers", False)
    assert "sensors may publish on alertd/press/+" in problem.message
    assert 'kinds = ["sensor"]' in problem.remedy


def test_sessions_do_not_expire_and_nothing_that_waits_is_thrown_away(tmp_path: Path):
    settings = settings_of(planned(EXAMPLE, tmp_path)[0].texts["broker/mosquitto.conf"][1])

    assert "persistent_client_expiration" not in settings
    assert int(settings["max_queued_messages"]) >= 1_000_000, "promise 1: presses that wait are thrown away"
    assert settings["queue_qos0_messages"] == settings["persistence"] == "true"


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_second_run_keeps_every_password_and_drops_who_left(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    generate(read(district), out)
    before, hashes = handed_out(out / "broker"), (out / "broker/passwords").read_text()
    secret = (out / "secrets/broker-password").read_text()
    (district / "devices.csv").write_text(
        DEVICES.replace("badge-shaw,wearable,elm,,badge,Shaw badge,shaw,,\n", "")
        + "button-118,button,oak,rm-118,wall-button,wall button,,,\n"
    )
    [broker] = generate(read(district), out)
    after = handed_out(out / "broker")

    assert {name: after[name] for name in after if name != "button-118"} == {
        name: before[name] for name in before if name != "badge-shaw"
    }
    left = (out / "broker/passwords").read_text() + (out / "broker/acl").read_text()
    assert "badge-shaw" not in left, "who left can still press"
    assert (broker.settled.new, broker.settled.gone) == (("button-118",), ("badge-shaw",))
    kept = {line for line in hashes.splitlines() if not line.startswith("badge-shaw")}
    assert kept < set((out / "broker/passwords").read_text().splitlines())
    assert (out / "secrets/broker-password").read_text() == secret


def test_a_hand_out_that_was_destroyed_costs_nobody_a_password(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    generate(read(district), out)
    hashes = (out / "broker/passwords").read_text()
    (out / "broker/hand-out.csv").unlink()
    [broker] = generate(read(district), out)

    assert (out / "broker/passwords").read_text() == hashes, "devices in the walls are locked out"
    assert (broker.settled.new, handed_out(out / "broker")) == ((), {})


def test_a_run_that_was_cut_off_before_the_hashes_loses_no_password(district: Path, tmp_path: Path):
    """In clear they are written first: somebody may have them already."""
    out = tmp_path / "out"
    generate(read(district), out)
    before = handed_out(out / "broker")
    (out / "broker/passwords").unlink()
    generate(read(district), out)

    assert handed_out(out / "broker") == before
    known = passwords.read_hashes((out / "broker/passwords").read_text())
    assert all(passwords.fits(before[name], known[name]) for name in before)


def test_a_lost_badge_gets_a_new_password_and_nobody_else(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    generate(read(district), out)
    before = handed_out(out / "broker")
    generate(read(district), out, renew="badge-okafor")
    after = handed_out(out / "broker")

    assert {name for name in before if before[name] != after[name]} == {"badge-okafor"}
    known = passwords.read_hashes((out / "broker/passwords").read_text())
    assert passwords.fits(after["badge-okafor"], known["badge-okafor"])
    assert not passwords.fits(before["badge-okafor"], known["badge-okafor"])


def test_a_password_changed_by_hand_is_not_handed_out_as_the_old_one(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    generate(read(district), out)
    file = out / "broker/passwords"
    changed = passwords.hashed("typed by somebody")
    file.write_text(re.sub(r"(?m)^button-204:.*$", lambda _: f"button-204:{changed}", file.read_text()))
    generate(read(district), out)

    assert f"button-204:{changed}" in file.read_text()
    assert "button-204" not in handed_out(out / "broker")


def test_passwords_in_clear_are_their_owners_alone_and_stand_nowhere_else(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    generate(read(district), out)
    clear = {*handed_out(out / "broker").values(), (out / "secrets/broker-password").read_text().strip()}

    for path in (path for path in out.rglob("*") if path.is_file()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if any(password in path.read_text() for password in clear):
            assert (path.name, mode) in (("hand-out.csv", 0o600), ("broker-password", 0o600)), (
                f"others could read {path}"
            )
        else:
            assert not mode & 0o022, path
            assert path.name != "passwords" or not mode & 0o007, "everybody could try to guess them"
    assert len(clear) == len(handed_out(out / "broker")) + 1
    assert all(len(password) == passwords.LENGTH for password in clear)


def test_hashes_are_those_of_mosquitto():
    """What `mosquitto_passwd -b FILE a x` of mosquitto 2.0.11 wrote."""
    salt = "HQj0fx2E7ucJBo+1"
    digest = "ENUtBGFMrN83BTBoNmsNZ4uSx7gvbXWNgFwUyGc8GXEm8G79d3cybAl07hPDZXLeu1G0DT/Umqn1rhodmTV9vA=="
    theirs, iterations = f"$7$101${salt}${digest}", 101
    computed = hashlib.pbkdf2_hmac("sha512", b"x", base64.b64decode(salt), iterations)

    assert base64.b64encode(computed).decode() == digest
    assert passwords.fits("x", theirs)
    assert not passwords.fits("y", theirs)
    assert passwords.hashed("x").split("$")[1:3] == ["7", "101"]


@pytest.mark.parametrize("known", ["", "x", "$6$salt$hash", "$argon2id$v=19$m=47104,t=1,p=1$c2FsdA$aGFzaA", "$7$x$y$z"])
def test_what_another_program_has_hashed_fits_nothing_and_stops_nothing(known: str):
    assert not passwords.fits("x", known)


def test_a_folder_in_which_others_may_write_is_refused(district: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)

    with pytest.raises(CannotBeWrittenError, match="others may write into"):
        planned(district, tmp_path)


def test_read_and_write_on_one_topic_are_one_line():
    client = Client(name="b", what="", says=("t", "w"), hears=("t", "r"))

    assert access.access_text([client], "").endswith("user b\ntopic read r\ntopic readwrite t\ntopic write w\n")


# --- the command ------------------------------------------------------------------------------------------------------


# Built once, as in the tests of the command line.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]  # its own name for it


def run(*arguments: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(app, ["broker", "config", *arguments])


def test_the_command_says_what_it_did_and_no_password(district: Path, tmp_path: Path):
    out = tmp_path / "out"
    told = run("--config", str(district), "--out", str(out))

    assert told.exit_code == 0, told.output
    assert "10 users: 0 keep their password; 10 new: alertd, badge-okafor" in told.output
    assert "install -m 640 -o mosquitto -g mosquitto" in told.output
    assert not any(password in told.output for password in handed_out(out / "broker").values())


def test_a_broker_of_which_only_users_changed_is_reloaded_and_not_restarted(district: Path, tmp_path: Path):
    first, second = (run("--config", str(district), "--out", str(tmp_path / "out")).output for _ in range(2))

    assert "systemctl restart mosquitto\n" in first
    assert "systemctl reload mosquitto\n" in second


def test_a_new_password_of_alertds_own_restarts_the_broker_and_then_alertd(district: Path, tmp_path: Path):
    """At a reload mosquitto 2.0.11 throws out who has an old password, and then all that should wait for them."""
    words = ("--config", str(district), "--out", str(tmp_path / "out"))
    run(*words)
    badge, own = (run(*words, "--renew", user).output for user in ("badge-okafor", "alertd"))

    assert "systemctl reload mosquitto\n" in badge and "alertd\n" not in badge.partition("systemctl")[2]  # noqa: PT018
    secrets, _, services = own.partition("/etc/alertd/secrets/\n")
    assert "install -m 600" in secrets
    assert services.startswith("    systemctl restart mosquitto\n    systemctl try-restart alertd\n"), (
        "promise 1: presses are thrown away, and alertd is refused until somebody restarts it"
    )


def test_another_name_of_alertds_own_does_so_too(district: Path, tmp_path: Path):
    words, wiring = ("--config", str(district), "--out", str(tmp_path / "out")), district / "channels.toml"
    run(*words)
    wiring.write_text(wiring.read_text().replace('username = "alertd"', 'username = "alertd-maple"'))

    assert "    systemctl restart mosquitto\n    systemctl try-restart alertd\n" in run(*words).output


def test_alertd_has_one_new_password_at_all_its_brokers(district: Path, tmp_path: Path):
    """They share the secret. Else it is refused by all but the last, and hears no press."""
    wire(district, '{ topic = "alertd/press/+", kinds = ["button", "wearable"] }', SENSORS)
    out = tmp_path / "out"
    generate(read(district), out)
    before = (out / "secrets/broker-password").read_text().strip()
    generate(read(district), out, renew="alertd")
    secret = (out / "secrets/broker-password").read_text().strip()

    assert secret != before
    for name in ("broker", "sensors"):
        known = passwords.read_hashes((out / name / "passwords").read_text())
        assert passwords.fits(secret, known["alertd"]), f"the broker {name} refuses alertd"


@pytest.mark.parametrize("renew", ["alertd", "alertd-sensors"])
def test_whoever_shares_the_secret_has_the_new_password_too(district: Path, tmp_path: Path, renew: str):
    """Two names at two brokers, and one secret: alertd says the same password as either."""
    sensors = SENSORS.replace('username = "alertd"', 'username = "alertd-sensors"')
    wire(district, '{ topic = "alertd/press/+", kinds = ["button", "wearable"] }', sensors)
    out = tmp_path / "out"
    generate(read(district), out)
    before = handed_out(out / "broker")
    planned = generate(read(district), out, renew=renew)
    secret = (out / "secrets/broker-password").read_text().strip()

    for name, user in (("broker", "alertd"), ("sensors", "alertd-sensors")):
        known = passwords.read_hashes((out / name / "passwords").read_text())
        assert passwords.fits(secret, known[user]), f"the broker {name} refuses alertd"
    assert [each.is_alertd_new for each in planned] == [True, True], "a reload throws away what should wait"
    assert handed_out(out / "broker") == before


def test_a_dry_run_writes_nothing(district: Path, tmp_path: Path):
    told = run("--config", str(district), "--out", str(tmp_path / "out"), "--dry-run")

    assert (told.exit_code, "Nothing was written." in told.output) == (0, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (('username = "alertd"\n', ""), 4, "alertd check"),
        (
            ('username = "alertd"\npassword_secret = "broker-password"\n', ""),
            1,
            "channels.toml:4: sources.broker has no",
        ),
        (("alertd/press/+", "alertd/pre+ss/+"), 4, "alertd check"),
    ],
)
def test_what_cannot_be_written_is_said(district: Path, tmp_path: Path, change: tuple[str, str], code: int, words: str):
    wiring = district / "channels.toml"
    wiring.write_text(wiring.read_text().replace(*change))
    told = run("--config", str(district), "--out", str(tmp_path / "out"))

    assert (told.exit_code, words in told.output) == (code, True), told.output


def test_nobody_unknown_is_renewed(district: Path, tmp_path: Path):
    told = run("--config", str(district), "--out", str(tmp_path / "out"), "--renew", "badge-x")

    assert told.exit_code == 1
    assert "there is no user badge-x" in told.output
