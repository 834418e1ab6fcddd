"""Whatever bytes are in the files: a `Loaded`, never an exception; and what it says can be printed."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd import lint
from alertd.config import load, render_problems

pytestmark = pytest.mark.timeout(170)  # 300 examples on CI's two busy cores

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
FILES = sorted(str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.*"))

CUT = st.tuples(st.integers(0, 4000), st.integers(0, 60))
INSERT = st.one_of(
    st.sampled_from([b"", b'"', b"\n", b"[", b"]]", b"{", b"\x00", b"\xff", b"\xef\xbb\xbf", b";", b",", b"=",
                     b"{token}", b"911", b"-1", b"1e400", b"[[steps]]\n", b"\r", "’".encode(), b"true", b"null"]),
    st.binary(max_size=20),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)  # fmt: skip


def mutated(data: bytes, cut: tuple[int, int], insert: bytes) -> bytes:
    at = cut[0] % (len(data) + 1)
    return data[:at] + insert + data[at + cut[1] :]


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(FILES), CUT, INSERT), min_size=1, max_size=4))
def test_mutated_files_never_raise(mutations):
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(shutil.copytree(EXAMPLE, Path(temporary) / "config"))
        for file, cut, insert in mutations:
            path = directory / file
            path.write_bytes(mutated(path.read_bytes(), cut, insert))

        loaded = load(directory)
        text = render_problems((*loaded.problems, *lint.check(loaded)))

    assert all(problem.message and problem.remedy for problem in loaded.problems)
    assert not (loaded.unread and loaded.is_usable), "what could not be judged would be accepted"
    assert text.splitlines()[-1].endswith(".")


@pytest.mark.slow
@given(st.sampled_from([f for f in FILES if "/" not in f]), st.binary(max_size=200))
def test_a_file_of_any_bytes_never_raises(file, data):
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(shutil.copytree(EXAMPLE, Path(temporary) / "config"))
        (directory / file).write_bytes(data)

        loaded = load(directory)
        lint.check(loaded)

    assert not (loaded.unread and loaded.is_usable), "what could not be judged would be accepted"
