"""Req 50: how long telling takes. The arithmetic against a token bucket filled drop by drop; then what people see."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd import lint
from alertd.console.plugin_check import NoNetwork
from alertd.daemon.system_clock import SystemClock
from alertd.lint.fan_out import segments, waves_of
from alertd.plugins import build, limits_of
from alertd.ports import Surroundings

TICKS_PER_S = 20
"""The simulated bucket is filled so often. Rates are multiples of it, so that whole tokens fall on ticks."""
RATES = tuple(TICKS_PER_S / n for n in (1, 2, 4, 5, 10, 20, 40))

people = st.dictionaries(st.sampled_from(("sms", "voice")), st.integers(1, 40), max_size=2)
policies = st.lists(st.tuples(st.integers(1, 60), people), min_size=1, max_size=4)


def carried(steps, rates, kinds, parts):
    """What a carrier does, tick by tick: everything waits in one line a channel; each tick drops a part of a token into
    the bucket, and whoever is first in line goes when a whole token is there. Nothing is saved up while none waits.

    Answers, of each (step, channel), when the first message had left whole, and the last."""
    found = {}
    for channel, rate in rates.items():
        line, begins, at = [], {}, 0
        for number, (wait_s, counts) in enumerate(steps, start=1):
            for message in range(counts.get(channel, 0)):
                line += [(number, message)] * (parts if kinds[channel] == "sms" else 1)
            begins[number] = at * TICKS_PER_S
            at += wait_s
        tokens, tick, left = Fraction(0), 0, {}
        while line:
            if begins[line[0][0]] > tick:
                tokens, tick = Fraction(0), tick + 1
                continue
            tick += 1
            tokens += Fraction(rate).limit_denominator(1000) / TICKS_PER_S
            while tokens >= 1 and line and begins[line[0][0]] < tick:
                tokens -= 1
                left[line.pop(0)] = tick / TICKS_PER_S
        for number in begins:
            times = [at_s for (step, _), at_s in left.items() if step == number]
            if times:
                found[number, channel] = (min(times), max(times))
    return found


@pytest.mark.slow
@settings(max_examples=40)
@given(steps=policies, sms=st.sampled_from(RATES), voice=st.sampled_from(RATES), parts=st.integers(1, 3))
def test_first_and_last_are_those_of_a_bucket_that_is_filled_drop_by_drop(steps, sms, voice, parts) -> None:
    rates, kinds = {"sms": sms, "voice": voice}, {"sms": "sms", "voice": "voice"}
    waves = {(w.step, w.channel): (w.first_s, w.last_s) for w in waves_of(steps, rates, kinds, parts)}
    expected = carried(steps, rates, kinds, parts)

    assert waves.keys() == expected.keys()
    for key, (first_s, last_s) in waves.items():
        assert (first_s, last_s) == pytest.approx(expected[key], abs=1e-6), (key, steps, rates, parts)


@settings(max_examples=20)
@given(steps=policies, parts=st.integers(1, 3))
def test_what_has_no_limit_takes_no_time(steps, parts) -> None:
    rates, kinds = {"sms": 0.0, "voice": 0.0}, {"sms": "sms", "voice": "voice"}

    for wave in waves_of(steps, rates, kinds, parts):
        assert wave.first_s == wave.last_s == wave.begins_s


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("\u2019" * 160, 1)],
)
def test_segments_are_those_of_gsm7(text: str, parts: int) -> None:
    """Req 53: 160 alone, 153 each of several; "€" takes two; a curly quote is sent as a straight one."""
    assert segments(text) == parts


@pytest.mark.parametrize("people", [60, 200])
def test_the_well_known_figures_come_out(people: int) -> None:
    """Req 50, 60: 200 texts on one long code are 200 s; 60 calls at one a second are 60 s."""
    (texts,) = waves_of([(30, {"sms": people})], {"sms": 1.0}, {"sms": "sms"}, 1)
    (calls,) = waves_of([(30, {"voice": people})], {"voice": 1.0}, {"voice": "voice"}, 3)

    assert (texts.last_s, calls.last_s) == (people, people)


# --- what `check` says ----------------------------------------------------------------------------------------------


def _lockdown(school, site="oak"):
    found = lint.telling(school.load())
    return next(each for each in found if (each.site, each.incident_class) == (site, "lockdown"))


def test_the_example_tells_everyone_of_a_lockdown_in_time(school) -> None:
    fan_out = _lockdown(school)

    texts = [wave for wave in fan_out.waves if (wave.step, wave.kind) == (1, "sms")]
    assert [(w.people, w.per_s, w.last_s) for w in texts] == [(24, 2.0, 12.0)]
    assert fan_out.everyone_told_s <= fan_out.within_s == 60


def test_over_the_budget_is_an_error_that_says_what_to_do(school) -> None:
    school.replace(
        "channels.toml",
        'from_numbers = ["+12025550101", "+12025550102"]',
        'from_numbers = ["+12025550101"]\nper_s = 0.3',
    )

    found = [p for p in school.lint_problems() if p.key == "rules.everyone_told_within_s" and "lockdown" in p.message]
    assert [(p.file, p.is_error) for p in found] == [("sites/oak.toml", True)]
    assert "24 people is texted after 80 s (sms: 0.3 a second)" in found[0].message
    for remedy in ("from_numbers", "Messaging Service", "short code", "fewer people", "everyone_told_within_s = 80"):
        assert remedy in found[0].remedy


def test_the_budget_is_each_site_s_own(school) -> None:
    school.replace("sites/oak.toml", "audible = true", "audible = true\neveryone_told_within_s = 11")

    found = {(p.file, p.message.partition(":")[0]) for p in school.lint_problems()}
    assert found == {("sites/oak.toml", "lockdown"), ("sites/oak.toml", "hold")}
    lines = (school.directory / "sites/oak.toml").read_text().splitlines()
    assert all("everyone_told_within_s" in lines[p.line - 1] for p in school.lint_problems())


def test_words_that_would_expire_in_the_line_are_refused(school) -> None:
    school.replace("sites/oak.toml", "audible = true", "audible = true\neveryone_told_within_s = 3600")
    school.replace("channels.toml", '"+12025550102"]', '"+12025550102"]\nper_s = 0.3')
    school.replace("policies/lockdown.toml", "expires_s = 300 ", "expires_s = 70 ")

    found = [p for p in school.lint_problems() if "never be told" in p.message]
    assert [(p.file, p.key, p.is_error) for p in found] == [("policies/lockdown.toml", "targets", True)]


def test_calls_are_counted_for_those_who_are_asked_to_go_only(school) -> None:
    """Req 60: one call a second. Whoever is told to hide is texted, never called."""
    if "[channels.voice]" not in (school.directory / "channels.toml").read_text():
        school.append("channels.toml", '\n[channels.voice]\nplugin = "voice_twilio"\nfrom_numbers = ["+12025550101"]\n'
                      'account_sid_secret = "a"\nauth_token_secret = "b"\n')  # fmt: skip
        school.replace(
            "policies/lockdown.toml",
            'answer_from = ["responders"]\n',
            'answer_from = ["responders"]\nchannels = ["sms", "voice"]\n',
        )
    calls = [wave for wave in _lockdown(school).waves if (wave.step, wave.kind) == (1, "voice")]

    responders = [p for p in school.load().registry.by_group["responders"] if "oak" in p.sites]
    assert [(w.people, w.per_s, w.last_s) for w in calls] == [(len(responders), 1.0, float(len(responders)))]


def test_one_is_told_when_the_quickest_channel_has_told_them(school) -> None:
    """A call that comes later than the text delays nobody."""
    text = (school.directory / "policies/staff_assist.toml").read_text()
    school.append("channels.toml", '\n[channels.second]\nplugin = "sms_twilio"\nfrom_numbers = ["+12025550103"]\n'
                  'per_s = 0.01\naccount_sid_secret = "a"\nauth_token_secret = "b"\n')  # fmt: skip
    school.write(
        "policies/staff_assist.toml", text.replace("wait_s = 45", 'wait_s = 45\nchannels = ["sms", "second"]', 1)
    )
    found = next(f for f in lint.telling(school.load()) if (f.site, f.incident_class) == ("oak", "staff_assist"))

    assert {w.channel: w.last_s for w in found.waves if w.step == 1} == pytest.approx({"sms": 1.5, "second": 300.0})
    assert found.everyone_told_s == 1.5


def test_a_schedule_counts_everybody_who_is_ever_on_duty(school) -> None:
    vape = next(f for f in lint.telling(school.load()) if (f.site, f.incident_class) == ("oak", "vape"))

    assert [w.people for w in vape.waves] == [3], "Chen, Ruiz and the nurse"
    assert vape.within_s is None


def test_limits_without_secrets_are_those_of_the_channel_that_is_built(school) -> None:
    secrets = {"twilio-account-sid": "AC" + "0" * 32}
    surroundings = Surroundings(
        clock=SystemClock(), http=NoNetwork(), secret=lambda name: secrets.get(name, "x" * 32), public_base_url=None
    )
    sections = [s for s in school.load().sections if s.table == "channels" and s.plugin.endswith("_twilio")]

    assert sections
    for section in sections:
        channel = build(section, surroundings).channel
        assert channel is not None
        assert limits_of(section) == channel.limits


def test_a_plugin_that_says_nothing_is_taken_for_the_slowest(school) -> None:
    school.replace("channels.toml", '[channels.sms]\nplugin = "sms_twilio"', '[channels.sms]\nplugin = "sms_elsewhere"')

    assert {w.per_s for w in _lockdown(school).waves if w.channel == "sms"} == {1.0}
