"""A file is replaced as a whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, content: bytes, dress: Callable[[int], None]) -> None:
    """Written beside, synced, renamed. `dress` gives the new file, by its number and before anything stands in it, the
    owner and mode that it will have; until then only the owner can read it. Raises `OSError`, and leaves nothing."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as stream:
            dress(number)
            stream.write(content)
            stream.flush()
            os.fsync(number)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
