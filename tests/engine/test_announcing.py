"""What loudspeakers say, when they say it again, and when they are quiet (requirements R44 to R47)."""

from msgspec.json import decode
from msgspec.structs import replace

from alertd.engine.announcing import EXPIRES_S, MISSED_S
from alertd.model.decision import EntryKind, SiteState
from alertd.model.events import ClockStepped, SayOrdered, SilenceOrdered
from alertd.model.ids import CauseId, PolicyId
from alertd.model.incident import EscalationState, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationRow, NotificationState
from alertd.model.outcome import Failed, Sent
from alertd.model.page import Page, PageAction
from alertd.model.people import Endpoint
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import ChannelRules, Registry
from alertd.model.site import StateRules
from tests.engine.play import Play
from tests.engine.school import ASSIST, ELM, LOCKDOWN, MEDICAL, OAK, group, policy, registry

WORDS = {"lockdown": "Lockdown! Locks, lights, out of sight.", "hold": "Hold in your room or area. Clear the halls."}
SPEAKERS = {"all": Endpoint(channel="pa", address="oak-all"), "gym": Endpoint(channel="pa", address="oak-gym")}
QUIET = SilenceOrdered(site_id=OAK, cause=CauseId("quiet"), by="J. Ruiz")


def spoken(name: str, loudspeakers: str = "all") -> Target:
    return Target(kind=TargetKind.LOUDSPEAKERS, id=loudspeakers, announcement=name)


def school(rules: StateRules | None = None, *targets: Target, assist: bool = False) -> Registry:
    """Oak with loudspeakers. `assist`: its policy for staff assist names them, too."""
    first, *rest = LOCKDOWN.steps
    said = targets or (spoken("lockdown"),)
    lockdown = replace(
        LOCKDOWN, steps=(replace(first, targets=(*first.targets, *said)), *rest), announce_again_s=(20, 60)
    )
    hold = policy("hold", Step(targets=(group("first"), spoken("hold")), wait_s=30))
    loud = replace(
        ASSIST, steps=(replace(ASSIST.steps[0], targets=(group("first"), spoken("hold"))), *ASSIST.steps[1:])
    )
    plain = registry(lockdown, hold, *((loud,) if assist else ()), rules=rules)
    oak = plain.sites[OAK]
    oak = replace(oak, loudspeakers=SPEAKERS, policies=oak.policies | {"hold": PolicyId("hold")})
    elm = replace(plain.sites[ELM], loudspeakers={"all": Endpoint(channel="pa", address="elm-all")})
    pa = ChannelRules(name="pa", kind="pa", text_limit=0, announcements=WORDS)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return Registry(**fields | {"sites": plain.sites | {OAK: oak, ELM: elm}, "channels": plain.channels | {"pa": pa}})


def pages(play: Play) -> list[NotificationRow]:
    return [row for row in play.rows.values() if row.notification.kind is Kind.PAGE]


def said(play: Play) -> list[str]:
    """What the loudspeakers were given and nobody took back, in order."""
    gone = (NotificationState.SUPPRESSED, NotificationState.WITHDRAWN)
    return [row.notification.text for row in pages(play) if row.state not in gone]


def page_of(notification: Notification) -> Page:
    return decode(notification.body, type=Page)


def take_all(play: Play) -> None:
    for row in pages(play):
        if row.state is NotificationState.QUEUED:
            play.outcome(play.claim(row), Sent(ref="pa"))


def test_a_lockdown_is_spoken_at_once_then_twice_more_then_never_again() -> None:
    """R44: in parallel with people and dispatch; then quiet for police."""
    play = Play(school())
    play.press()
    first = play.news()

    assert {"alert", "dispatch_new", "page"} <= {n.kind.value for n in first}
    play.wait(19)
    assert len(said(play)) == 1
    play.wait(2)
    assert len(said(play)) == 2
    play.wait(40)
    assert said(play) == [WORDS["lockdown"]] * 3
    play.wait(3_600)
    assert len(said(play)) == 3


