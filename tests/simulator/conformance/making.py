"""Golden transcripts: what a good device and several bad ones would have said. `python -m
tests.simulator.conformance.making` writes them anew; the test holds them against this."""

from pathlib import Path

from msgspec.structs import replace

from alertd_simulator.conformance.transcript import KIT, Entered, Happened, Heard, Line, Subject, heard, written
from alertd_simulator.families.catalogue import families
from alertd_simulator.families.said import Said

GOLDEN = Path(__file__).with_name("golden")
BEGAN_US = 1_788_273_727_000_000


class Bench:
    """A device on the bench, step by step."""

    def __init__(self, family: str, device: str) -> None:
        self.family = families()[family]
        self.subject = Subject(
            kit=KIT, source=self.family.source, device=device, profile=self.family.profile, began_us=BEGAN_US
        )
        self.lines: list[Line] = []
        self.now_s = 0.0
        self._number = 10
        self.qos, self.retain = 1, False

    def step(self, name: str, at_s: float) -> None:
        self.now_s = at_s
        self.lines.append(Entered(step=name, at_s=at_s))

    def note(self, event: str, after_s: float = 1.0) -> None:
        self.now_s += after_s
        self.lines.append(Happened(event=event, at_s=self.now_s))

    def says(self, act: str, after_s: float = 2.0, *, again: bool = False, off_s: float = 0.0) -> None:
        """`again`: the same message once more."""
        self.now_s += after_s
        self._number += not again
        at_s = self.now_s if not again else self.now_s - after_s
        said = Said(
            device=self.subject.device,
            act=act,
            at_us=BEGAN_US + round((at_s + off_s) * 1e6),
            number=self._number,
            battery=64,
        )
        for each in self.family.maker(said):
            qos, retain = min(each.qos, self.qos), each.retain or self.retain
            self.lines.append(heard(self.now_s, each.topic, each.payload, qos=qos, retain=retain))


def good() -> Bench:
    """A WS101 behind ChirpStack, on a good day."""
    bench = Bench("chirpstack-v4/milesight-ws101", "24e1240000000101")
    bench.step("idle", 0)
    bench.says("heartbeat")
    _presses(bench)
    bench.step("repeat", 300)
    bench.note("skipped", 0)
    bench.step("battery", 310)
    bench.says("heartbeat")
    bench.step("will", 380)
    return bench


def _presses(bench: Bench, *, off_s: float = 0.0) -> None:
    bench.step("press_once", 40)
    bench.says("press", off_s=off_s)
    bench.step("press_twice", 70)
    bench.says("press", off_s=off_s)
    bench.says("press", 3, off_s=off_s)
    bench.step("hold", 100)
    bench.says("long_press", off_s=off_s)
    bench.step("broker_away", 130)
    bench.note("away")
    bench.note("back", 30)
    bench.says("press", 4, off_s=off_s)


def careless() -> Bench:
    """The same at QoS 0, retained, with a clock that was never right, and it presses by itself."""
    bench = Bench("meraki", "0C:7B:C8:00:00:01")
    bench.qos, bench.retain = 0, True
    bench.step("idle", 0)
    bench.says("press", 5, off_s=-86_400)
    bench.retain = False
    bench.says("press", 5, off_s=-86_400)
    bench.retain = True
    _presses(bench, off_s=-86_400)
    return bench


def forgetful() -> Bench:
    """A Shelly whose queue is lost with its broker, and nobody tried the rest."""
    bench = Bench("shelly-gen1", "desk-1")
    bench.step("idle", 0)
    bench.step("press_once", 40)
    bench.says("press")
    bench.says("press", 1, again=True)
    bench.step("press_twice", 70)
    bench.says("press")
    bench.says("press", 3)
    bench.step("broker_away", 130)
    bench.note("away")
    bench.note("back", 30)
    bench.step("will", 300)
    bench.says("offline", 10)
    return bench


def garbled() -> Bench:
    """Its gateway cuts payloads off."""
    bench = good()
    cut: list[Line] = []
    for line in bench.lines:
        if isinstance(line, Heard) and line.text is not None:
            cut.append(replace(line, text=line.text[: len(line.text) // 2]))
        else:
            cut.append(line)
    bench.lines = cut
    return bench


def restless() -> Bench:
    """Its counter begins anew whenever it connects, without saying so, and it presses whenever it gets power."""
    bench = Bench("chirpstack-v4/milesight-ws101", "24e1240000000101")
    bench.step("idle", 0)
    _presses(bench)
    last = bench.lines.pop()
    first = next(line for line in bench.lines if isinstance(line, Heard))
    assert isinstance(last, Heard)
    bench.lines.append(replace(first, at_s=last.at_s))
    bench.step("battery", 310)
    bench.says("press")
    return bench


BENCHES = {"good": good, "careless": careless, "forgetful": forgetful, "garbled": garbled, "restless": restless}


def text_of(name: str) -> str:
    bench = BENCHES[name]()
    return written(bench.subject, bench.lines)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in BENCHES:
        (GOLDEN / f"{each}.jsonl").write_text(text_of(each), "utf-8")
