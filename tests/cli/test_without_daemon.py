"""The command line by itself: help, errors before a daemon is reached, and commands that need none."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertd.cli import app
from alertd.console.client import find_socket

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).resolve().parents[2] / "config"


def run(*arguments: str, **environ: str | None):
    clean = {"ALERTD_CONFIG": None, "ALERTD_SOCKET_PATH": None, "ALERTD_STATE_DIR": None}
    return CliRunner().invoke(app, list(arguments), env={**clean, **environ})


def test_a_missing_socket_says_which_was_tried_and_how_to_start(tmp_path):
    result = run("--socket", str(tmp_path / "s"), "incidents")

    assert result.exit_code == 3
    assert str(tmp_path / "s") in result.stderr
    assert "systemctl start alertd" in result.stderr


def test_a_dead_daemons_socket_is_told_from_a_missing_one(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    result = run("--socket", str(tmp_path / "s"), "incidents")

    assert result.exit_code == 3
    assert "nobody listens" in result.stderr


def answering(path: Path, answer: bytes) -> threading.Thread:
    """Something that takes one request, says `answer`, and hangs up."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_daemon_that_dies_during_an_order_leaves_it_not_known(tmp_path):
    thread = answering(tmp_path / "s", b"")
    result = run("--socket", str(tmp_path / "s"), "resolve", "17", "--by", "ruiz")
    thread.join()

    assert result.exit_code == 3
    assert "NOT KNOWN whether the order was carried out" in result.stderr


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
def test_what_is_no_alertd_is_no_traceback(tmp_path, answer):
    thread = answering(tmp_path / "s", answer)
    result = run("--socket", str(tmp_path / "s"), "incidents")
    thread.join()

    assert result.exit_code in (1, 3)
    assert "Traceback" not in result.output


def test_the_socket_is_found_as_the_daemon_finds_it(tmp_path):
    (tmp_path / "alertd.toml").write_text('[daemon]\nstate_dir = "/srv/alertd"\n')
    given = Path("/x/given.sock")

    assert find_socket(given, tmp_path, {"ALERTD_SOCKET_PATH": "/x/env.sock"}) == given
    assert find_socket(None, tmp_path, {"ALERTD_SOCKET_PATH": "/x/env.sock"}) == Path("/x/env.sock")
    assert find_socket(None, tmp_path, {"ALERTD_STATE_DIR": "/x"}) == Path("/x/alertd.sock")
    assert find_socket(None, tmp_path, {}) == Path("/srv/alertd/alertd.sock")
    assert find_socket(None, None, {"ALERTD_CONFIG": str(tmp_path)}) == Path("/srv/alertd/alertd.sock")
    assert find_socket(None, None, {}) == Path("/var/lib/alertd/alertd.sock")


@pytest.mark.parametrize("text", ["[daemon", "daemon = 5", "\x00"])
def test_a_broken_configuration_does_not_hide_the_daemon(tmp_path, text):
    (tmp_path / "alertd.toml").write_text(text)

    assert find_socket(None, tmp_path, {}) == Path("/var/lib/alertd/alertd.sock")


def test_help_documents_the_exit_codes():
    text = run("--help").output

    for code, words in ((0, "done"), (1, "refused"), (2, "not understood"), (3, "reached"), (4, "invalid")):
        assert any(line.strip().startswith(str(code)) and words in line for line in text.splitlines())


def every_command() -> list[tuple[str, ...]]:
    single = [(command.name or command.callback.__name__,) for command in app.registered_commands if command.callback]
    imports = [("import", "people"), ("import", "devices")]
    return [*single, *imports, ("test", "person"), ("test", "webhook"), ("troubles", "ack")]


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Example" in result.output


# --- check


def test_check_accepts_the_shipped_example_and_says_what_it_looked_at():
    result = run("check", str(CONFIG))

    assert result.exit_code == 0
    assert "2 sites" in result.output
    assert "would take it" in result.output
    assert "nobody may notice when one dies (docs/supervision.md): 23 buttons" in result.output


