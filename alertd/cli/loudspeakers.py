"""`alertd say` and `alertd pa stop`: words over loudspeakers, and silence.

Imports wait until a command needs them.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from alertd.console.client import Client
from alertd.console.options import By, Json, KeyOption, Name
from alertd.console.terminal import Exit, await_voice, daemon, show_committed, signed

VOICE_WAIT_S = 5
LOST = frozenset({"failed", "expired", "suppressed", "withdrawn"})
"""Of what was to be said, and was not."""

pa_app = typer.Typer(no_args_is_help=True, help="Loudspeakers: make them fall silent. To have words said: alertd say.")
VoiceWait = Annotated[
    int, typer.Option("--wait", min=0, max=30, help="Seconds to wait until every loudspeaker has taken it.")
]


def say(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="A site's id.")],
    words: Annotated[str, typer.Argument(help="What people hear, twice: at most 200 characters.")],
    zone: Annotated[
        list[str] | None, typer.Option("--zone", help="Only these of its loudspeakers; may be given more than once.")
    ] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Cuts what is being said, also the announcement of a lockdown.")
    ] = False,
    by: By = None,
    name: Name = None,
    wait: VoiceWait = VOICE_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Have words said over a site's loudspeakers: one announcement, a tone and the words, twice.

    Refused while a lockdown is open, and while anything else is being announced; --emergency is for words that belong
    to it. It is tried once: where other words are still being said it fails, and says for how long. What left was
    handed to the network: no loudspeaker can say whether anybody heard it.

    Example:  alertd say oak --zone gym "Practice is over, please leave by door 5." --by ruiz
    """
    from alertd.console.client import segment

    order = {**signed(by, name), "words": words, "zones": zone or [], "emergency": emergency}
    with daemon(context) as client:
        _speak(client, client.post(f"/v1/sites/{segment(site)}/say", order, key), wait, as_json)


@pa_app.command("stop")
def stop_loudspeakers(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="A site's id.")],
    by: By = None,
    name: Name = None,
    wait: VoiceWait = VOICE_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Make a site's loudspeakers fall silent, in mid-word. Silences speakers and nothing else.

    What waits, or is still being put into speech, is taken back, and what was to be repeated is not; people are called
    and texted as before. It holds for the incidents that are open: a graver one, a new one, or a press after the end of
    this one is spoken of again.

    Example:  alertd pa stop oak --by ruiz
    """
    from alertd.console.client import segment

    with daemon(context) as client:
        _speak(client, client.post(f"/v1/sites/{segment(site)}/silence", signed(by, name), key), wait, as_json)


def _speak(client: Client, answer: Mapping[str, Any], wait: int, as_json: bool) -> None:
    """What became of it. Exits 1 if any loudspeaker did not take it."""
    rows = await_voice(client, answer["notifications"], wait)
    show_committed({**answer, "notifications": rows}, as_json)
    raise typer.Exit(Exit.OK if all(row["state"] not in LOST for row in rows) else Exit.FAILED)