def test_a_page_is_urgent_short_lived_and_names_no_place() -> None:
    play = Play(school())
    play.press()
    (row,) = pages(play)
    notification = row.notification

    assert (notification.lane, notification.endpoint.address) == (Lane.PANIC, "oak-all")
    assert notification.expires_us == play.now_us + EXPIRES_S * 1_000_000
    page = page_of(notification)
    assert (page.action, page.announcement, page.emergency) == (PageAction.SAY, "lockdown", True)
    assert "204" not in notification.body


def test_every_loudspeaker_that_is_named_speaks() -> None:
    play = Play(school(None, spoken("lockdown"), spoken("lockdown", "gym")))
    play.press()

    assert [row.notification.endpoint.address for row in pages(play)] == ["oak-all", "oak-gym"]


def test_a_second_room_does_not_start_it_anew_and_the_timeline_says_why() -> None:
    """R44: it names no place, so it has nothing to add; the quiet belongs to police."""
    play = Play(school())
    play.press()
    play.wait(300)
    play.press("badge-118")
    play.wait(120)

    assert len(said(play)) == 3
    assert Reason.ANNOUNCED_ALREADY in play.reasons()


def test_what_becomes_graver_speaks_at_once() -> None:
    play = Play(school())
    play.press("badge-204", 3)
    assert said(play) == []
    play.press("badge-204", 8)

    assert said(play) == [WORDS["lockdown"]]
    play.wait(61)
    assert len(said(play)) == 3


def test_hold_is_said_once_and_makes_way_for_a_lockdown() -> None:
    play = Play(school())
    play.press("wall-gym", 1)
    play.reply("Nurse", "817")
    assert said(play) == [WORDS["hold"]]
    assert not page_of(pages(play)[0].notification).emergency
    play.press("badge-118", 8)

    assert said(play) == [WORDS["lockdown"]], "the unspoken hold is withdrawn"


def test_nothing_less_grave_is_said_over_an_open_lockdown() -> None:
    play = Play(school())
    play.press("badge-118", 8)
    play.press("wall-gym", 1)
    play.wait(120)
    play.reply("Nurse", "818")

    assert WORDS["hold"] not in said(play)
    assert Reason.OUTRANKED in [row.reason for row in pages(play)]


def test_a_late_press_waits_for_a_human() -> None:
    """R18: "again" of what nobody may need any more would frighten a school."""
    play = Play(school())
    play.press(pressed_us=play.now_us - 600_000_000)
    play.wait(100)
    assert said(play) == []
    assert (EntryKind.LOUDSPEAKERS, Reason.LATE_HOLD) in [(e.kind, e.reason) for e in play.entries]
    play.answer("Ruiz")

    assert len(said(play)) == 1
    play.wait(61)
    assert len(said(play)) == 3


def test_a_late_press_does_not_wait_longer_than_the_site_says() -> None:
    play = Play(school())
    play.press(pressed_us=play.now_us - 600_000_000)
    play.wait(LOCKDOWN.late_confirm_s + 1)

    assert len(said(play)) == 1


def test_a_press_of_now_does_not_wait_for_what_held_a_late_one() -> None:
    for rules in (None, StateRules(confirm_before_dispatch="required")):
        play = Play(school(rules))
        play.press(pressed_us=play.now_us - 600_000_000)
        play.press("badge-118")

        assert len(said(play)) == 1


def test_confirming_before_dispatch_keeps_nobody_from_hiding() -> None:
    play = Play(school(StateRules(confirm_before_dispatch="required")))
    play.press()

    assert play.incident.dispatch_hold is Reason.CONFIRM_HOLD
    assert len(said(play)) == 1


def test_a_correction_withdraws_what_is_not_said_and_says_nothing_more() -> None:
    """R20: nothing tells anybody that it is over."""
    play = Play(school())
    play.press()
    play.correct()
    play.wait(120)

    assert said(play) == []
    assert len(pages(play)) == 1


def test_resolving_and_releasing_end_the_repeats() -> None:
    for order in ({}, {"zone_id": "204"}, {"rooms_released": True}):
        play = Play(school())
        play.press()
        take_all(play)
        play.resolve(**order)
        play.wait(120)

        assert len(said(play)) == 1, order


