"""Sparkplug B: a press is a number until a birth says what it stands for; none is lost for want of its name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.events import Signal
from alertd.model.registry import Registry
from alertd.ports import API_VERSION, DecodeError, SettingsError, Surroundings, UncoveredError
from alertd_adapters.decoders.mapping import plugin
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.sparkplug import SparkplugDecoder
from alertd_adapters.decoders.sparkplug.nodes import UNDONE_MAX, WAITING_MAX, Nodes
from alertd_adapters.decoders.sparkplug.wire import BOOLEAN, METRICS_MAX, Metric, Payload, read, rebirth, write
from tests.adapters.decoders.sparkplug.edge import DEVICE_ID, NODE_ID, NOW_MS, ROW, STRIP, Edge


class Watch:
    """Our own clock: goes by the edge's, and `slow_ms` behind it."""

    def __init__(self, edge: Edge) -> None:
        self.edge, self.slow_ms = edge, 0

    def now(self) -> Now:
        now_us = (self.edge.now_ms - self.slow_ms) * 1_000
        return Now(wall_us=now_us, boot_us=now_us, boot_id="b")


def a_decoder(
    *rows: str, registry: Registry | None = None, clock: Watch | None = None, **options: Any
) -> SparkplugDecoder:
    known = registry or registry_of(rows or (ROW,), "sparkplug-inputs")
    surroundings = Surroundings(clock=clock, http=None, secret=str, registry=lambda: known)  # type: ignore[arg-type]
    built = plugin.build_within({"source": "sparkplug-b", **options}, surroundings)
    assert isinstance(built, SparkplugDecoder)
    return built


def born(edge: Edge, *rows: str, pressed: bool = False, **options: Any) -> SparkplugDecoder:
    decoder = a_decoder(*rows, **options)
    for message in (edge.node_birth(), edge.birth(pressed=pressed)):
        assert decoder.decode(*message) == (), "a birth is a state, and no press"
    return decoder


def refusal(decoder: SparkplugDecoder, edge: Edge) -> str:
    """Of a press that is said by its number; "": it was not refused."""
    try:
        decoder.decode(*edge.data())
    except DecodeError as error:
        return str(error)
    return ""


def test_a_number_is_a_press_because_the_birth_said_its_name():
    edge = Edge()
    (signal,) = born(edge).decode(*edge.data())

    assert (signal.device_id, signal.action, signal.late) == (ROW, "press", False)
    assert signal.pressed_us == (NOW_MS + 3_000) * 1_000, "the metric's own time"
    assert signal.cause is not None


def test_letting_go_a_lamp_and_a_strangers_button_are_no_press():
    edge = Edge()
    decoder = born(edge)

    assert decoder.decode(*edge.data(pressed=False)) == ()
    assert decoder.decode(*edge.data(alias=9)) == ()
    stranger = edge.data()
    with pytest.raises(UncoveredError):
        decoder.decode(stranger[0].replace(DEVICE_ID, "pump"), stranger[1])


def test_each_input_may_be_a_button_with_a_row_of_its_own():
    edge = Edge()
    decoder = born(edge, f"{ROW}:Inputs:A", f"{ROW}:Inputs:Strip")

    (strip,) = decoder.decode(*edge.data())
    (other,) = decoder.decode(*edge.data(alias=1))
    assert [strip.device_id, other.device_id] == [f"{ROW}:Inputs:Strip", f"{ROW}:Inputs:A"]


def test_the_same_message_twice_is_one_press():
    edge = Edge()
    decoder = born(edge, rebirth=True)
    message = edge.data()

    (first,), (copy,) = decoder.decode(*message), decoder.decode(*message)
    (again,) = decoder.decode(*edge.data())
    assert first.cause == copy.cause
    assert again.cause != first.cause
    assert decoder.questions() == (), "a copy is no gap"


class Unset(Edge):
    """Its clock was never set."""

    def _metric(self, **fields):
        return Metric(timestamp=0, **fields)


