"""`from alertd.ports import X` is the contract with third parties: whatever a door needs has to stand there."""

import pkgutil
from importlib import import_module

import pytest

from alertd import ports


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(ports.__path__)))
def test_what_a_file_of_the_doors_defines_can_be_imported_from_alertd_ports(name: str) -> None:
    module = import_module(f"alertd.ports.{name}")
    mine = {key for key, each in vars(module).items() if getattr(each, "__module__", "") == module.__name__}
    public = {key for key in mine if not key.startswith("_")}
    assert public, "nothing is defined there: the file is of no use"
    assert public - set(ports.__all__) == set(), "an adapter of a third party cannot have it"
    assert all(getattr(ports, key) is getattr(module, key) for key in public & set(ports.__all__))


def test_constants_of_the_doors_are_there_too() -> None:
    assert {"API_VERSION", "PAYLOAD_MAX_BYTES", "PROBE_WAIT_S"} <= set(ports.__all__)
