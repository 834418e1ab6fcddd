"""What births said, kept for what comes after them: names of aliases, states of switches, sequence numbers.

Owns the memory of edge nodes. It is bounded: only nodes and devices are remembered of which the registry has a row,
and `METRICS_MAX`, `WAITING_MAX` of each. Knows no clock, and sends nothing: `asked` is for who can publish. It is
empty after a restart: then a node that says numbers is asked for its birth, and what it said meanwhile waits here.

What a message has taught can be forgotten again (`unlearn`), for the broker delivers again what no commit has taken:
said twice it must mean twice the same. So nothing that is remembered is changed in its place, but for `_Node` and
`_Device`, of which a copy is kept; and what came after it, which the broker may never say again, is learned once more.

Must never guess: an alias that no birth named is unread, a death of another session (`bdSeq`) kills nobody, and what
waited is thrown away when its device dies, because the next birth may give the same number to something else (that it
may have been a press was said when it came). What was true before something was lost, and is true after it, may have
been let go and pressed in between: it is *standing*, as if it were heard of for the first time.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import spelled_alike
from alertd.model.registry import Registry
from alertd_adapters.decoders.sparkplug.wire import BOOLEAN, METRICS_MAX, Metric, Payload, as_signed

WAITING_MAX = 64
"""Metrics of one device that wait for its birth; the oldest goes first."""
ASK_AGAIN = 20
"""A node that was asked for its birth and does not answer is asked again after so many unread messages."""
SEQ_ROUND = 256
UNDONE_MAX = 256
"""Messages that can be forgotten. What is older is forgotten with its whole node."""
OF_NODE = ""
"""The device of a node that stands for the node itself."""
Kind = Literal["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"]


class Opened(Struct, frozen=True, kw_only=True):
    """A message with names in place of numbers."""

    metrics: tuple[Metric, ...] = ()
    """What is new. Of a birth: what waited for it, and what has changed since we last heard."""
    standing: tuple[Metric, ...] = ()
    """Of a birth: what is true, and nobody knows since when."""
    at_most_us: int | None = None
    """Of a birth: what has changed did so since it was heard of so long ago; `None`: nobody knows how long."""
    unnamed: int = 0
    """Metrics whose alias no birth has named: they wait."""
    stale: bool = False
    """A death of a session that is over."""
    lost: bool = False
    """The sequence has a gap: something before it never came."""


class _Device(Struct, kw_only=True, eq=False):
    aliases: dict[int, tuple[str, int | None]] = {}
    """Alias -> name, data type."""
    types: dict[str, int | None] = {}
    states: dict[str, bool] = {}
    """Booleans as they were said last: a birth that says otherwise tells of what was missed."""
    waiting: list[Metric] = []
    sure: "_Moment | None" = None
    """When it spoke last and nothing before that was lost: its states were true then."""
    doubted: bool = True
    """Something may have been lost since `sure`."""


class _Moment(Struct, frozen=True, kw_only=True):
    """Of a message: when it was heard, in boot time, and the node's own time, in milliseconds. Both are asked: what
    waited at the broker is heard late, and a node without a battery has its clock stand still while it is off."""

    heard_us: int
    said_ms: int

    def before_us(self, later: "_Moment") -> int | None:
        """`None`: a clock went back."""
        if later.said_ms < self.said_ms or later.heard_us < self.heard_us:
            return None
        return max(later.heard_us - self.heard_us, (later.said_ms - self.said_ms) * 1000)


class _Node(Struct, kw_only=True, eq=False):
    bd_seq: int | None = None
    seq: int | None = None
    born: bool = False
    unread: int = 0
    """Messages since it was asked for its birth; 0: it was not."""
    devices: dict[str, _Device] = {}


class _Said(Struct, kw_only=True, eq=False):
    """A message that was opened, and what its node was before it."""

    number: int
    address: tuple[str, str]
    before: _Node
    kind: Kind
    device_id: str
    payload: Payload
    heard_us: int | None
    unnamed: int = 0

    @property
    def moment(self) -> _Moment | None:
        if self.heard_us is None or self.payload.timestamp is None:
            return None
        return _Moment(heard_us=self.heard_us, said_ms=self.payload.timestamp)


class Nodes:
    """All edge nodes of one trigger. `known(group, node, device)` says whether the registry has a row of it."""

    def __init__(self, registry: Callable[[], Registry | None], *, with_group: bool) -> None:
        self._registry = registry
        self._with_group = with_group
        self._indexed: Registry | None = None
        self._prefixes: frozenset[str] = frozenset()
        self._nodes: dict[tuple[str, str], _Node] = {}
        self.asked: list[tuple[str, str]] = []
        """Group and node of whom to ask for a birth."""
        self._message = 0
        self._said: deque[_Said] = deque(maxlen=UNDONE_MAX)

    def begin(self) -> None:
        """Another message comes, whether or not it can be opened."""
        self._message += 1

    def unlearn(self) -> Callable[[], None]:
        """How to forget the message that came last. What came after it stays known."""
        last = self._said[-1] if self._said and self._said[-1].number == self._message else None

        def back() -> None:
            if last is None or last.address not in self._nodes:
                return
            of_node = [each for each in self._said if each.address == last.address]
            if last not in of_node:  # too long ago: births bring everything back
                del self._nodes[last.address]
                for each in of_node:
                    self._said.remove(each)
                return
            later = [each for each in of_node if each.number > last.number]
            self._said.remove(last)
            node = self._nodes[last.address] = last.before
            self._ask(node, last.address)
            for each in later:
                each.before = _copy(node)
                self._learn_again(node, each)

        return back

    def _learn_again(self, node: _Node, said: _Said) -> None:
        """What was read when it came has been told, and does not wait now that its names are forgotten."""
        waiting = {device_id: device.waiting for device_id, device in node.devices.items()}
        opened = self._open(node, said)
        if opened.unnamed and not said.unnamed:
            node.devices[said.device_id].waiting = waiting.get(said.device_id, [])

    def open(
        self, kind: Kind, group: str, node_id: str, device_id: str, payload: Payload, heard_us: int | None = None
    ) -> Opened:
        """`heard_us`: in boot time; `None`: nobody knows."""
        node = self._node(group, node_id)
        if node is None:
            return _as_it_stands(payload)
        said = _Said(
            number=self._message,
            address=(group, node_id),
            before=_copy(node),
            kind=kind,
            device_id=device_id,
            payload=payload,
            heard_us=heard_us,
        )
        self._said.append(said)
        opened = self._open(node, said)
        said.unnamed = opened.unnamed
        return opened

    def _open(self, node: _Node, said: _Said) -> Opened:
        kind, device_id, payload = said.kind, said.device_id, said.payload
        is_known = self.is_known(*said.address, device_id)
        if kind == "NBIRTH":
            return self._node_birth(node, said, is_known=is_known)
        if kind == "NDEATH":
            return _node_death(node, payload)
        lost = _count(node, payload)
        if lost:
            _doubt(node)
        match kind:
            case "DBIRTH":
                opened = _birth(node, said) if is_known else Opened()
            case "DDEATH":
                _bury(node.devices.get(device_id))
                opened = Opened()
            case _:
                opened = _data(node, said) if is_known else _as_it_stands(payload)
        if lost or opened.unnamed or not node.born:
            self._ask(node, said.address)
        return replace(opened, lost=lost)

    def id_of(self, group: str, node_id: str, device_id: str) -> str:
        """As devices.csv writes it."""
        parts = [*([group] if self._with_group else []), node_id, *([device_id] if device_id else [])]
        return ":".join(parts)

    def _ask(self, node: _Node, address: tuple[str, str]) -> None:
        if node.unread % ASK_AGAIN == 0:
            self.asked.append(address)
        node.unread += 1

    def _node_birth(self, node: _Node, said: _Said, *, is_known: bool) -> Opened:
        """A new session, or the old one said again. Its devices' births follow; until then their numbers mean nothing.
        What they were, and what waits, is kept for them."""
        payload = said.payload
        bd_seq = payload.metric("bdSeq")
        if node.bd_seq is not None and bd_seq != node.bd_seq:  # it was away: numbers of before may be others now
            for device in node.devices.values():
                device.waiting = []
            _doubt(node)
        node.bd_seq = bd_seq if isinstance(bd_seq, int) else None
        node.seq, node.born, node.unread = payload.seq, True, 0
        for device in node.devices.values():
            device.aliases, device.doubted = {}, True
        return _birth(node, said) if is_known else Opened()

    # --- which are ours

    def _node(self, group: str, node_id: str) -> _Node | None:
        if not self._is_prefix(self.id_of(group, node_id, OF_NODE)):
            self._nodes.pop((group, node_id), None)
            return None
        return self._nodes.setdefault((group, node_id), _Node())

    def is_known(self, group: str, node_id: str, device_id: str) -> bool:
        return self._is_prefix(self.id_of(group, node_id, device_id))

    def _is_prefix(self, text: str) -> bool:
        """Is it a row of the registry, or does one begin so (a button of it)?"""
        registry = self._registry()
        if registry is not self._indexed:
            self._prefixes = _prefixes(registry)
            self._indexed = registry
        return text in self._prefixes or spelled_alike(text) in self._prefixes


def _prefixes(registry: Registry | None) -> frozenset[str]:
    found: set[str] = set()
    for device_id in registry.devices if registry is not None else ():
        parts = device_id.split(":")
        found |= {device_id, spelled_alike(device_id)}
        found |= {":".join(parts[:length]) for length in range(1, len(parts))}
    return frozenset(found)


def _copy(node: _Node) -> _Node:
    return replace(node, devices={device_id: replace(device) for device_id, device in node.devices.items()})


def _as_it_stands(payload: Payload) -> Opened:
    """Of a stranger nothing is kept; what carries its name is readable all the same."""
    named = tuple(each for each in payload.metrics if each.name)
    return Opened(metrics=named, unnamed=0)


def _count(node: _Node, payload: Payload) -> bool:
    """Follow the sequence: was something lost? The same number again is a copy."""
    before, node.seq = node.seq, payload.seq
    if before is None or payload.seq is None:
        return False
    return payload.seq not in (before, (before + 1) % SEQ_ROUND)


def _birth(node: _Node, said: _Said) -> Opened:
    payload, moment = said.payload, said.moment
    device = node.devices.setdefault(said.device_id, _Device())
    device.aliases = {
        each.alias: (each.name, each.datatype) for each in payload.metrics if each.alias is not None and each.name
    }
    device.types = {each.name: each.datatype for each in payload.metrics if each.name}
    waited, device.waiting = device.waiting, []
    news = [named for each in waited if (named := _named(device, each)) is not None and _fits(device, named)]
    for each in news:
        if not each.historical:
            _note(device, each)
    standing: list[Metric] = []
    for each in payload.metrics:
        before = device.states.get(each.name)
        if before is None and each.value is True:
            standing.append(replace(each, timestamp=None))
        elif before is not None and isinstance(each.value, bool) and before is not each.value:
            news.append(replace(each, timestamp=None, historical=True))  # it changed, and nobody knows when
        _note(device, each)
    stored = any(each.historical for each in waited)  # as old as that is
    at_most_us = None if stored or moment is None or device.sure is None else device.sure.before_us(moment)
    device.sure, device.doubted = moment, False
    return Opened(metrics=tuple(news), standing=tuple(standing), at_most_us=at_most_us)


def _data(node: _Node, said: _Said) -> Opened:
    payload = said.payload
    device = node.devices.setdefault(said.device_id, _Device())
    if not device.doubted and payload.seq is not None:  # without a number nobody knows whether one was lost
        device.sure = said.moment
    named = [_named(device, each) for each in payload.metrics]
    unread = [each for each, name in zip(payload.metrics, named, strict=True) if name is None]
    device.waiting = [*device.waiting, *unread][-WAITING_MAX:]
    found = tuple(each for each in named if each is not None)
    for each in found:
        if not each.historical:
            _note(device, each)
    return Opened(metrics=found, unnamed=len(unread))


def _node_death(node: _Node, payload: Payload) -> Opened:
    bd_seq = payload.metric("bdSeq")
    if node.bd_seq is not None and bd_seq is not None and bd_seq != node.bd_seq:
        return Opened(stale=True)
    for device in node.devices.values():
        _bury(device)
    node.born, node.unread = False, 0
    return Opened()


def _bury(device: _Device | None) -> None:
    """What was let go is remembered: if the next birth says otherwise, it was pressed meanwhile."""
    if device is not None:
        device.aliases, device.waiting = {}, []
        _doubt_of(device)


def _doubt(node: _Node) -> None:
    """Something was lost: it may have been "let go", and "pressed" again."""
    for device in node.devices.values():
        _doubt_of(device)


def _doubt_of(device: _Device) -> None:
    device.doubted = True
    device.states = {name: value for name, value in device.states.items() if not value}


def _named(device: _Device, metric: Metric) -> Metric | None:
    """With its name, and its value as its type means it; `None`: nobody has said which it is."""
    name, datatype = metric.name, metric.datatype
    if not name:
        if metric.alias is None or metric.alias not in device.aliases:
            return None
        name, known = device.aliases[metric.alias]
        datatype = datatype if datatype is not None else known
    elif datatype is None:
        datatype = device.types.get(name)
    return replace(metric, name=name, datatype=datatype, value=as_signed(metric.value, datatype))


def _fits(device: _Device, metric: Metric) -> bool:
    """A value of another kind than the birth's: its number was given to something else meanwhile."""
    declared = device.types.get(metric.name)
    is_boolean = isinstance(metric.value, bool)
    return declared is None or (declared == BOOLEAN) is is_boolean


def _note(device: _Device, metric: Metric) -> None:
    if not isinstance(metric.value, bool) or device.states.get(metric.name) is metric.value:
        return
    if metric.name in device.states or len(device.states) < METRICS_MAX:
        device.states = {**device.states, metric.name: metric.value}
