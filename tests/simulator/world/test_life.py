"""A life ends in the very call that the plan names, and whoever lives on inside a dead process reaches nothing."""

import pytest

from alertd_simulator.world.life import DeadError, Life, Trap, only_dead
from alertd_simulator.world.plan import Crash


class Witnessed:
    def __init__(self, *crashes):
        self.deaths: list[tuple[str, Crash | None]] = []
        self.acted = []
        self.life = Life(1, [Trap(crash) for crash in crashes], lambda why, crash: self.deaths.append((why, crash)))

    def call(self, port):
        with self.life.passing(port):
            self.acted.append(port)


def test_it_dies_before_the_nth_call_of_its_port_has_acted():
    seen = Witnessed(Crash(at_s=0, port="store.commit", nth=2, moment="before"))

    seen.call("store.commit")
    seen.call("store.claim")
    with pytest.raises(DeadError):
        seen.call("store.commit")

    assert seen.acted == ["store.commit", "store.claim"]
    assert [why for why, _ in seen.deaths] == ["store.commit 2 before"]


def test_during_means_that_it_acted_and_nobody_heard():
    seen = Witnessed(Crash(at_s=0, port="store.commit", moment="during"))

    with pytest.raises(DeadError):
        seen.call("store.commit")

    assert seen.acted == ["store.commit"]


def test_a_trap_springs_once():
    seen = Witnessed(Crash(at_s=0, port="mqtt.ack", nth=1))
    with pytest.raises(DeadError):
        seen.call("mqtt.ack")

    assert len(seen.deaths) == 1
    with pytest.raises(DeadError):
        seen.call("store.claim")
    assert len(seen.deaths) == 1, "the dead die once"


def test_the_dead_reach_no_port():
    seen = Witnessed()
    seen.life.die("killed")

    for port in ("store.begin", "mqtt.ack", "http.send"):
        with pytest.raises(DeadError):
            seen.call(port)
    assert seen.acted == []


def test_only_the_last_words_of_the_dead_are_forgiven():
    assert only_dead(DeadError("dead"))
    assert only_dead(BaseExceptionGroup("tasks", [DeadError("a"), BaseExceptionGroup("more", [DeadError("b")])]))
    assert not only_dead(RuntimeError("a bug"))
    assert not only_dead(BaseExceptionGroup("tasks", [DeadError("a"), RuntimeError("a bug")]))
