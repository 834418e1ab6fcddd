"""What the machine's readers call one moment is one moment, although the API is asked incident by incident."""

from types import SimpleNamespace
from typing import Any

from tests.e2e.machine import Machine


class Paper(Machine):
    """A daemon of two incidents and a carrier, on paper. `meanwhile` happens while the second incident is read."""

    def __init__(self) -> None:
        self.carrier: Any = SimpleNamespace(texts={})
        self.rows: dict[str, list[dict[str, Any]]] = {"i-1": [], "i-2": []}
        self.meanwhile = lambda: None
        self.silent = ""
        self.sends("i-1", "first")
        self.sends("i-2", "second")

    def sends(self, incident_id: str, row_id: str) -> None:
        self.writes(incident_id, row_id, state="accepted")
        self.carrier.texts[f"SM-{row_id}"] = SimpleNamespace(direction="outbound-api", body=row_id)

    def writes(self, incident_id: str, row_id: str, *, state: str = "queued") -> None:
        self.rows[incident_id].append({"id": row_id, "state": state})

    async def get(self, path: str, **query: str | int) -> Any:
        if self.silent and path.endswith(self.silent):
            return None
        if path == "/v1/incidents":
            return {"incidents": [{"id": incident_id} for incident_id in self.rows]}
        if path.endswith("i-2"):
            happens, self.meanwhile = self.meanwhile, lambda: None
            happens()
        return {"notifications": list(self.rows[path.rpartition("/")[2]])}


async def told(machine: Machine) -> tuple[list[str], list[str]] | None:
    rest = await machine.at_rest()
    return None if rest is None else ([row["id"] for row in rest.rows], [text.body for text in rest.texts])


async def test_a_text_that_left_during_the_reading_makes_it_no_moment():
    """Seen in the storm: dispatch accepted while fifty incidents were read, and two texts seemed to have no row."""
    machine = Paper()
    machine.meanwhile = lambda: machine.sends("i-1", "dispatch has accepted")

    assert await told(machine) is None, "the text is counted, its row was written behind the reader's back"
    everything = ["dispatch has accepted", "first", "second"]
    rest = await told(machine)
    assert rest is not None
    assert (sorted(rest[0]), sorted(rest[1])) == (everything, everything)


async def test_a_row_whose_text_has_not_left_is_missing_on_both_sides():
    machine = Paper()
    machine.meanwhile = lambda: machine.writes("i-1", "dispatch has accepted")

    assert await told(machine) == (["first", "second"], ["first", "second"])
    assert await told(machine) is None, "it waits"


async def test_an_incident_that_was_not_answered_for_is_not_taken_for_an_empty_one():
    machine = Paper()
    for silent in ("/v1/incidents", "i-1", "i-2"):
        machine.silent = silent

        assert await told(machine) is None, silent
        assert not await machine.nothing_waits(), silent