def test_check_says_how_long_telling_takes_within_80_columns():
    """Req 50."""
    import json

    result = run("check", str(CONFIG), COLUMNS="80")
    lines = result.output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("How long telling takes"))
    table = lines[start : lines.index("", start)]
    answer = json.loads(run("check", str(CONFIG), "--json").stdout)

    assert max(map(len, table)) <= 80
    assert [line for line in table if line.split()[:2] == ["oak", "lockdown"] and line.endswith(" 60")]
    assert {"site", "incident_class", "waves", "everyone_told_s", "within_s"} <= set(answer["telling"][0])


# --- import, init


def test_import_shows_the_difference_writes_it_and_hides_numbers(tmp_path):
    shutil.copytree(CONFIG, tmp_path / "config")
    (tmp_path / "staff.csv").write_text("Employee ID,Cell,Hired\nchen,(202) 555-0191,2015\n")
    command = ("import", "people", str(tmp_path / "staff.csv"), "--config", str(tmp_path / "config"))
    before = (tmp_path / "config/people.csv").read_text()
    dry = run(*command, "--dry-run")

    assert (dry.exit_code, (tmp_path / "config/people.csv").read_text()) == (0, before)
    assert "~ chen  phone +1202•••0111 → +1202•••0191" in dry.output
    assert "Not used: Hired" in dry.output
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "+12025550191" in (tmp_path / "config/people.csv").read_text()
    assert "5550191" not in result.output + dry.output


def test_import_of_what_the_daemon_would_refuse_writes_nothing_and_exits_4(tmp_path):
    shutil.copytree(CONFIG, tmp_path / "config")
    (tmp_path / "staff.csv").write_text("id,phone\nchen,911\n")
    before = (tmp_path / "config/people.csv").read_text()
    result = run("import", "people", str(tmp_path / "staff.csv"), "--config", str(tmp_path / "config"))

    assert result.exit_code == 4
    assert "staff.csv:2: phone: must never be dialled" in result.output
    assert (tmp_path / "config/people.csv").read_text() == before


def test_import_of_a_new_person_without_a_kind_says_how_to_give_one(tmp_path):
    shutil.copytree(CONFIG, tmp_path / "config")
    (tmp_path / "staff.csv").write_text("id,name,phone,sites\nnew-1,Quill,+12025550177,oak\n")
    command = ("import", "people", str(tmp_path / "staff.csv"), "--config", str(tmp_path / "config"), "--dry-run")
    refused = run(*command)

    assert refused.exit_code == 4
    assert "staff.csv:2: kind: is empty" in refused.output
    assert "--default kind=" in refused.output
    assert run(*command, "--default", "kind=staff").exit_code == 0


def init(folder: Path, *more: str):
    lists = ("--people", str(folder / "staff.csv"), "--devices", str(folder / "buttons.csv"))
    return run("init", str(folder / "ours"), *lists, "--responder", "1", "--technician", "2", *more)


