"""Every line of the log is one JSON object, and none holds a whole phone number."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog

from alertd.daemon.logs import of_the_whole_process, redact, set_up


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


@pytest.fixture
def json_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Lines as they were written; whatever is no JSON object of its own line fails the test."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    set_up(style="json", level="info")

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in out.getvalue().removesuffix("\n").split("\n")]
        for line in found:
            assert {"timestamp", "level", "event"} <= line.keys()
            datetime.fromisoformat(line["timestamp"])
            assert line["level"] in ("debug", "info", "warning", "error", "critical")
        return found

    yield lines
    structlog.reset_defaults()
    logging.basicConfig(force=True)


def raised(error: Exception) -> Exception:
    """As it is when it was caught: with its traceback."""
    with pytest.raises(type(error)):
        raise error
    return error


def test_one_line_is_one_json_object_whatever_is_said(json_log):
    log = structlog.get_logger()
    log.info("press", site="oak", text="two\nlines, “quoted”, Ünïcode, \udc80", odd=object())
    log.error("task_crashed", task="sources.broker:source", exc_info=raised(ValueError("call +12025550142\nnow")))
    first, second = json_log()
    assert first["text"].startswith("two\nlines, “quoted”, Ünïcode")
    assert second["exception"].splitlines()[0].startswith("Traceback")
    assert "0142" not in json.dumps(second)


def test_libraries_speak_json_too_and_give_no_number_away(json_log):
    logging.getLogger("asyncio").error("Task to +12025550142\nwas never retrieved")
    logging.getLogger("uvicorn.error").error("lost", exc_info=raised(OSError("+12025550142 hung up")))
    logging.getLogger("aiohttp").info("chatter")
    first, second = json_log()
    assert (first["logger"], first["level"]) == ("asyncio", "error")
    assert first["event"] == "Task to +…42\nwas never retrieved"
    assert "hung up" in second["exception"]
    assert "0142" not in json.dumps(second)


def test_what_nobody_caught_is_a_line_too(json_log, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    of_the_whole_process()
    error = raised(RuntimeError("a defect"))
    sys.excepthook(RuntimeError, error, error.__traceback__)
    logging.captureWarnings(False)
    (line,) = json_log()
    assert (line["event"], line["level"]) == ("crashed", "critical")
    assert "a defect" in line["exception"]


def test_a_librarys_warning_is_a_line_too(json_log, monkeypatch):
    """docs/operations.md: warnings of libraries are JSON as well."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        of_the_whole_process()
        warnings.warn("calling +12025550142 this way is deprecated", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = json_log()
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "is deprecated" in line["event"]
    assert "0142" not in line["event"]