def test_a_press_after_the_end_is_spoken_of_anew() -> None:
    play = Play(school())
    play.press()
    take_all(play)
    play.correct()
    play.wait(300)
    play.press("badge-118")
    play.wait(61)

    assert play.incident.state is IncidentState.ACTIVE
    assert len(said(play)) == 4


def test_a_silent_school_hears_nothing_and_the_timeline_says_why() -> None:
    """R45 (New Jersey 18A:41-11)."""
    play = Play(school(StateRules(audible=False)))
    play.press()
    play.wait(120)

    assert said(play) == []
    (row,) = pages(play)
    assert row.reason is Reason.NOT_AUDIBLE


def test_staff_assist_is_nobodys_business_unless_the_site_says_so() -> None:
    play = Play(school(assist=True))
    play.press("badge-204", 3)
    assert [row.reason for row in pages(play)] == [Reason.NOT_ANNOUNCED]

    loud = Play(school(StateRules(announce=("lockdown", "staff_assist")), assist=True))
    loud.press("badge-204", 3)
    assert said(loud) == [WORDS["hold"]]


def test_quiet_is_quiet_and_nothing_else() -> None:
    """R46: escalation, people and dispatch go on as if nothing had been said."""
    play, other = Play(school()), Play(school())
    for each in (play, other):
        each.press()
        take_all(each)
        each.wait(5)
    play.do(QUIET)
    stops = [row.notification for row in pages(play) if page_of(row.notification).action is PageAction.STOP]
    for each in (play, other):
        each.wait(120)

    assert [n.endpoint.address for n in stops] == ["oak-all", "oak-gym"]
    assert len(said(play)) - len(stops) == 1, "nothing after it was wanted"
    people, same = (
        [(r.notification.id, r.state) for r in each.rows.values() if r.notification.kind is not Kind.PAGE]
        for each in (play, other)
    )
    assert people == same
    assert play.incident.escalation is EscalationState.EXHAUSTED


def test_quiet_holds_until_something_new_and_graver() -> None:
    play = Play(school())
    play.press()
    play.do(QUIET)
    play.press("badge-118")
    assert [t for t in said(play) if t] == []

    hold = Play(school())
    hold.press("badge-118", 3)
    hold.do(QUIET)
    hold.press("badge-118", 8)
    assert [t for t in said(hold) if t] == [WORDS["lockdown"]]


def test_an_announcement_that_fails_after_quiet_was_wanted_is_not_tried_again() -> None:
    play = Play(school())
    play.press()
    claimed = play.claim(pages(play)[0])
    play.do(QUIET)
    row = play.outcome(claimed, Failed(permanent=False, code="network_down"))

    assert row.state is NotificationState.WITHDRAWN


def test_loudspeakers_that_do_not_speak_ring() -> None:
    """R47."""
    play = Play(school())
    play.press()
    play.outcome(play.claim(pages(play)[0]), Failed(permanent=True, code="no_pacer", detail="the pacer is dead"))

    (trouble,) = play.state.troubles.values()
    assert trouble.rings
    assert trouble.summary == "The loudspeakers of OAK ELEM did not speak (no_pacer the pacer is dead)."
    play.wait(21)
    play.outcome(play.claim(pages(play)[-1]), Sent(ref="pa"))
    assert not play.state.troubles


def test_an_announcement_that_nobody_took_rings_although_nothing_has_failed() -> None:
    """R47: the daemon was away, or the channel is gone: there is no outcome at all."""
    play = Play(school())
    play.press()
    play.wait(MISSED_S + 1)

    (trouble,) = play.state.troubles.values()
    assert trouble.summary.startswith("The loudspeakers of OAK ELEM did not speak in time")


def test_a_repeat_that_comes_too_late_is_not_said() -> None:
    """R9: a voice out of the past misleads."""
    play = Play(school())
    play.press()
    take_all(play)
    play.now_us += 200_000_000  # the daemon was away
    play.wait(1)

    assert len(said(play)) == 1
    assert (EntryKind.LOUDSPEAKERS, Reason.EXPIRED) in [(e.kind, e.reason) for e in play.entries]
    assert not play.state.troubles


