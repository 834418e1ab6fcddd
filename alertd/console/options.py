"""Options and arguments that several commands take, written once: the same words in every `--help`.

Must hold nothing that is heavy to import.
"""

from pathlib import Path
from typing import Annotated

import typer

from alertd.console.terminal import one_directory

DEFAULT_CONFIG = Path("/etc/alertd")

Json = Annotated[bool, typer.Option("--json", help="Print the API's own JSON, for programs.")]
By = Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who orders it: a person's id.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Who orders it, if not in people.csv: the name as others should read it.")
]
IncidentArg = Annotated[
    str,
    typer.Argument(metavar="INCIDENT", help="Its id or its beginning, its reply token, or a code of the texts (417)."),
]
ConfigArg = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        envvar="ALERTD_CONFIG",
        help="Configuration directory.",
        show_default=True,
        callback=one_directory,
    ),
]
ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="ALERTD_CONFIG",
        help="Configuration directory.",
        show_default=True,
        callback=one_directory,
    ),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: the same order with the same key is done once.")
]
Report = Annotated[
    bool, typer.Option("--report", help="Tell the daemon how it went: a failure is a trouble until the next good run.")
]
