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
    for away in report["aways"]:
        known = f"away for some time between {away['since']} and {away['until']}"
        yield common | {"what": "alertd was away", "known": known}
    for device in report["not_pressed"]:
        yield common | {"what": "no press was heard of", "who": device}
    for words in report["no_way"]:
        yield common | {"what": "no way to reach", "known": words}
    for mishap in report["mishaps"]:
        lasted = f"{mishap['since_local'] or 'before'} to {mishap['until_local'] or 'the end'}"
        yield common | {"what": "trouble", "known": mishap["summary"], "detail": lasted}
    for message in report["notices"]:
        yield common | {"what": "notice of the drill"} | message
    for name, what in _WRONG.items():
        for message in report[f"notices_{name}"]:
            yield common | {"what": f"notice of the drill, {what}"} | message
    for message in report["real_missed"]:
        yield common | {"what": "that it was real, missed", "incident": report["real_incident"]} | message
    for incident in report["incidents"]:
        yield from _incident(common | {"incident": incident["headline"]}, incident)


_WRONG = {"missed": "missed", "late": "late", "taken_back": "taken back"}


def _incident(here: Mapping[str, str], incident: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for press in incident["presses"]:
        waited = press["waited_since_local"]
        known = f"made at some time between {waited} and {press['heard_local']}" if waited else ""
        row = {"what": "press", "who": press["device"], "address": press["where"], "taken_s": press["heard_s"]}
        yield {**here, **row, "known": known}
    for message in incident["messages"]:
        yield {**here, "what": "message", **message}
    for name, what in _WRONG.items():
        for message in incident[name]:
            yield {**here, "what": f"message, {what}", **message}
    for message in incident["cut_short"]:
        yield {**here, "what": "announcement, may have broken off", **message}
    for person in incident["people"]:
        told = {k: person[k] for k in ("taken_s", "delivered_s", "answered_s", "arrived_s")}
        known = person["answer"] or ("NEVER ANSWERED" if person["asked"] else "")
        yield {**here, "what": "person", "who": person["name"], "known": known, **told}
    for name in incident["blocked"]:
        yield {**here, "what": "blocked because it was a drill", "who": name}


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
