"""A peer that is absent is said to be absent, with how to install it, and never stands in the table."""

from pathlib import Path

import pytest

from tests.bench.peers import beside
from tests.bench.peers.known import PEERS
from tests.bench.peers.product import Absent, Found, Peer, find

each_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.product.name)


@each_peer
def test_an_absent_peer_is_said_to_be_absent(peer: Peer, tmp_path: Path):
    found = find(peer, {"PATH": str(tmp_path)})

    assert isinstance(found, Absent)
    said = beside.who([found])
    assert said.startswith(f"{peer.product.name}: SKIPPED, not installed")
    assert peer.variable in said
    assert "Install: " in said


@each_peer
def test_a_variable_that_names_no_program_is_said(peer: Peer, tmp_path: Path):
    """And the one in PATH is not taken instead: the user meant another."""
    nothing = tmp_path / "nothing"

    found = find(peer, {peer.variable: str(nothing)})

    assert found == Absent(peer.product.name, f"{peer.variable} names {nothing}, which is no program that may be run")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / PEERS[0].programs[0]
    path.write_text("#!/bin/sh\necho 'it, version 1.2.3-rc.1 (of today)'\n")
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_a_peer_in_path_is_found_with_its_version(program: Path):
    peer = PEERS[0]

    found = find(peer, {"PATH": str(program.parent)})

    assert found == Found(peer.product, str(program), "1.2.3-rc.1")
    assert beside.who([found]).startswith(f"{peer.product.name} 1.2.3-rc.1\n    {peer.product.settings[0]}")


@pytest.mark.slow
def test_a_peer_that_does_not_run_is_absent(program: Path):
    program.write_text("#!/bin/sh\nexit 3\n")
    peer = PEERS[0]

    found = find(peer, {peer.variable: str(program)})

    assert isinstance(found, Absent)
    assert found.why.startswith(f"{program} is there, but --version failed: ")
