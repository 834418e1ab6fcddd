"""What births said, kept for what comes after them: names of aliases, states of switches, sequence numbers.

Owns the memory of edge nodes. It is bounded: only nodes and devices are remembered of which the registry has a row,
and `METRICS_MAX`, `WAITING_MAX` of each. Knows no clock, and sends nothing: `asked` is for who can publish. It is
empty after a restart: then a node that says numbers is asked for its birth, and what it said meanwhile waits here.

What a message has taught can be forgotten again (`unlearn`), for the broker delivers again what no commit has taken:
said twice it must mean twice the same. So nothing that is remembered is changed in its place, but for `_Node` and
`_Device`, of which a copy is kept.

Must never guess: an alias that no birth named is unread, a death of another session (`bdSeq`) kills nobody, and what
waited is thrown away when its device dies, because the next birth may give the same number to something else.
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
"""Messages that can be forgotten; more are never under way. What is older is forgotten with its whole node."""
OF_NODE = ""
"""The device of a node that stands for the node itself."""
Kind = Literal["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"]


class Opened(Struct, frozen=True, kw_only=True):
    """A message with names in place of numbers."""

    metrics: tuple[Metric, ...] = ()
    """What is new. Of a birth: what waited for it, and what has changed since we last heard."""
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


class _Node(Struct, kw_only=True, eq=False):
    bd_seq: int | None = None
    seq: int | None = None
    born: bool = False
    unread: int = 0
    """Messages since it was asked for its birth; 0: it was not."""
    devices: dict[str, _Device] = {}


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
        self._before: deque[tuple[int, tuple[str, str], _Node]] = deque(maxlen=UNDONE_MAX)
        """Number of a message, and what its node was before it."""

    def begin(self) -> None:
        """Another message comes, whether or not it can be opened."""
        self._message += 1

    def unlearn(self) -> Callable[[], None]:
        """How to forget the message that came last, and whatever came after it."""
        number = self._message

        def back() -> None:
            if self._before and number < self._before[0][0] and len(self._before) == UNDONE_MAX:
                self._nodes.clear()  # too long ago: births bring everything back
                self._before.clear()
            while self._before and self._before[-1][0] >= number:
                _, address, node = self._before.pop()
                self._nodes[address] = node
                self._ask(node, address)

        return back

    def open(self, kind: Kind, group: str, node_id: str, device_id: str, payload: Payload) -> Opened:
        node = self._node(group, node_id)
        if node is None:
            return _as_it_stands(payload)
        self._before.append((self._message, (group, node_id), _copy(node)))
        if kind == "NBIRTH":
            return self._node_birth(node, payload, is_known=self.is_known(group, node_id, OF_NODE))
        if kind == "NDEATH":
            return _node_death(node, payload)
        lost = _count(node, payload)
        is_known = self.is_known(group, node_id, device_id)
        match kind:
            case "DBIRTH":
                opened = _birth(node, device_id, payload) if is_known else Opened()
            case "DDEATH":
                _bury(node.devices.get(device_id))
                opened = Opened()
            case _:
                opened = _data(node, device_id, payload) if is_known else _as_it_stands(payload)
        if lost or opened.unnamed or not node.born:
            self._ask(node, (group, node_id))
        return replace(opened, lost=lost)

    def id_of(self, group: str, node_id: str, device_id: str) -> str:
        """As devices.csv writes it."""
        parts = [*([group] if self._with_group else []), node_id, *([device_id] if device_id else [])]
        return ":".join(parts)

    def _ask(self, node: _Node, address: tuple[str, str]) -> None:
        if node.unread % ASK_AGAIN == 0:
            self.asked.append(address)
        node.unread += 1

    def _node_birth(self, node: _Node, payload: Payload, *, is_known: bool) -> Opened:
        """A new session, or the old one said again. Its devices' births follow; until then their numbers mean nothing.
        What they were, and what waits, is kept for them."""
        bd_seq = payload.metric("bdSeq")
        if node.bd_seq is not None and bd_seq != node.bd_seq:  # it was away: numbers of before may be others now
            for device in node.devices.values():
                device.waiting = []
        node.bd_seq = bd_seq if isinstance(bd_seq, int) else None
        node.seq, node.born, node.unread = payload.seq, True, 0
        for device in node.devices.values():
            device.aliases = {}
        return _birth(node, OF_NODE, payload) if is_known else Opened()

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


def _birth(node: _Node, device_id: str, payload: Payload) -> Opened:
    device = node.devices.setdefault(device_id, _Device())
    device.aliases = {
        each.alias: (each.name, each.datatype) for each in payload.metrics if each.alias is not None and each.name
    }
    device.types = {each.name: each.datatype for each in payload.metrics if each.name}
    waited, device.waiting = device.waiting, []
    news = [named for each in waited if (named := _named(device, each)) is not None and _fits(device, named)]
    for each in news:
        _note(device, each)
    for each in payload.metrics:
        if isinstance(each.value, bool) and device.states.get(each.name, each.value) is not each.value:
            news.append(replace(each, timestamp=None, historical=True))  # it changed, and nobody knows when
        _note(device, each)
    return Opened(metrics=tuple(news))


def _data(node: _Node, device_id: str, payload: Payload) -> Opened:
    device = node.devices.setdefault(device_id, _Device())
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
    node.born, node.unread, node.seq = False, 0, None
    return Opened()


def _bury(device: _Device | None) -> None:
    """Its states are kept: what the next birth says otherwise has happened meanwhile."""
    if device is not None:
        device.aliases, device.waiting = {}, []


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