def test_promise_2_presses_of_a_clock_that_was_never_set_are_not_one():
    edge = Unset()
    decoder = born(edge)
    (first,) = decoder.decode(*edge.data())
    decoder.decode(*edge.data(pressed=False))
    (second,) = decoder.decode(*edge.data())

    assert first.cause is None or first.cause != second.cause, "promise 2: the second press is taken for a copy"


# --- births that were missed -----------------------------------------------------------------------------------------


def test_a_press_before_its_birth_is_refused_then_read():
    """After a restart of alertd nobody has said yet what number 5 is."""
    edge = Edge()
    decoder = a_decoder(rebirth=True)

    assert "no birth has named" in refusal(decoder, edge), "promise 1: it may be a press, and no trouble says so"
    (question,) = decoder.questions()
    (asked,) = read(question.payload).metrics
    assert (question.topic, asked.name, asked.value) == (f"spBv1.0/oak/NCMD/{NODE_ID}", "Node Control/Rebirth", True)
    assert decoder.questions() == ()

    assert decoder.decode(*edge.node_birth()) == ()
    signals = decoder.decode(*edge.birth(pressed=True))
    assert len(signals) == 1, "promise 1: a press that came before its birth is lost"
    (signal,) = signals
    assert signal.pressed_us == (NOW_MS + 1_000) * 1_000, "promise 1: a press that came before its birth is lost"
    assert (signal.device_id, signal.action, signal.late) == (ROW, "press", False)


def test_nobody_is_asked_unless_the_configuration_says_so():
    decoder = a_decoder()
    with pytest.raises(DecodeError):
        decoder.decode(*Edge().data())
    assert decoder.questions() == ()


def test_a_silent_node_is_asked_again_but_not_at_each_message():
    edge, decoder, asked = Edge(), a_decoder(rebirth=True), 0
    for _ in range(60):
        with pytest.raises(DecodeError):
            decoder.decode(*edge.data())
        asked += len(decoder.questions())
    assert asked == 3


def test_a_press_that_was_lost_shows_in_the_next_birth():
    """QoS 0 lost it; the gap in the sequence is noticed, and the birth says that the strip is pulled."""
    edge = Edge()
    decoder = born(edge, rebirth=True)
    edge.data()  # never arrives
    assert decoder.decode(*edge.named("Outputs/Lamp", False)) == ()
    assert [question.topic for question in decoder.questions()] == [f"spBv1.0/oak/NCMD/{NODE_ID}"]

    decoder.decode(*edge.node_birth())
    (signal,) = decoder.decode(*edge.birth(pressed=True))
    assert (signal.action, signal.late, signal.pressed_us) == ("press", True, None), "nobody knows when"
    assert decoder.decode(*edge.birth(pressed=True)) == (), "said once"


def test_a_button_that_hung_when_we_first_heard_of_it_is_looked_at_once():
    edge, decoder = Edge(), a_decoder()
    decoder.decode(*edge.node_birth())
    (signal,) = decoder.decode(*edge.birth(pressed=True))
    assert signal.standing, "a birth is a state, and no press"
    assert (signal.device_id, signal.action) == (ROW, "press"), "the lamp is no button"
    assert decoder.decode(*edge.birth(pressed=True)) == ()


def lost(edge: Edge) -> tuple[str, bytes]:
    """Something of the node never comes; what comes next shows it."""
    edge.data(pressed=False)
    return edge.named("Outputs/Lamp", False)


AWAY = {
    "a message was lost": lambda edge: [lost(edge), edge.node_birth()],
    "the device died": lambda edge: [edge.death(), edge.node_birth()],
    "the node died": lambda edge: [edge.node_death(), edge.node_birth()],
    "the node was away, and its will was lost": lambda edge: [edge.node_birth()],
}


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("before", ["let go", "pressed"])
def test_promise_2_what_may_have_been_pressed_while_nobody_heard_is_not_passed_over(away, before):
    edge = Edge()
    decoder = born(edge)
    if before == "pressed":
        decoder.decode(*edge.data())
    if away is AWAY["the node was away, and its will was lost"]:
        edge.bd_seq += 1
    for message in away(edge):
        decoder.decode(*message)

    signals = decoder.decode(*edge.birth(pressed=True))
    assert [(each.late, each.standing) for each in signals] == [(before == "let go", before == "pressed")], (
        "promise 2: it was pressed while nobody heard, or may have been let go and pressed again"
    )