def test_a_clock_that_is_set_makes_no_repeat_late() -> None:
    """R19."""
    play = Play(school())
    play.press()
    take_all(play)
    play.stepped_us += 3_600_000_000
    play.do(ClockStepped(site_id=OAK, step_us=3_600_000_000))
    play.wait(61)

    assert len(said(play)) == 3


def test_medical_and_vape_have_no_voice() -> None:
    play = Play(school())
    play.press("wall-gym", 1)
    play.arrive("vape-wc", "vape")
    play.wait(600)

    assert pages(play) == []
    assert MEDICAL.announce_again_s == ()


def test_what_is_real_is_spoken_over_a_drill() -> None:
    """Promise 3: an exercise never keeps a real announcement from being heard."""
    play = Play(school())
    play.press("badge-204")
    drill = replace(play.incident, mode=Mode.DRILL)
    play.state = SiteState(site_id=OAK, incidents={drill.id: drill})
    play.press("wall-gym", 1)
    play.reply("Nurse", "818")

    assert said(play)[-1] == WORDS["hold"]


def test_what_is_written_down_of_a_drill_is_what_is_said_in_it() -> None:
    """Rows and timeline show it: the live words there would read as if pupils had been told that it was real."""
    drilled = school()
    pa = replace(drilled.channels["pa"], drill_announcements={"lockdown": "Lockdown drill. Locks, lights."})
    fields = {name: getattr(drilled, name) for name in drilled.__struct_fields__}
    play = Play(Registry(**fields | {"channels": drilled.channels | {"pa": pa}}))
    play.drill()
    play.press("badge-204")
    (row,) = pages(play)

    assert row.notification.text == "Lockdown drill. Locks, lights.", "the live words stand beside a drill"
    assert decode(row.notification.body, type=Page).words == row.notification.text
    play.press("wall-gym", 1)
    play.press("badge-118")
    assert said(play)[-1] == WORDS["lockdown"]


def test_a_drill_without_words_of_its_own_says_the_live_ones_between_its_marks() -> None:
    play = Play(school())
    play.drill()
    play.press("badge-204")
    assert said(play) == [WORDS["lockdown"]]


# --- what humans say ------------------------------------------------------------------------------------------------


def say(words: str = "The bus is late.", **more: object) -> SayOrdered:
    return SayOrdered(site_id=OAK, cause=CauseId(words), by="Ruiz", words=words, **more)  # type: ignore[arg-type]


def test_words_go_out_in_the_slow_lane_and_only_once() -> None:
    play = Play(school())
    play.do(say())
    (row,) = pages(play)

    assert (row.notification.lane, row.notification.text) == (Lane.ROUTINE, "The bus is late.")
    assert row.notification.endpoint.address == "oak-all", "everybody hears these; the gym would hear it twice"
    assert play.outcome(play.claim(row), Failed(permanent=False, code="busy")).state is NotificationState.FAILED


def test_words_go_where_they_were_meant_to() -> None:
    play = Play(school())
    play.do(say(loudspeakers=("gym",)))

    assert [row.notification.endpoint.address for row in pages(play)] == ["oak-gym"]


def test_nobody_chats_over_a_lockdown_unless_it_is_an_emergency() -> None:
    play = Play(school())
    play.press()
    play.wait(600)
    play.do(say())
    assert "The bus is late." not in said(play)
    play.do(say("Room by room, police will open your doors.", emergency=True))

    (row,) = [row for row in pages(play) if row.notification.incident_id is None]
    assert (row.notification.lane, page_of(row.notification).emergency) == (Lane.PANIC, True)


def test_nobody_chats_into_an_announcement() -> None:
    play = Play(school())
    play.press("wall-gym", 1)
    play.reply("Nurse", "817")
    play.do(say())
    assert said(play) == [WORDS["hold"]]
    play.wait(60)
    play.do(say("The bus is here."))

    assert said(play)[-1] == "The bus is here."
