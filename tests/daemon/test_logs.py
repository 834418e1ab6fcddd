"""Logs never hold a whole phone number."""

import pytest

from alertd.daemon.logs import redact


@pytest.mark.parametrize(
    "text",
    ["+12025550142", "to +1 202 555 0142 failed", "sms:+12025550142", "call (202) 555-0142", "202-555-0142"],
)
def test_a_phone_number_keeps_its_last_two_digits(text: str):
    fields = redact(None, "info", {"event": text, "more": [text], "deep": {"a": text}})

    for shown in (fields["event"], fields["more"][0], fields["deep"]["a"]):
        assert "0142" not in shown
        assert "42" in shown


@pytest.mark.parametrize(
    "text", ["n-3f12025550142a", "2026-10-14T14:42:00", "1791988945000000", "inc-0011223344556677"]
)
def test_ids_and_times_stay_as_they_are(text: str):
    assert redact(None, "info", {"event": text})["event"] == text