def heard_until_now(*, data: bool = True) -> tuple[Edge, Watch, SparkplugDecoder]:
    """An hour of quiet reports after the births, and with `data` one right now."""
    edge = Edge()
    watch = Watch(edge)
    decoder = born(edge, clock=watch)
    edge.now_ms += 3_600_000
    if data:
        decoder.decode(*edge.named("Inputs/Temperature", 21, 3))
    return edge, watch, decoder


def told_by_a_birth(edge: Edge, decoder: SparkplugDecoder) -> Signal:
    decoder.decode(*edge.node_birth())
    (signal,) = decoder.decode(*edge.birth(pressed=True))
    assert (signal.late, signal.pressed_us) == (True, None)
    return signal


@pytest.mark.parametrize("bd_seq", [7, 8], ids=["the same session", "another"])
def test_a_press_that_a_birth_tells_of_is_no_older_than_what_was_heard_of_its_device_last(bd_seq: int):
    edge, _, decoder = heard_until_now()
    edge.now_ms += 12_000
    decoder.decode(*edge.node_death())
    edge.bd_seq = bd_seq

    assert told_by_a_birth(edge, decoder).at_most_us == 14_000_000, "the strip was let go 14 s ago, and that was heard"


def test_what_came_after_something_was_lost_does_not_vouch_for_what_was_before_it():
    edge, _, decoder = heard_until_now()
    edge.data()  # never arrives
    edge.now_ms += 600_000
    decoder.decode(*edge.named("Inputs/Temperature", 21, 3))

    assert told_by_a_birth(edge, decoder).at_most_us == 604_000_000, "older than its device's last word"


def test_what_is_said_between_the_births_of_a_node_and_its_device_vouches_for_nothing():
    edge, _, decoder = heard_until_now()
    decoder.decode(*edge.node_birth())
    edge.now_ms += 600_000
    decoder.decode(*edge.named("Inputs/Temperature", 21, 3))

    (signal,) = decoder.decode(*edge.birth(pressed=True))
    assert signal.at_most_us == 603_000_000


@pytest.mark.parametrize(
    ("ours_ms", "its_ms", "at_most_us"),
    [
        (2_000, 3_600_000, 3_602_000_000),  # what it said before had waited at the broker, and came an hour late
        (3_600_000, 2_000, 3_602_000_000),  # its clock stood still while it had no power
        (3_600_000, -600_000, None),  # it has a clock that went back
    ],
)
def test_of_two_clocks_the_one_that_saw_more_time_pass_is_believed(ours_ms, its_ms, at_most_us):
    edge, watch, decoder = heard_until_now()
    edge.now_ms += its_ms
    watch.slow_ms += its_ms - ours_ms

    assert told_by_a_birth(edge, decoder).at_most_us == at_most_us, "the one that saw more time pass"


def test_without_a_clock_or_without_numbers_nobody_knows_how_old_it_is():
    edge = Edge()
    assert told_by_a_birth(edge, born(edge)).at_most_us is None

    edge, _, decoder = heard_until_now(data=False)
    topic, payload = edge.named("Inputs/Temperature", 21, 3)
    decoder.decode(topic, write(replace(read(payload), seq=None)))
    edge.seq -= 1
    assert told_by_a_birth(edge, decoder).at_most_us == 3_603_000_000, "whether something was lost, nobody has counted"


def test_a_press_that_a_birth_tells_of_is_as_old_when_its_commit_fails_and_it_comes_again():
    edge, _, decoder = heard_until_now()
    decoder.decode(*edge.node_birth())
    birth = edge.birth(pressed=True)
    (signal,) = decoder.decode(*birth)
    decoder.unlearn()()
    edge.now_ms += 5_000
    (again,) = decoder.decode(*birth)
    assert (signal.at_most_us, again.at_most_us) == (2_000_000, 7_000_000)


