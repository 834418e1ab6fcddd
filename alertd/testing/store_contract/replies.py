"""What a reply finds: the incidents that its phone was told of, and the tokens that name them.

Owns which are in its reach, and when a token may be handed out again.
"""
# ruff: noqa: S106 - a reply token is no password

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.incident import NOBODY, IncidentClass, Severity
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState, age_us
from alertd.model.reason import Reason
from alertd.testing.store_contract.world import ELM, OneWorld, World
from alertd.testing.store_values import DAY_US, OAK, SECOND_US, START_WALL_US, incident, phone, press, queued, text

EVERY = 1_500
"""More than there are tokens of two and of three digits: one that is used again comes last."""
YEAR_S = 365 * 86_400
CODE_AGAIN = "promise 5: the answer to what is over counts for another incident"


class Replies(OneWorld):
    """A token names one incident in the whole district."""

    def test_a_phone_knows_the_incidents_it_was_told_of(self, world: World) -> None:
        me, other = phone(1), phone(2)
        suppressed = NotificationRow(
            notification=text("no", incident_id="inc-3"),
            state=NotificationState.SUPPRESSED,
            reason=Reason.OPTED_OUT,
        )
        world.commit(
            Decision(
                incidents=(
                    incident(1, token="21"),
                    incident(2, token="22", opened_us=START_WALL_US + 5),
                    incident(3, token="23"),
                    incident(4, token="24", opened_us=START_WALL_US - 3 * DAY_US, closed_us=START_WALL_US - 2 * DAY_US),
                ),
                notifications=(
                    queued(text("a", endpoint=me)),
                    queued(text("b", endpoint=me, incident_id="inc-2")),
                    queued(text("c", endpoint=other, incident_id="inc-3")),
                    queued(text("d", endpoint=me, incident_id="inc-4", kind=Kind.CLOSING)),
                    suppressed,
                ),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert [(i.incident_id, i.token, i.is_open) for i in mine] == [("inc-2", "22", True), ("inc-1", "21", True)]
        assert mine[0].headline == "OAK ELEM Rm 204 LOCKDOWN 10:42"
        assert mine[0].severity == Severity.LOCKDOWN

    def test_what_ended_by_itself_is_known_to_its_phone_as_it_was(self, world: World) -> None:
        me = phone(1)
        by_itself = replace(incident(1, token="21", closed_us=START_WALL_US), closed_by=NOBODY)
        world.commit(
            Decision(
                incidents=(by_itself, incident(2, token="22", closed_us=START_WALL_US), incident(3, token="23")),
                notifications=tuple(
                    queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}", kind=Kind.CLOSING)) for n in (1, 2, 3)
                ),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert {each.token: each.ended for each in mine} == {"21": by_itself, "22": None, "23": None}

    def test_what_was_an_exercise_is_known_as_one(self, world: World) -> None:
        me = phone(1)
        drilled = replace(incident(1, token="21", closed_us=START_WALL_US), mode=Mode.DRILL)
        world.commit(
            Decision(
                incidents=(drilled, incident(2, token="22", closed_us=START_WALL_US)),
                notifications=tuple(queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}")) for n in (1, 2)),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        known = {each.token: each.mode for each in mine}
        assert known == {"21": Mode.DRILL, "22": Mode.LIVE}, "a drill that ended refuses a human's word about a shot"

    def test_an_open_incident_is_known_to_its_phone_however_many_were_closed_since(self, world: World) -> None:
        me = phone(1)
        numbers = range(2, 62)
        closed = [
            incident(n, token=str(100 + n), opened_us=START_WALL_US + n, closed_us=START_WALL_US + n) for n in numbers
        ]
        notices = [queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}")) for n in numbers]
        world.commit(
            Decision(
                incidents=(incident(1, token="21"), *closed),
                notifications=(queued(text("first", endpoint=me)), *notices),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert mine[0].incident_id == "inc-1", "notices that are over pushed an open incident out of a reply's reach"

    def test_a_shot_that_ended_by_itself_is_known_however_many_notices_followed(self, world: World) -> None:
        me = phone(1)
        shot = incident(1, token="21", closed_us=START_WALL_US)
        numbers = range(2, 62)
        vapes = [
            incident(n, token=str(100 + n), opened_us=START_WALL_US + n, closed_us=START_WALL_US + n) for n in numbers
        ]
        shot = replace(shot, incident_class=IncidentClass.GUNSHOT_SENSOR, closed_by=NOBODY)
        told = [queued(text(f"n{n}", endpoint=me, incident_id=f"inc-{n}")) for n in (1, *numbers)]
        world.commit(
            Decision(
                incidents=(shot, *(replace(v, incident_class=IncidentClass.VAPE, closed_by=NOBODY) for v in vapes)),
                notifications=tuple(told),
            )
        )
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(me.key, START_WALL_US - DAY_US)

        assert mine[-1].token == "21", "a human's 9 to a shot is not read, for there were notices since"
        assert [each.opened_us for each in mine] == sorted((each.opened_us for each in mine), reverse=True)

    @pytest.mark.parametrize("step_s", [3_600, -3_600])
    def test_a_phone_was_told_when_the_first_message_was_written_whoever_sets_the_clock(
        self, world: World, step_s: int
    ) -> None:
        """What was typed between the two messages is an answer to the first."""
        world.commit(Decision(incidents=(incident(1, token="21"),), notifications=(_written_now(world, "alert"),)))
        world.claim()
        world.clock.advance(60)
        world.clock.wall_us += step_s * SECOND_US
        world.commit(Decision(notifications=(_written_now(world, "also"),)))
        world.claim()
        world.clock.advance(1)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            (mine,) = transaction.phone_incidents(phone(1).key, 0)

        assert mine.told is not None
        assert age_us(mine.told, world.clock.now()) == 61 * SECOND_US, "an answer is refused, because a clock was set"

    @pytest.mark.parametrize("step_s", [-5 * YEAR_S, -2 * 86_400, 2 * 86_400, 5 * YEAR_S])
    def test_what_was_closed_a_minute_ago_is_known_to_its_phone_whoever_sets_the_clock(
        self, world: World, step_s: int
    ) -> None:
        """An answer to it was not counted, and nobody said that it is over; nor did a 9 to a shot that had ended."""
        _told_and_closed(world, 1, "21")
        world.clock.advance(60)
        world.clock.wall_us += step_s * SECOND_US
        assert _reach(world) == ["21"], "promise 5: a human answers what is just over, and nothing is said of it"

    def test_what_was_closed_a_day_ago_is_known_to_no_phone_any_more(self, world: World) -> None:
        _told_and_closed(world, 1, "21")
        world.clock.wall_us += 2 * 86_400 * SECOND_US
        world.clock.advance(86_460)
        assert _reach(world) == [], "a code that may soon be another's names what is long over"

    def test_of_one_code_that_was_given_out_again_the_newest_comes_first_whoever_sets_the_clock(
        self, world: World
    ) -> None:
        """A clock was years ahead when the first was opened."""
        world.clock.wall_us += 5 * YEAR_S * SECOND_US
        _told_and_closed(world, 1, "21")
        world.clock.wall_us -= 5 * YEAR_S * SECOND_US
        world.clock.advance(26 * 3_600)
        _told_and_closed(world, 2, "21")
        with world.store.begin([OAK], world.clock.now()) as transaction:
            mine = transaction.phone_incidents(phone(1).key, world.clock.wall_us - DAY_US)
        assert mine[0].incident_id == "inc-2", CODE_AGAIN

    def test_tokens_in_use_are_not_handed_out_in_the_whole_district(self, world: World) -> None:
        world.commit(Decision())  # on a full disk memory goes on from here, which has tokens of its own
        with world.store.begin([OAK], world.clock.now()) as transaction:
            first, second, *_ = transaction.free_tokens(4)
        world.commit(Decision(incidents=(incident(1, site_id=ELM, token=first),)), event=press(site_id=ELM))
        closed = incident(2, token=second, closed_us=START_WALL_US + 1)
        world.commit(Decision(incidents=(closed,)))
        for _ in range(2):
            with world.store.begin([OAK], world.clock.now()) as transaction:
                free = transaction.free_tokens(EVERY)
            assert first not in free
            assert second not in free, "a token was reused within 24 h"
            world.restart()
        world.clock.advance(86_402)
        with world.store.begin([OAK], world.clock.now()) as transaction:
            free = transaction.free_tokens(EVERY)

        assert second in free
        assert first not in free, "a token of an open incident was handed out"

    @pytest.mark.parametrize("known", [0, 6, 86])  # 86: every code of two digits was used once
    @pytest.mark.parametrize("step_s", [-5 * YEAR_S, 5 * YEAR_S])
    def test_a_code_rests_though_a_clock_was_years_wrong_over_a_power_cut(
        self, world: World, step_s: int, known: int
    ) -> None:
        """The machine wakes in another year, somebody presses, the power goes, and the clock is right again."""
        for number in range(1, known + 1):
            _opened_and_closed(world, number)
        world.clock.advance(2 * 86_400)
        world.clock.reboot(away_s=60, wall_step_s=step_s)
        world.restart()
        lost_in_time = _opened_and_closed(world, 500)
        world.clock.reboot(away_s=60, wall_step_s=-step_s)
        world.restart()

        assert _opened_and_closed(world, 501) != lost_in_time, CODE_AGAIN
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert lost_in_time not in transaction.free_tokens(EVERY), "it comes again before a day has passed"

    @pytest.mark.parametrize("step_s", [-5 * YEAR_S, 5 * YEAR_S])
    def test_a_code_rests_though_a_clock_is_years_wrong_now(self, world: World, step_s: int) -> None:
        token = _opened_and_closed(world, 1)
        world.clock.reboot(away_s=60, wall_step_s=step_s)
        world.restart()
        again = {_opened_and_closed(world, number) for number in range(2, 80)}

        assert token not in again, CODE_AGAIN

    @pytest.mark.parametrize("step_s", [-5 * YEAR_S, 5 * YEAR_S])
    def test_a_code_rests_though_a_clock_is_set(self, world: World, step_s: int) -> None:
        tokens = [_opened_and_closed(world, number) for number in range(1, 50)]
        world.clock.wall_us += step_s * SECOND_US
        tokens += [_opened_and_closed(world, number) for number in range(50, 80)]

        assert len(set(tokens)) == len(tokens), CODE_AGAIN

    def test_the_code_of_what_was_open_for_long_rests_from_its_end(self, world: World) -> None:
        """Others that began after it have ended long ago: theirs come again before."""
        world.commit(Decision(incidents=(incident(1, token="17"),)))
        others = [incident(number, token="21", closed_us=START_WALL_US) for number in range(2, 302)]
        world.commit(Decision(incidents=tuple(others)))
        world.clock.advance(9 * 86_400)
        world.commit(Decision(incidents=(incident(1, token="17", closed_us=world.clock.wall_us),)))
        world.restart()
        world.clock.advance(3_600)

        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert "17" not in transaction.free_tokens(EVERY), CODE_AGAIN

    def test_a_code_rests_on_when_an_old_incident_of_the_same_code_is_written_again(self, world: World) -> None:
        """At night retention takes the names out of incidents that are over for long."""
        now_us = world.clock.wall_us
        old = incident(1, token="21", opened_us=now_us, closed_us=now_us)
        world.commit(Decision(incidents=(old,)))
        world.clock.advance(31 * 86_400)
        with world.store.begin([OAK], world.clock.now()) as tx:
            two_digits = [token for token in tx.free_tokens(EVERY) if len(token) == 2]
        today_us = world.clock.wall_us
        every = tuple(
            incident(number, token=token, opened_us=today_us, closed_us=today_us)
            for number, token in enumerate(two_digits, start=100)
        )
        world.commit(Decision(incidents=every))
        world.clock.advance(60)
        world.commit(Decision(incidents=(replace(old, erased_us=world.clock.wall_us),)))
        with world.store.begin([OAK], world.clock.now()) as tx:
            assert "21" not in tx.free_tokens(EVERY), CODE_AGAIN

    def test_a_code_rests_no_more_for_what_is_written_again_long_after_its_end(self, world: World) -> None:
        """Its names are erased after thirty days."""
        world.commit(Decision())  # on a full disk memory goes on from here, which has tokens of its own
        first, second = _opened_and_closed(world, 1), _opened_and_closed(world, 2)
        world.clock.advance(30 * 86_400)
        opened_us, closed_us = START_WALL_US, START_WALL_US + 60 * SECOND_US
        world.commit(Decision(incidents=(incident(1, token=first, opened_us=opened_us, closed_us=closed_us),)))
        with world.store.begin([OAK], world.clock.now()) as transaction:
            assert first in transaction.free_tokens(EVERY), "a code that has rested rests again"
        world.restart()
        world.clock.advance(86_402)

        with world.store.begin([OAK], world.clock.now()) as transaction:
            alike = [token for token in transaction.free_tokens(EVERY) if len(token) == len(first)]
        assert alike[-2:] == [first, second], "what was erased counts as what was used last"


def _opened_and_closed(world: World, number: int) -> str:
    """An incident of a minute, with the code that is best now."""
    with world.store.begin([OAK], world.clock.now()) as transaction:
        token = transaction.free_tokens(1)[0]
    opened_us = world.clock.wall_us
    world.commit(Decision(incidents=(incident(number, token=token, opened_us=opened_us),)))
    closed_us = world.clock.advance(60).wall_us
    world.commit(Decision(incidents=(incident(number, token=token, opened_us=opened_us, closed_us=closed_us),)))
    return token


def _told_and_closed(world: World, number: int, token: str) -> None:
    """An incident that a phone was told of, over at once."""
    opened_us = world.clock.wall_us
    told = _written_now(world, f"alert-{number}")
    told = replace(told, notification=replace(told.notification, incident_id=f"inc-{number}"))
    world.commit(Decision(incidents=(incident(number, token=token, opened_us=opened_us),), notifications=(told,)))
    world.claim()
    world.commit(Decision(incidents=(incident(number, token=token, opened_us=opened_us, closed_us=opened_us),)))


def _reach(world: World) -> list[str]:
    """Codes of which the phone's answers can speak now."""
    with world.store.begin([OAK], world.clock.now()) as transaction:
        return [each.token for each in transaction.phone_incidents(phone(1).key, world.clock.wall_us - DAY_US)]


def _written_now(world: World, notification_id: str) -> NotificationRow:
    now = world.clock.now()
    content = text(notification_id, endpoint=phone(1), created_us=now.wall_us, expires_us=now.wall_us + DAY_US)
    return queued(replace(content, created_boot_us=now.boot_us, boot_id=now.boot_id))
