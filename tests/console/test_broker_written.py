"""`alertd doctor` and mosquitto.conf: what no probe can see of a broker, its configuration says."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from alertd.console.broker_written import written
from alertd.console.doctor import OK, WARN, Finding

SHIPPED = (Path(__file__).resolve().parents[2] / "config/mosquitto/mosquitto.conf").read_text()
SENSORS = [{"topic": "alertd/sensor/+", "kinds": ["sensor"]}]


def _found(etc: Path, **settings: object) -> list[Finding]:
    section = SimpleNamespace(table="sources", plugin="mqtt", name="broker", settings={"host": "localhost", **settings})
    return list(written([section], lambda _name: "", etc))


def test_what_is_shipped_keeps_what_waits(tmp_path: Path):
    (tmp_path / "mosquitto.conf").write_text(SHIPPED)
    (found,) = _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])
    assert (found.level, "saves what waits" in found.words) == (OK, True)


@pytest.mark.parametrize(
    ("line", "instead", "says"),
    [
        ("persistence true", "persistence false", "does not say persistence true"),
        ("persistence_location /var/lib/mosquitto/", "", "where it was started"),
        ("persistence_location /var/lib/mosquitto/", "persistence_location kept", "where it was started"),
        ("persistence_location /var/lib/mosquitto/", "persistence_location /run/mosquitto/", "gone after a power cut"),
        ("autosave_on_changes true", "", "does not say autosave_on_changes true"),
        ("autosave_interval 1", "autosave_interval 60", "does not say autosave_interval 1"),
        ("sys_interval 10", "persistent_client_expiration 1d", "persistent_client_expiration 1d"),
        ("sys_interval 10", "message_size_limit 200", "message_size_limit 200"),
        ("max_queued_messages 1000000000", "max_queued_messages 0", "max_queued_messages 0"),
        ("set_tcp_nodelay true", "", "does not say set_tcp_nodelay true"),
        ("max_packet_size 2097152", "max_packet_size 300", "max_packet_size 300"),
        ("sys_interval 10", "memory_limit 1000000", "memory_limit 1000000"),
        ("sys_interval 10", "max_inflight_bytes 2000", "max_inflight_bytes 2000"),
    ],
)
def test_a_broker_that_would_lose_presses_is_a_warning(tmp_path: Path, line: str, instead: str, says: str):
    text = SHIPPED.replace(f"\n{line}\n", f"\n{instead}\n")
    assert text != SHIPPED
    (tmp_path / "mosquitto.conf").write_text(text)
    (found,) = _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])
    assert found.level == WARN, "it loses presses when it is killed, and the doctor says that all is well"
    assert says in found.words


def test_the_broker_of_readings_need_not_save_at_every_change_and_is_found_by_its_port(tmp_path: Path):
    (tmp_path / "mosquitto.conf").write_text(SHIPPED)
    (tmp_path / "sensors").mkdir()
    text = SHIPPED.replace("listener 1883 ", "listener 1884 ").replace("listener 8883", "listener 8884")
    (tmp_path / "sensors/mosquitto.conf").write_text(text.replace("autosave_on_changes true", ""))
    (found,) = _found(tmp_path, port=1884, triggers=SENSORS)
    assert (found.level, "sensors/mosquitto.conf" in found.words) == (OK, True)
    (pressed,) = _found(tmp_path, port=1884, triggers=[{"topic": "alertd/press/+"}])
    assert pressed.level == WARN
    (secure,) = _found(tmp_path, tls={}, triggers=SENSORS)
    assert secure.words.startswith(f"{tmp_path}/mosquitto.conf "), "8883"


def test_a_broker_whose_file_is_not_there_was_not_looked_at(tmp_path: Path):
    """It may run in a container, with its configuration there."""
    for port in (1883, 1885):
        (found,) = _found(tmp_path, port=port)
        assert found.level == WARN, "who reads the doctor's lines believes that it was looked at"
        assert "not looked at whether it saves what waits" in found.words
        assert f"below {tmp_path} opens {port}" in found.words
        (tmp_path / "mosquitto.conf").write_text(SHIPPED)


def test_nothing_is_said_of_a_broker_elsewhere(tmp_path: Path):
    assert _found(tmp_path, host="broker.example.org") == []


LIKE_DEBIAN = """\
pid_file /run/mosquitto/mosquitto.pid
persistence 1
persistence_location /var/lib/mosquitto/
include_dir {folder}
"""


def test_what_a_folder_beside_it_says_is_read_too_as_debian_s_file_wants_it(tmp_path: Path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (tmp_path / "mosquitto.conf").write_text(LIKE_DEBIAN.format(folder=folder))
    saved = "\npersistence true\npersistence_location /var/lib/mosquitto/\n"
    (folder / "school.conf").write_text(SHIPPED.replace(saved, "\n"))
    (folder / "school.conf.bak").write_text("persistence false\n")  # mosquitto reads *.conf
    found = _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])
    assert [each.level for each in found] == [OK], "all is said, there"
    (folder / "Z-local.conf").write_text("autosave_on_changes false\npersistent_client_expiration 1h\n")
    kept = {each.words for each in _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])}
    assert any("does not say autosave_on_changes true" in words for words in kept), "what is said last holds: Z"
    assert any("persistent_client_expiration 1h" in words for words in kept)


@pytest.mark.parametrize("line", ["port 1883", ""])
def test_a_broker_without_a_listener_of_its_own_is_found_at_the_port_of_old(tmp_path: Path, line: str):
    (tmp_path / "mosquitto.conf").write_text(f"persistence true\npersistence_location /var/lib/mosquitto/\n{line}\n")
    found = _found(tmp_path, port=1883, triggers=[{"topic": "alertd/press/+"}])
    assert [each.level for each in found] == [WARN, WARN], "it is here, and saves too late"


def test_what_mosquitto_would_not_start_on_is_not_taken_for_said(tmp_path: Path):
    (tmp_path / "mosquitto.conf").write_text(SHIPPED.replace("\npersistence true\n", "\npersistence\ttrue\n"))
    (found,) = _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])
    assert (found.level, "does not say persistence true" in found.words) == (WARN, True)


@pytest.mark.parametrize(("port", "says"), [(1883, ["max_connections 9"]), (8883, ["max_qos 0"])])
def test_a_limit_counts_for_the_listener_above_it(tmp_path: Path, port: int, says: list[str]):
    text = "\n".join(line for line in SHIPPED.splitlines() if not line.startswith("listener "))
    limits = "listener 1883\nmax_connections 9\nlistener 8883\nmax_connections -1\nmax_qos 0\n"
    (tmp_path / "mosquitto.conf").write_text(f"{text}\n{limits}")
    found = _found(tmp_path, port=port, triggers=[{"topic": "alertd/press/+"}])
    said = [each.words.partition(" says ")[2].partition(":")[0] for each in found if each.level == WARN]
    assert said == says, "a limit of another door is taken for ours, or ours is passed over"


def test_what_is_included_includes_nothing_as_mosquitto_has_it(tmp_path: Path):
    folder, deeper = tmp_path / "conf.d", tmp_path / "deeper"
    folder.mkdir()
    deeper.mkdir()
    (tmp_path / "mosquitto.conf").write_text(f"{SHIPPED}\ninclude_dir {folder}\n")
    (folder / "a.conf").write_text(f"include_dir {folder}\ninclude_dir {deeper}\n")
    (deeper / "b.conf").write_text("autosave_on_changes false\n")
    (found,) = _found(tmp_path, triggers=[{"topic": "alertd/press/+"}])
    assert found.level == OK


ABOVE = {"10.conf": "listener 8883\n", "20.conf": "max_connections 3\n"}


@pytest.mark.parametrize(
    ("main", "folder", "port", "says"),
    [
        ("", ABOVE, 8883, ["max_connections 3 above every listener of its file"]),
        ("", ABOVE, 1883, ["max_connections 3"]),
        ("", {**ABOVE, "20.conf": "max_connections -1\nmax_qos 2\n"}, 8883, []),
        ("listener 1883\n", {"10.conf": "listener 9001\n"}, 1883, ["max_connections 7"]),
        ("listener 1883\n", {"10.conf": "listener 9001\n"}, 9001, []),
        ("listener 8883\nport 1883\n", {}, 8883, ["max_connections 7"]),
        ("listener 8883\nport 1883\n", {}, 1883, []),
    ],
)
def test_each_file_begins_above_every_listener(
    tmp_path: Path, main: str, folder: dict[str, str], port: int, says: list[str]
):
    """As mosquitto 2.0.11 reads: what one file says counts for no listener of another, but for one of old on 1883."""
    text = "\n".join(line for line in SHIPPED.splitlines() if not line.startswith("listener "))
    limit = "max_connections 7" if main else ""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "mosquitto.conf").write_text(f"{text}\n{main}include_dir {tmp_path}/conf.d\n{limit}\n")
    for name, lines in folder.items():
        (tmp_path / "conf.d" / name).write_text(lines)
    found = _found(tmp_path, port=port, triggers=[{"topic": "alertd/press/+"}])
    said = [each.words.partition(" says ")[2].partition(":")[0] for each in found if each.level == WARN]
    assert said == says, "a limit of another door is taken for ours, or a door of which nobody knows stays unsaid"