def test_a_birth_that_is_said_again_and_has_lost_nothing_says_nothing_new():
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.data())
    decoder.decode(*edge.node_birth())
    assert decoder.decode(*edge.birth(pressed=True)) == ()


def test_what_was_stored_says_nothing_of_now():
    """A strip was pulled yesterday, and is not now. It is pulled again, and that is lost: the birth tells."""
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.data(historical=True))
    edge.data()  # never arrives
    decoder.decode(*edge.node_birth())
    signals = decoder.decode(*edge.birth(pressed=True))
    assert [each.late for each in signals] == [True], (
        "promise 2: a press that was lost was taken for the one that was stored"
    )


def test_what_was_stored_and_waited_for_its_name_says_nothing_of_now():
    edge, decoder = Edge(), a_decoder()
    with pytest.raises(DecodeError):
        decoder.decode(*edge.data(historical=True))
    decoder.decode(*edge.node_birth())
    assert [each.late for each in decoder.decode(*edge.birth())] == [True], "only the stored one"
    edge.data()  # never arrives
    decoder.decode(*edge.node_birth())
    assert [each.late for each in decoder.decode(*edge.birth(pressed=True))] == [True]


def test_what_has_no_name_yet_is_said_beside_a_press_that_has():
    """If its birth never comes, nobody would ever know that there was something."""
    edge = Edge()
    decoder = born(edge)
    both = Payload(timestamp=NOW_MS, seq=2, metrics=(Metric(alias=STRIP, value=True), Metric(alias=77, value=True)))
    understood = decoder.understand(f"spBv1.0/oak/DDATA/{NODE_ID}/{DEVICE_ID}", write(both))
    assert [each.action for each in understood.signals] == ["press"]
    assert "1 values have numbers that no birth has named yet" in understood.unread, "promise 1: it may be a press"


def test_what_was_stored_while_nobody_listened_is_late():
    edge = Edge()
    (signal,) = born(edge).decode(*edge.data(historical=True))
    assert signal.late


def test_what_waits_is_bounded_and_the_newest_stays():
    edge, decoder = Edge(), a_decoder()
    for number in range(WAITING_MAX + 10):
        with pytest.raises(DecodeError):
            decoder.decode(*edge.data(pressed=number % 2 == 1))
    decoder.decode(*edge.node_birth())
    signals = decoder.decode(*edge.birth())
    assert len(signals) == WAITING_MAX // 2


@pytest.mark.parametrize(("first", "last", "pressed"), [(1, WAITING_MAX, 0), (WAITING_MAX, 1, 1)])
def test_the_oldest_that_waits_goes_first(first, last, pressed):
    """So many say one thing, then so many the other, the last of them pressed or the first."""
    edge, decoder = Edge(), a_decoder()
    for number in range(first + last):
        is_pressed = number < first if not pressed else number >= first
        with pytest.raises(DecodeError):
            decoder.decode(*edge.data(pressed=is_pressed))
    decoder.decode(*edge.node_birth())
    assert len(decoder.decode(*edge.birth())) == pressed


def test_numbers_of_a_device_mean_nothing_between_its_nodes_birth_and_its_own():
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.node_birth())
    assert refusal(decoder, edge), "the new session may have given the number to something else"


def test_a_node_that_died_and_speaks_without_a_birth_is_asked_for_it():
    """What carries its name can be read; what the node is besides, nobody knows."""
    edge = Edge()
    decoder = born(edge, rebirth=True)
    decoder.decode(*edge.node_death())
    assert decoder.questions() == ()
    assert len(decoder.decode(*edge.named("Inputs/Strip", True, BOOLEAN))) == 1
    assert len(decoder.questions()) == 1


