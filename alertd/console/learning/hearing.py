"""Where `alertd devices learn` hears of strangers: from the daemon, which remembers them; without one, by listening.

Must never disturb a daemon's session, or acknowledge anything: sources listen over sessions of their own.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from alertd.config import Loaded, render_problems
from alertd.console.client import Client
from alertd.console.plugin_check import surroundings_of
from alertd.plugins import fit
from alertd.ports import Overhearing, Stranger

Heard = Mapping[str, Sequence[Stranger]]
"""By source."""


class DeafError(Exception):
    """There is nothing to listen to; the words say why."""


def asked(client: Client) -> Heard:
    """What the running daemon remembers. Raises as the client does."""
    return msgspec.convert(client.get("/v1/strangers")["sources"], dict[str, tuple[Stranger, ...]])


def listened(loaded: Loaded, seconds: float) -> Heard:
    """What every source hears in that time; less if it is interrupted. Raises `DeafError`."""
    fitted = fit([each for each in loaded.sections if each.table == "sources"], surroundings_of(loaded))
    if fitted.problems:
        raise DeafError(render_problems(fitted.problems).rstrip())
    built = [each.source for each in fitted.built.values() if each.source is not None]
    sources = [each for each in built if isinstance(each, Overhearing)]
    if not sources:
        raise DeafError("no source of channels.toml can be listened to")
    with asyncio.Runner() as runner:
        try:
            runner.run(_listen(sources, seconds))
        except KeyboardInterrupt:
            pass  # enough was heard
        except ExceptionGroup as error:
            raise DeafError("; ".join(map(str, error.exceptions))) from None
    return {source.name: source.strangers() for source in sources}


async def _listen(sources: Sequence[Overhearing], seconds: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(source.overhear()) for source in sources]
        await asyncio.sleep(seconds)
        for each in listening:
            each.cancel()
