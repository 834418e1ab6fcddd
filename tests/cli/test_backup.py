"""`alertd backup`, `restore` and `verify FILE` as they are typed, and what the daemon is told of a night's work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alertd.console import examination
from alertd.model.decision import Decision
from alertd.model.notification import Kind
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract import World
from alertd.testing.store_values import first_wave, incident

OURS = ("--config", str(Path(__file__).resolve().parents[2] / "config"))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The running daemon's store, where the configuration says that it is."""
    monkeypatch.setenv("ALERTD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ALERTD_SPARE_DIR", str(tmp_path / "spare"))
    world = World(lambda: SqliteStore(tmp_path / "state" / "alertd.db", ballast_bytes=0))
    world.commit(first_wave())
    yield world
    world.close()


@pytest.mark.slow
def test_a_backup_of_the_running_store_is_made_proven_and_brought_back(shell, database, tmp_path):
    (tmp_path / "copies").mkdir()
    said = shell.run(*OURS, "backup", str(tmp_path / "copies"))
    assert said.code == 0
    assert "1 incidents (1 open)" in said.out
    assert "Proven: its pages are sound, and every journal chain is unbroken." in said.out
    (copy,) = (tmp_path / "copies").glob("*.db")

    assert "Proven" in shell.run("verify", str(copy)).out
    assert shell.run("verify", str(copy), "--json").json["heads"]["oak"] > 0

    refused = shell.run(*OURS, "restore", str(copy), "--yes")
    assert refused.code == 1
    assert "systemctl stop alertd" in refused.err

    database.commit(first_wave(2, token="18"))
    database.close()
    asked = shell.run(*OURS, "restore", str(copy), typed="yes\n")
    assert asked.code == 1
    assert "1 incidents that were" in " ".join(asked.out.split())
    assert incident(2, token="18").headline in asked.out
    assert "1 incidents were OPEN in the copy" in asked.out
    assert "Nothing was changed." in asked.err

    done = shell.run(*OURS, "restore", str(copy), typed="RESTORE\n")
    assert done.code == 0
    assert "What was there is kept:" in done.out
    database.restart()
    assert len(database.store.read_incidents(open_only=False, site_id=None, limit=9)) == 1


@pytest.mark.slow
def test_before_a_restore_it_is_said_which_incidents_begin_again(shell, database, tmp_path):
    """People would be texted of something that is long over."""
    copy = str(tmp_path / "copy.db")
    database.commit(first_wave(2, token="18"))
    assert shell.run(*OURS, "backup", copy).code == 0
    again = "of these are closed today, and would be open again."
    database.store.close()
    assert again not in shell.run(*OURS, "restore", copy, typed="no\n").out

    database.store.open("again", database.clock)
    database.commit(Decision(incidents=(incident(1, closed_us=database.clock.wall_us),)))
    database.store.close()
    assert f"1 {again}" in shell.run(*OURS, "restore", copy, typed="no\n").out


def test_a_torn_file_is_refused_by_name(shell, database, tmp_path):
    copy = tmp_path / "copy.db"
    assert shell.run(*OURS, "backup", str(copy)).code == 0
    copy.write_bytes(copy.read_bytes()[:5000])
    for order in (("verify", str(copy)), ("restore", str(copy), "--yes")):
        said = shell.run(*OURS, *order)
        assert said.code == 1
        if order[0] == "verify":
            assert "copy.db.sha256. Take another copy." in " ".join(said.err.split())


def test_a_night_that_failed_is_a_trouble_until_a_good_one(shell, daemon, database, tmp_path):
    said = shell.run(*OURS, "backup", str(tmp_path / "nowhere" / "copy.db"), "--report")
    assert said.code == 1
    (trouble,) = daemon.read_troubles()
    assert trouble.key == "nightly:backup"
    assert trouble.summary.startswith("the nightly backup failed: ")
    assert trouble.rings is False

    assert shell.run(*OURS, "backup", str(tmp_path / "copy.db"), "--report").code == 0
    assert daemon.read_troubles() == ()
    assert daemon.observed == ["nightly.backup_failed", "nightly.backup_good"]


def test_a_daemon_that_is_down_turns_no_good_backup_into_a_failure(database, tmp_path):
    from tests.cli.conftest import Shell

    said = Shell(tmp_path / "nobody.sock").run(*OURS, "backup", str(tmp_path / "copy.db"), "--report")
    assert said.code == 0
    assert "The daemon was not told how it went: no daemon is running here" in said.err


def test_the_self_test_tells_what_failed(shell, daemon, database, tmp_path):
    said = shell.run("doctor", str(tmp_path / "no-configuration"), "--report")
    assert said.code == 4
    (trouble,) = daemon.read_troubles()
    assert trouble.key == "nightly:self-test"
    assert "configuration" in trouble.summary


def test_what_fails_tonight_is_told_though_something_else_failed_last_night(shell, daemon, monkeypatch):
    failures = iter(("broker of source east: does not answer", "channel sms: does not let us in"))
    monkeypatch.setattr(examination, "examine", lambda *_: iter(()))
    monkeypatch.setattr(examination, "summary", lambda _findings: next(failures))
    for _ in range(2):
        shell.run("doctor", OURS[1], "--report")

    texts = [row.notification.text for row in daemon._rows() if row.notification.kind is Kind.TROUBLE]
    assert "does not answer" in texts[0]
    assert "channel sms: does not let us in" in texts[-1]
    (trouble,) = daemon.read_troubles()
    assert trouble.summary == "the nightly self-test failed: channel sms: does not let us in"


def test_of_postgresql_it_says_which_tool_to_use(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("ALERTD_STORE_URL", "postgresql://alertd@db.example/alertd")
    for order in (("backup", str(tmp_path)), ("restore", str(tmp_path / "x.db"))):
        said = shell.run(*OURS, *order)
        assert said.code == 1
        assert "pg_dump --format=custom --file=alertd.dump 'postgresql://alertd@db.example/alertd'" in said.err
        assert "pg_restore --clean --if-exists --single-transaction" in said.err


def test_a_configuration_that_cannot_be_read_names_no_database(shell, tmp_path):
    """Else the defaults' database would be copied, or worse, replaced."""
    (tmp_path / "alertd.toml").write_text("[daemon\n")
    for directory in (tmp_path, tmp_path / "nowhere"):
        said = shell.run("--config", str(directory), "restore", str(tmp_path / "x.db"), "--yes")
        assert said.code == 4
        assert "Name the configuration with: alertd --config DIR" in said.err