def test_a_node_that_died_unread_is_asked_at_once_when_it_speaks_again():
    """Its buttons are deaf until its birth comes, and it was not asked in this session."""
    edge, decoder = Edge(), a_decoder(rebirth=True)
    for asked in (1, 0):
        assert refusal(decoder, edge)
        assert len(decoder.questions()) == asked
    decoder.decode(*edge.node_death())
    assert refusal(decoder, edge)
    assert len(decoder.questions()) == 1, "asked again only after twenty presses that nobody could read"


@pytest.mark.parametrize(("own", "value"), [(1, -1), (None, 255)])
def test_a_number_is_read_by_the_type_that_its_metric_says_and_else_by_the_births(own: int | None, value: int):
    """A threshold on a temperature of minus one must not see 255."""
    nodes = Nodes(lambda: registry_of([ROW], "sparkplug-inputs"), with_group=False)
    birth = Metric(name="Temperature", alias=4, datatype=3, value=0)
    nodes.open("DBIRTH", "oak", NODE_ID, DEVICE_ID, Payload(timestamp=NOW_MS, seq=0, metrics=(birth,)))
    said = Metric(alias=4, datatype=own, value=255)
    opened = nodes.open("DDATA", "oak", NODE_ID, DEVICE_ID, Payload(timestamp=NOW_MS, seq=1, metrics=(said,)))
    assert [(each.name, each.value) for each in opened.metrics] == [("Temperature", value)], "read by another type"


def test_a_stored_press_that_waited_does_not_answer_for_a_button_that_hangs_now():
    edge, decoder = Edge(), a_decoder()
    with pytest.raises(DecodeError):
        decoder.decode(*edge.data(historical=True))
    decoder.decode(*edge.node_birth())
    signals = decoder.decode(*edge.birth(pressed=True))
    assert [(each.late, each.standing) for each in signals] == [(True, False), (False, True)]


# --- deaths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("death", [Edge.death, Edge.node_death])
def test_after_a_death_numbers_mean_nothing_until_the_next_birth(death):
    edge = Edge()
    decoder = born(edge)
    (reading,) = decoder.read(*death(edge))
    assert reading.event == "offline"
    with pytest.raises(DecodeError):
        decoder.decode(*edge.data())


def test_the_will_of_a_session_that_is_over_kills_nobody():
    edge = Edge(bd_seq=8)
    decoder = born(edge)
    (reading,) = decoder.read(*edge.node_death(7))
    assert reading.event == "other", "a will of another session killed the node"
    assert len(decoder.decode(*edge.data())) == 1


def test_what_waited_for_another_life_is_not_given_a_name_of_this_one():
    """Number 5 was the lamp then."""
    edge, decoder = Edge(), a_decoder()
    decoder.decode(*edge.node_birth())
    with pytest.raises(DecodeError):
        decoder.decode(*edge.data())
    edge.bd_seq = 8
    decoder.decode(*edge.node_birth())
    assert decoder.decode(*edge.birth()) == ()


def test_a_value_of_another_kind_than_the_birth_declares_is_not_its():
    edge, decoder = Edge(), a_decoder()
    payload = Payload(timestamp=NOW_MS, seq=0, metrics=(Metric(alias=5, value=1),))
    with pytest.raises(DecodeError):
        decoder.decode(f"spBv1.0/oak/DDATA/{ROW.replace(':', '/')}", write(payload))
    decoder.decode(*edge.node_birth())
    seen: list[str] = []
    readings = decoder.read(*edge.birth(), lambda what, found: seen.append(found) if what == "metric" else None)
    assert (seen, [reading.event for reading in readings]) == ([], ["online"]), "its number was given to something else"


# --- the rest --------------------------------------------------------------------------------------------------------


def test_two_groups_that_name_a_node_alike_can_be_told_apart():
    oak, elm = Edge(group="oak"), Edge(group="elm")
    decoder = a_decoder(f"oak:{ROW}", f"elm:{ROW}", group=True)
    for edge in (oak, elm):
        decoder.decode(*edge.node_birth())
        decoder.decode(*edge.birth())
    assert [decoder.decode(*edge.data())[0].device_id for edge in (oak, elm)] == [f"oak:{ROW}", f"elm:{ROW}"]


