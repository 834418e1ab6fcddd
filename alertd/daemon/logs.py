"""How the daemon logs: one line is one JSON object for machines, words on a terminal. docs/operations.md names them.

Owns what every line has, also those of libraries and of a crash. No phone number is ever written in full.
"""

import faulthandler
import logging
import re
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

_PHONE = re.compile(r"\+\d[\d .()-]{6,18}\d|(?<![\w-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)")


def set_up(*, style: str = "json", level: str = "info") -> None:
    """`style`: json or console. Colours are for a terminal: in a file or a pipe they are rubbish."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    chain: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
        renderer,
    ]
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries (asyncio, aiohttp, uvicorn) say little, in the same place and in the same form.
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, *chain[1:3]],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)


def of_the_whole_process() -> None:
    """Also what ends it: warnings, an error that nobody caught, and, when the watchdog kills, the stack of every thread
    (that one as plain text: the interpreter cannot be asked any more)."""
    logging.captureWarnings(True)  # noqa: FBT003 - its only argument
    sys.excepthook = _crashed
    faulthandler.enable(file=2)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    structlog.get_logger("alertd").critical("crashed", exc_info=(kind, error, trace))


def redact(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: phone numbers keep their last two digits, wherever they stand."""
    for key, value in fields.items():
        fields[key] = _redacted(value)
    return fields


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return _PHONE.sub(lambda found: f"+…{found[0][-2:]}", value)
        case list() | tuple():
            return [_redacted(element) for element in value]
        case dict():
            return {key: _redacted(element) for key, element in value.items()}
        case _:
            return value
