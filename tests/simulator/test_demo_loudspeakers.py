"""The demo's ear knows a recording again, and takes nothing else for it."""

import tomllib

import pytest

from alertd_simulator.demo_loudspeakers import Room, known_recordings
from alertd_simulator.demo_school import WIRING, Endpoints, Keys, find_example
from alertd_simulator.demo_wiring import PaZone, is_made_up, pa_zones, point, recordings, unknown
from alertd_simulator.loudspeaker import SAMPLES_PER_S, Spoken, decode
from alertd_simulator.recorded_words import RecordingError, find, learnt

pytestmark = pytest.mark.slow

EXAMPLE = find_example()
LOCKDOWN, DRILL = "Lockdown! Locks, lights, out of sight.", "This is a drill."
VALUES = sorted(set(decode(bytes(range(256)))))


@pytest.fixture(scope="module")
def known():
    wiring = tomllib.loads((EXAMPLE / WIRING).read_text())
    return {each.words: each for each in known_recordings(EXAMPLE, recordings(wiring))}


def coarse(samples) -> list[int]:
    """About as µ-law leaves it: to the nearest sixteenth."""
    return [round(sample / 16) * 16 + sample % 7 for sample in samples]


def said(*parts) -> list[int]:
    heard: list[int] = [0] * 2_417
    for part in parts:
        heard += [*coarse(part), *[0] * 5_603]
    return heard


def test_the_example_has_a_recording_of_everything_that_it_says(known):
    assert set(known) == {
        LOCKDOWN, DRILL, "This is a test.", "This is not a drill. The drill is over.",
        "Lockdown drill. Locks, lights, out of sight.", "Hold in your room or area. Clear the halls.",
    }  # fmt: skip


def test_it_is_known_again_wherever_it_stands_and_however_loud(known):
    quiet = [sample // 3 for sample in known[LOCKDOWN].samples]
    heard = said(known[DRILL].samples, quiet)

    found = find(heard, list(known.values()))

    assert [each.words for each in found] == [DRILL, LOCKDOWN]
    assert found[0].at_s == pytest.approx(2_417 / SAMPLES_PER_S, abs=0.0002)


@pytest.mark.parametrize("spoil", ["half", "backwards", "drill words"])
def test_nothing_else_is_taken_for_it(known, spoil):
    samples = list(known[LOCKDOWN].samples)
    spoilt = {
        "half": samples[: len(samples) * 2 // 3],
        "backwards": samples[::-1],
        "drill words": list(known["Lockdown drill. Locks, lights, out of sight."].samples),
    }[spoil]

    assert find(said(spoilt), [known[LOCKDOWN]]) == []


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "song.wav").write_bytes(b"ID3 an mp3")
    with pytest.raises(RecordingError, match=r"song\.wav"):
        learnt("la", tmp_path / "song.wav")


# --- a room ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def room(known, monkeypatch) -> Room:
    monkeypatch.setattr("alertd_simulator.demo_loudspeakers.time.time", lambda: 10_000.0)
    return Room(PaZone(name="oak-all", groups=()), [known[DRILL], known[LOCKDOWN]])


def piece(samples, *, since_s: float, emergency: bool = False, source: int = 1) -> Spoken:
    until_s = since_s + len(samples) / SAMPLES_PER_S
    return Spoken(
        since_s=since_s, until_s=until_s, source=source, packets=len(samples) // 160, samples=list(samples),
        emergency=emergency,
    )  # fmt: skip


async def test_an_announcement_in_pieces_is_one_and_is_understood(room):
    """A stalled sender marks the next packet as a beginning."""
    heard = said(room._known[1].samples)
    first, second = heard[:16_000], heard[16_000:]
    room.speaker.spoken += [piece(first, since_s=100.0), piece(second, since_s=102.06)]

    await room.look()

    assert [(each.words, each.ended) for each in room.heard] == [("", False), (LOCKDOWN, False), ("", True)]


async def test_what_an_emergency_cuts_has_ended_where_it_was_cut(room):
    drill = said(room._known[0].samples)
    room.speaker.spoken += [
        piece(drill, since_s=100.0),
        piece(said(room._known[1].samples), since_s=100.0 + len(drill) / SAMPLES_PER_S, emergency=True, source=2),
    ]

    await room.look()

    ends = [each for each in room.heard if each.ended]
    assert [(each.number, each.words) for each in room.heard if each.words] == [(0, DRILL), (1, LOCKDOWN)]
    assert ends[0].at_us == pytest.approx(100e6 + len(drill) / SAMPLES_PER_S * 1e6, abs=2)


# --- the wiring -----------------------------------------------------------------------------------------------------

ENDPOINTS = Endpoints(mqtt_port=18830, carrier_url="http://127.0.0.1:18831", dispatch_url="http://127.0.0.1:18832")


def test_loudspeakers_are_moved_to_loopback_and_to_ports_of_their_own():
    wiring = tomllib.loads((EXAMPLE / WIRING).read_text())
    before = pa_zones(wiring)

    values = point(wiring, ENDPOINTS, Keys.made_up())

    after = pa_zones(wiring)
    assert wiring["channels"]["pa"]["interface"] == "127.0.0.1"
    assert [[host for host, _ in zone.groups] for zone in after] == [[host for host, _ in z.groups] for z in before]
    ports = [port for zone in after for _, port in (*zone.groups, *zone.emergency_groups)]
    assert len(set(ports)) == len(ports) == 4
    assert all(port % 2 == 0 for port in ports)
    assert values
    assert all(is_made_up(value) for value in values.values())


def test_a_live_secret_is_not_taken_for_a_made_up_one():
    keys = Keys.made_up()
    assert not is_made_up("AC" + "4" * 32)
    assert not is_made_up("whsec_" + "M" * 43 + "=")
    assert not is_made_up("")
    assert keys != Keys.made_up()


def test_a_plugin_without_an_actor_is_named():
    wiring = tomllib.loads((EXAMPLE / WIRING).read_text())
    assert unknown(wiring) == []
    wiring["channels"]["pager"] = {"plugin": "pager_tap"}
    assert unknown(wiring) == ["channels.pager (plugin pager_tap)"]