@pytest.mark.parametrize(
    ("topic", "payload", "events"),
    [
        (f"spBv1.0/oak/NCMD/{NODE_ID}", rebirth(NOW_MS), []),
        (f"spBv1.0/oak/DCMD/{NODE_ID}/{DEVICE_ID}", rebirth(NOW_MS), []),
        ("STATE/scada1", b"OFFLINE", ["offline"]),
        ("spBv1.0/STATE/scada1", b'{"online": true, "timestamp": 1}', ["online"]),
    ],
)
def test_what_is_no_device_is_no_press(topic, payload, events):
    assert [reading.event for reading in a_decoder().read(topic, payload)] == events


def test_signed_numbers_come_as_they_were_meant():
    assert [each.value for each in read(write(Payload(metrics=(Metric(name="a", datatype=2, value=-3),)))).metrics] == [
        (1 << 32) - 3
    ]
    edge = Edge()
    seen: list[str] = []
    born(edge).read(
        *edge.named("Temperature", -3, 2), lambda what, found: seen.append(found) if what == "metric" else None
    )
    assert seen == ["Temperature = -3"]


@pytest.mark.parametrize("data", [b"\x12\x03\x0a\x01\xff", b"\x12\x03\x7a\x01\xff"], ids=["name", "value"])
def test_a_text_that_is_none_is_refused(data):
    """Found by fuzzing: protobuf gives bytes where a text should be."""
    with pytest.raises(DecodeError, match="not UTF-8"):
        read(data)


def test_a_payload_of_too_many_metrics_is_refused():
    with pytest.raises(DecodeError, match="metrics, more than"):
        read(write(Payload(metrics=(Metric(name="a", value=1),) * (METRICS_MAX + 1))))


@pytest.mark.parametrize(("settings", "key"), [({"rebirth": 1}, "rebirth"), ({"bases": "x"}, "bases")])
def test_a_wrong_option_is_named(settings, key):
    with pytest.raises(SettingsError) as error:
        a_decoder(**settings)
    assert error.value.key == key


def test_other_sources_know_no_rebirth():
    with pytest.raises(SettingsError, match="source, base"):
        plugin.build({"source": "shelly", "rebirth": True})
    assert plugin.api_version == API_VERSION


@given(st.binary(max_size=200), st.sampled_from(["NBIRTH", "DBIRTH", "DDATA", "NDATA", "DDEATH", "NDEATH", "NCMD"]))
def test_no_bytes_do_more_than_be_refused(data, kind):
    below = f"/{DEVICE_ID}" if kind.startswith("D") else ""
    decoder = a_decoder()
    try:
        signals = decoder.decode(f"spBv1.0/oak/{kind}/{NODE_ID}{below}", data)
    except DecodeError:
        signals = ()
    assert signals == ()


# --- what no commit has taken ---------------------------------------------------------------------------------------

PROMISE_1 = "promise 1: the broker delivers again what was not committed, and it must mean the same"


def test_a_press_that_only_a_birth_tells_of_is_told_by_the_birth_that_comes_again():
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.node_death())
    again = (edge.node_birth(), edge.birth(pressed=True))
    decoder.decode(*again[0])
    (signal,) = decoder.decode(*again[1])
    decoder.unlearn()()

    assert [each.action for each in decoder.decode(*again[1])] == [signal.action], PROMISE_1


def test_what_waited_for_its_birth_waits_again_if_no_commit_took_the_birth():
    edge = Edge()
    decoder = a_decoder()
    births = (edge.node_birth(), edge.birth())
    press = edge.data()
    assert refusal_of(decoder, press)
    decoder.decode(*births[0])
    forget = [decoder.unlearn()]
    (signal,) = decoder.decode(*births[1])
    forget.append(decoder.unlearn())
    for each in forget:
        each()

    assert refusal_of(decoder, press), "no birth has named it"
    decoder.decode(*births[0])
    assert {each.cause for each in decoder.decode(*births[1])} == {signal.cause}, PROMISE_1


