"""Reply tokens: never a blocked number, never one in use, always one left."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.anchor import Now
from alertd.model.ids import IncidentId
from alertd.store.tokens import BLOCKED, DOUBTED, RESERVED_US, TokenPool, all_tokens, is_allowed, last_uses

SECOND_US = 1_000_000
NOW_US = 1_793_500_000 * SECOND_US


def test_two_digits_never_spell_a_blocked_number_with_a_digit_in_front() -> None:
    assert set(map(str, range(10, 100))) - set(all_tokens(2)) == {"11", "12", "33", "88", "99"}


@given(st.integers(min_value=10, max_value=999_999))
def test_no_answer_spells_a_blocked_number_anywhere(number: int) -> None:
    token = str(number)
    spelled = any(blocked in digit + token for digit in "123456789" for blocked in BLOCKED)

    assert is_allowed(token) is not spelled
    assert (token in all_tokens(len(token))) is not spelled if len(token) < 5 else True


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=30 * 3600),  # seconds since the incident before
            st.one_of(st.none(), st.integers(min_value=0, max_value=40 * 3600)),  # closed after so long
        ),
        max_size=150,
    )
)
def test_a_token_in_use_is_never_handed_out(story: list[tuple[int, int | None]]) -> None:
    """The pool against a plain list of incidents: open, or opened or closed within 24 h."""
    pool, now_us = TokenPool(), NOW_US
    closing: list[tuple[int, IncidentId, str]] = []
    uses: dict[str, tuple[bool, int]] = {}
    for number, (gap_s, open_s) in enumerate(story):
        now_us += gap_s * SECOND_US
        for at_us, incident_id, token in [item for item in closing if item[0] <= now_us]:
            closing.remove((at_us, incident_id, token))
            uses[token] = (False, at_us)
            pool.note(incident_id, token, is_open=False, last_us=at_us)
        (token,) = pool.free(1, now_us)
        was_open, last_us = uses.get(token, (False, 0))
        assert not was_open, f"token {token} is carried by an open incident"
        assert last_us + RESERVED_US <= now_us, f"token {token} was used within 24 h"
        incident_id = IncidentId(f"inc-{number}")
        uses[token] = (True, now_us)
        pool.note(incident_id, token, is_open=True, last_us=now_us)
        if open_s is not None:
            closing.append((now_us + open_s * SECOND_US, incident_id, token))


def test_three_digits_only_when_two_are_used_up() -> None:
    pool = TokenPool()
    for number, token in enumerate(all_tokens(2)):
        assert len(pool.free(1, NOW_US)[0]) == 2
        pool.note(IncidentId(f"inc-{number}"), token, is_open=True, last_us=NOW_US)
    assert len(pool.free(1, NOW_US)[0]) == 3
    pool.note(IncidentId("inc-0"), "10", is_open=False, last_us=NOW_US)

    assert len(pool.free(1, NOW_US + RESERVED_US - 1)[0]) == 3
    assert pool.free(1, NOW_US + RESERVED_US) == ("10",)


def test_the_least_recently_used_comes_first_also_after_a_restart() -> None:
    used = [(IncidentId(f"inc-{i}"), token, False, NOW_US + i) for i, token in enumerate(["42", "17", "65"])]
    later_us = NOW_US + RESERVED_US + 10
    lived = TokenPool()
    lived.free(1, NOW_US)
    for incident_id, token, _, last_us in used:
        lived.note(incident_id, token, is_open=False, last_us=last_us)

    for pool in (lived, TokenPool(used)):
        order = pool.free(85, later_us)
        assert len(order) == 85
        assert order[-3:] == ("42", "17", "65")


YEAR_US = 365 * RESERVED_US
BOOT_US = 100 * SECOND_US


@pytest.mark.parametrize("wrong_us", [-5 * YEAR_US, 0, 5 * YEAR_US])
def test_whatever_clocks_show_what_was_used_last_rests_a_day_and_comes_last(wrong_us: int) -> None:
    """Every code of two digits was used once, a minute apart, a week ago by the clock of now. At the last three it was
    another clock, as once before."""
    used = list(all_tokens(2))
    minutes = range(-10_000, -10_000 + len(used))
    stamps = [NOW_US + minute * 60 * SECOND_US for minute in minutes]
    stamps[-3:] = [stamp + wrong_us for stamp in stamps[-3:]]
    stamps[10:13] = [stamp - YEAR_US for stamp in stamps[10:13]]
    found = [(f"inc-{i}", t, "closed", us, us, i) for i, (t, us) in enumerate(zip(used, stamps, strict=True))]
    now = Now(wall_us=NOW_US, boot_us=BOOT_US, boot_id="boot-1")
    pool = TokenPool(last_uses(found, now, since_us=BOOT_US))

    assert pool.free(len(used) - DOUBTED, BOOT_US) == tuple(used[:-DOUBTED]), "the order is that of clocks"
    doubted = pool.free(len(used) - DOUBTED + 1, BOOT_US + RESERVED_US - 1)[-1]
    assert len(doubted) == 3, "an age is believed that a wrong clock says"
    assert pool.free(len(used), BOOT_US + RESERVED_US) == tuple(used), "the order is that of clocks"


def test_a_day_after_the_start_ages_are_believed() -> None:
    """A node of several reads its codes again with each press: what rested a day is free."""
    two_days_ago_us = NOW_US - 2 * RESERVED_US
    now = Now(wall_us=NOW_US, boot_us=BOOT_US + RESERVED_US, boot_id="boot-1")
    uses = last_uses([("inc-1", "17", "closed", two_days_ago_us, two_days_ago_us, 1)], now, since_us=BOOT_US)

    assert "17" in TokenPool(uses).free(len(all_tokens(2)), now.boot_us)


def test_what_is_spoken_for_is_not_handed_out() -> None:
    first, second = TokenPool().free(2, NOW_US)

    assert TokenPool().free(1, NOW_US, [first]) == (second,)


def test_in_memory_three_digits_from_another_place_in_each_boot() -> None:
    """A boot's order never changes: the daemon may be killed, and find its memory again."""
    orders = [TokenPool(lost_with=f"boot-{number}").free(20, NOW_US) for number in range(20)]

    assert all(len(token) == 3 for order in orders for token in order)
    assert len({order[0] for order in orders}) > 15, "after a power cut the same codes come again"
    assert TokenPool(lost_with="boot-7").free(20, NOW_US) == orders[7]
    everything = TokenPool(lost_with="boot-7").free(len(all_tokens(3)), NOW_US)
    assert sorted(everything) == list(all_tokens(3)), "some are never given out"


@pytest.mark.slow
def test_ten_thousand_open_incidents_are_served_fast() -> None:
    pool = TokenPool()
    started = time.process_time()
    for number in range(10_000):
        (token,) = pool.free(1, NOW_US)
        pool.note(IncidentId(f"inc-{number}"), token, is_open=True, last_us=NOW_US)
    took_s = time.process_time() - started

    assert took_s < 2, f"{took_s / 10_000 * 1e6:.0f} µs a token"
