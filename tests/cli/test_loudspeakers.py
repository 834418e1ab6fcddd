"""`alertd say` and `alertd pa stop`, over a real socket."""

import pytest

from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Failed
from tests.engine.play import Play
from tests.engine.test_announcing import school


@pytest.fixture
def oak(daemon):
    daemon.school = school()
    daemon.sites = {site_id: Play(daemon.school, site_id) for site_id in daemon.school.sites}
    return daemon.oak


def test_words_are_said_and_where(shell, oak):
    said = shell.run("say", "oak", "--zone", "gym", "Practice is over.", "--by", "ruiz", "--wait", "0")

    assert said.code == 0
    assert "Practice is over." in said.out
    assert "loudspeakers gym" in said.out
    assert [row.notification.kind for row in oak.rows.values()] == [Kind.PAGE]


def test_words_over_a_lockdown_are_refused_with_the_way_out(shell, oak):
    oak.press()
    said = shell.run("say", "oak", "Buses are late.", "--by", "ruiz")

    assert said.code == 1
    assert "LOCKDOWN 10:42 is open" in said.err
    assert "--emergency" in said.err


def test_quiet_says_what_it_did_not_change(shell, oak):
    oak.press()
    said = shell.run("pa", "stop", "oak", "--name", "Officer Hale", "--wait", "0")

    assert said.code == 0
    assert "Nothing else has changed" in said.out
    assert oak.incident.announcing.ended


def test_orders_without_a_name_are_not_understood(shell, oak):
    for order in (("say", "oak", "Buses are late."), ("pa", "stop", "oak")):
        said = shell.run(*order)

        assert (said.code, "--by PERSON" in said.err) == (2, True)
    assert not oak.rows


def test_words_that_no_loudspeaker_took_exit_1(shell, oak, daemon):
    """Whoever speaks must not go away believing that it was said."""

    def fail() -> None:
        for row in tuple(oak.rows.values()):
            if row.state is NotificationState.QUEUED:
                oak.outcome(oak.claim(row), Failed(permanent=True, code="no_pacer", detail="the pacer is dead"))

    daemon.after_commit = fail
    said = shell.run("say", "oak", "Buses are late.", "--by", "ruiz")

    assert said.code == 1
    assert "it did not get there" in said.out