def test_the_names_that_a_birth_gave_are_not_believed_if_no_commit_took_it():
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.birth(alias=STRIP + 7))
    decoder.unlearn()()

    (signal,) = decoder.decode(*edge.data())
    assert signal.action == "press"


def test_one_that_cannot_be_read_takes_nothing_back_with_it():
    edge = Edge()
    decoder = born(edge)
    with pytest.raises(DecodeError):
        decoder.decode(f"spBv1.0/oak/DDATA/{NODE_ID}/{DEVICE_ID}", b"\xff")
    decoder.unlearn()()

    assert refusal(decoder, edge) == ""


def test_what_came_after_it_and_was_committed_stays_known():
    """The broker does not say it again."""
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.named("Outputs/Lamp", False))
    forget = decoder.unlearn()
    assert decoder.decode(*edge.birth(alias=STRIP + 2)) == ()
    press = edge.data(alias=STRIP + 2)
    (signal,) = decoder.decode(*press)
    forget()

    assert refusal_of(decoder, press) == "", "promise 1: its birth was forgotten"
    assert {each.cause for each in decoder.decode(*press)} == {signal.cause}
    assert refusal(decoder, edge), "the number of before means nothing any more"


def test_two_that_no_commit_took_are_forgotten_one_after_the_other():
    """The later one may not bring back what the earlier one had taught."""
    edge = Edge()
    decoder = born(edge)
    decoder.decode(*edge.birth(alias=STRIP + 2))
    first = decoder.unlearn()
    decoder.decode(*edge.named("Outputs/Lamp", False))
    second = decoder.unlearn()
    first()
    second()

    assert refusal_of(decoder, edge.data(alias=STRIP + 2)), "a name that no commit took is believed"
    assert refusal(decoder, edge) == "", "the name of before is known"


def test_what_was_told_does_not_wait_when_its_name_is_forgotten():
    edge = Edge()
    decoder = a_decoder()
    decoder.decode(*edge.node_birth())
    birth = edge.birth()
    decoder.decode(*birth)
    forget = decoder.unlearn()
    assert len(decoder.decode(*edge.data())) == 1
    forget()

    assert decoder.decode(*birth) == (), "a press that was committed is told twice"


def test_of_two_nodes_one_forgets():
    panel, other = Edge(), Edge(group="elm")
    decoder = a_decoder(f"oak:{ROW}", f"elm:{ROW}", group=True)
    for edge in (panel, other):
        decoder.decode(*edge.node_birth())
    decoder.decode(*panel.birth())
    forget = decoder.unlearn()
    decoder.decode(*other.birth())
    forget()

    assert refusal(decoder, panel)
    assert refusal(decoder, other) == ""


def test_what_is_too_long_ago_to_be_forgotten_alone_is_forgotten_with_its_node():
    edge = Edge()
    decoder = born(edge, rebirth=True)
    decoder.decode(*edge.birth(alias=STRIP + 2))
    forget = decoder.unlearn()
    for _ in range(UNDONE_MAX):
        decoder.decode(*edge.named("Outputs/Lamp", False))
    forget()

    assert refusal_of(decoder, edge.data(alias=STRIP + 2)), "a name that no commit took is believed"
    assert [question.topic for question in decoder.questions()] == [f"spBv1.0/oak/NCMD/{NODE_ID}"]


def test_what_is_forgotten_is_asked_for():
    edge = Edge()
    decoder = born(edge, rebirth=True)
    decoder.questions()
    decoder.decode(*edge.birth())
    decoder.unlearn()()

    assert [each.topic for each in decoder.questions()] == [f"spBv1.0/oak/NCMD/{NODE_ID}"]


def refusal_of(decoder: SparkplugDecoder, message: tuple[str, bytes]) -> str:
    try:
        decoder.decode(*message)
    except DecodeError as error:
        return str(error)
    return ""
