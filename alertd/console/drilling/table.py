"""The report as CSV: one row a message, one row an answer, for a spreadsheet. Never a whole phone number."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "drill", "site", "incident", "what", "who", "channel", "address", "kind", "written_s", "taken_s", "delivered_s",
    "answered_s", "arrived_s", "state", "known", "why", "detail",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


def table(report: Mapping[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", extrasaction="ignore")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _rows(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    drill = report["drill"]
    common = {"drill": drill["id"], "site": drill["site"]}
    for message in report["notices_missed"]:
        yield common | {"what": "notice of the drill, missed"} | message
    for incident in report["incidents"]:
        here = common | {"incident": incident["headline"]}
        for message in incident["messages"]:
            yield here | {"what": "message"} | message
        for person in incident["people"]:
            told = {k: person[k] for k in ("taken_s", "delivered_s", "answered_s", "arrived_s")}
            known = person["answer"] or ("NEVER ANSWERED" if person["asked"] else "")
            yield here | {"what": "person", "who": person["name"], "known": known} | told
        for name in incident["blocked"]:
            yield here | {"what": "blocked because it was a drill", "who": name}


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
