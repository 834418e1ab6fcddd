"""The operators' routes, built once: FastAPI works them out anew for every app, which took longer than the tests."""

from typing import Any

import pytest
from fastapi import FastAPI

from alertd.console.api import operator_app
from tests.console.fake_daemon import FakeDaemon


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    return operator_app(FakeDaemon())


@pytest.fixture
def app(routes: FastAPI, daemon: Any) -> FastAPI:
    """With the test's own daemon behind it."""
    routes.state.backend = daemon
    return routes
