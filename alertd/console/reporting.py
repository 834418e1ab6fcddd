"""What runs by night tells the daemon how it went: a failure is a standing trouble, until the next good run. If another
thing fails the next night, that is told, too.

Owns both ends of `--report`. Must never: page anybody itself, or turn a good backup into a failed one because the
daemon is down.
"""

import typer

from alertd.console import operations
from alertd.console.backend import Backend
from alertd.console.client import NotReachableError, RefusedError, segment
from alertd.console.terminal import daemon
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT

WORDS_CHARACTERS_MAX = 300
KEY = "nightly:"


async def take(backend: Backend, name: str, failure: str) -> str:
    """The daemon's end. An empty `failure` is a good run. Returns the key of the trouble, standing or not."""
    key = KEY + name
    if failure:
        printable = "".join(character for character in failure if character.isprintable())
        summary = f"the nightly {name} failed: {printable}"
        event: TroubleRaised | TroubleCleared = TroubleRaised(
            site_id=DISTRICT, key=key, summary=summary, tells_change=True
        )
    else:
        event = TroubleCleared(site_id=DISTRICT, key=key)
    await operations.committed(backend.door.submit(event))
    backend.door.observe("nightly", f"{name}_failed" if failure else f"{name}_good")
    return key


def tell(context: typer.Context, name: str, failure: str) -> None:
    """The command's end. A daemon that does not answer is said and changes nothing of how the command ends."""
    order = {"failure": " ".join(failure.split())[:WORDS_CHARACTERS_MAX]}
    try:
        with daemon(context, says_why=False) as client:
            client.post(f"/v1/reports/{segment(name)}", order)
    except (NotReachableError, RefusedError) as error:
        first = str(error).partition("\n")[0]
        typer.echo(f"The daemon was not told how it went: {first}", err=True)
