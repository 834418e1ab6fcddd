"""How the daemon logs: JSON for machines, words on a terminal. No phone number is ever written in full."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_PHONE = re.compile(r"\+\d[\d .()-]{6,18}\d|(?<![\w-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)")


def set_up(*, style: str = "json", level: str = "info") -> None:
    """`style`: json or console. Colours are for a terminal: in a file or a pipe they are rubbish."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer()
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
    # Libraries (asyncio, aiohttp, uvicorn) say little, and in the same place.
    quiet = max(least, logging.WARNING)
    logging.basicConfig(stream=sys.stderr, level=quiet, format="%(name)s: %(message)s", force=True)


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