def test_init_takes_what_each_list_calls_its_columns(tmp_path):
    staff = "Key,Last Name,School,Handy\n1,Ruiz,Oak,(202) 555-0110\n2,Varga,Oak,(202) 555-0119\n"
    (tmp_path / "staff.csv").write_text(staff)
    (tmp_path / "buttons.csv").write_text("Tag,School,Room\nwb-1,Oak,Rm 1\n")
    first = init(tmp_path)
    assert (first.exit_code, "--people-column id=" in first.output) == (4, True)
    second = init(tmp_path, "--people-column", "id=Key")
    assert "--device-column id=" in second.output, "not a personnel number"
    assert 'does not use: "Handy"' in second.output
    result = init(
        tmp_path, "--people-column", "id=Key", "--people-column", "phone=Handy", "--device-column", "id=Tag"
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert "Handy" not in result.output
    assert "+12025550110" in (tmp_path / "ours/people.csv").read_text()
    assert "wb-1," in (tmp_path / "ours/devices.csv").read_text()


def test_init_warns_and_writes(tmp_path):
    (tmp_path / "staff.csv").write_text("Employee ID,Last Name,School,Cell,Hired\n1,Ruiz,Oak,(202) 555-0110,\n")
    (tmp_path / "buttons.csv").write_text('Serial No.,School,Room\nwb-1,Oak,"Rm 1, East"\nwb-2,Oak,"Rm 1, West"\n')
    result = init(tmp_path, "--technician", "1")
    assert "--technician 2: nobody has this id" in result.output

    with (tmp_path / "staff.csv").open("a") as staff:
        staff.write("2,Vo,Oak,(202) 555-0119,\n")
    result = init(tmp_path)
    assert "warning: are taken for different rooms" in result.output
    assert 'does not use: "Hired"' in result.output
    assert (result.exit_code, (tmp_path / "ours").is_dir()) == (0, True)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The example school with two mistakes."""
    shutil.copytree(CONFIG, tmp_path / "config")
    people = tmp_path / "config" / "people.csv"
    lines = people.read_text().splitlines()
    lines[1] = lines[1].replace("+1202555", "+1202")
    people.write_text("\n".join(lines) + "\n")
    main = tmp_path / "config" / "alertd.toml"
    main.write_text(main.read_text().replace("log_format", "log_fromat"))
    return tmp_path / "config"


def test_check_prints_all_problems_with_file_line_and_remedy_and_exits_4(broken):
    result = run("check", str(broken))

    assert result.exit_code == 4
    assert "people.csv:2:" in result.output
    assert "log_fromat" in result.output
    assert 'did you mean "log_format"?' in result.output
    assert "REFUSE it as a whole" in result.output


def test_check_finds_what_a_plugin_says_against_its_settings(tmp_path):
    shutil.copytree(CONFIG, tmp_path / "config")
    wiring = tmp_path / "config" / "channels.toml"
    wiring.write_text(wiring.read_text().replace("port = 1883", "prot = 1883"))
    result = run("check", str(tmp_path / "config"))

    assert result.exit_code == 4
    assert "sources.broker.prot" in result.output


def test_check_of_no_directory_is_a_problem_not_a_traceback(tmp_path):
    result = run("check", str(tmp_path / "nowhere"))

    assert result.exit_code == 4
    assert "is not a directory" in result.output


def test_check_as_json_is_for_programs(broken):
    import json

    result = run("check", str(broken), "--json")
    answer = json.loads(result.stdout)

    assert (result.exit_code, answer["usable"]) == (4, False)
    assert {"file", "line", "key", "message", "remedy"} <= set(answer["problems"][0])


# --- doctor


def test_doctor_works_while_the_daemon_is_down(tmp_path):
    result = run("doctor", str(CONFIG), "--json", ALERTD_STATE_DIR=str(tmp_path))
    import json

    found = {finding["what"]: finding for finding in json.loads(result.stdout)["findings"]}

    assert result.exit_code == 1
    assert found["daemon"]["level"] == "fail"
    assert str(tmp_path / "alertd.sock") in found["daemon"]["words"]
    assert found[f"store {tmp_path}/alertd.db"]["words"] == "does not exist yet"


def test_doctor_exits_4_when_the_configuration_is_invalid(broken, tmp_path):
    result = run("doctor", str(broken), ALERTD_STATE_DIR=str(tmp_path))

    assert result.exit_code == 4
    assert f"alertd check {broken}" in result.output.replace("\n", "")


# --- the process


def test_help_needs_nothing_heavy():
    """FastAPI, SQLAlchemy and the like would make every command slow to start."""
    heavy = ("fastapi", "uvicorn", "sqlalchemy", "aiohttp", "twilio", "paho", "pydantic", "alembic", "structlog")
    code = f"import sys, alertd.cli; print([m for m in {heavy!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_help_answers_within_half_a_second():
    """Of processor time: a busy machine is not the command's fault."""

    def once() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "alertd.cli", "--help"], capture_output=True, check=True)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    assert min(once() for _ in range(5)) < 0.5
