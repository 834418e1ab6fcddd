"""Settings of the process: where it keeps its state, where it listens, whom it pings.

Written in `alertd.toml` under `[daemon]`; an environment variable `ALERTD_<NAME>` beats the file. Never a secret.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, PostgresDsn, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from alertd.config.problems import Problem, ProblemSeverity, did_you_mean
from alertd.config.secrets_in_clear import has_password, secret_parameter
from alertd.model.this_machine import is_this_machine

ENVIRONMENT_PREFIX = "ALERTD_"
SECRET_PREFIX = "ALERTD_SECRET_"
ENVIRONMENT = "environment"
"""Stands for a file name in problems of environment variables."""

_OTHER_VARIABLES = frozenset({"ALERTD_CONFIG", "ALERTD_SIM_PASSWORD"})
"""Read elsewhere: the command line takes the configuration directory from it; a played device its password."""


class Settings(BaseSettings):
    """What one daemon process needs to know before it reads anything else."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, validate_default=True
    )

    state_dir: Path = Field(default=Path("/var/lib/alertd"), description="Database, ballast and identity live here.")
    store_url: str = Field(
        default="", description="sqlite:////path or postgresql://…; empty: SQLite at <state_dir>/alertd.db."
    )
    spare_dir: Path = Field(
        default=Path("/dev/shm/alertd"),  # noqa: S108 - tmpfs on purpose: it is the store when the disk is full
        description="Directory on tmpfs where the store goes on when the disk is full.",
    )
    ballast_mib: int = Field(default=64, ge=0, le=4096, description="Size of the file freed first on a full disk; MiB.")
    socket_path: Path | None = Field(
        default=None, description="Local socket of the command line; empty: <state_dir>/alertd.sock."
    )
    listen: str = Field(default="", description="host:port of the console over HTTP; empty: the local socket only.")
    public_base_url: str | None = Field(
        default=None, description="https://… under which providers reach our callbacks; empty: replies are polled."
    )
    heartbeat_url: str | None = Field(
        default=None, description="Pinged while broker session, commit and dispatch loop are proven alive."
    )
    heartbeat_every_s: float = Field(default=60.0, ge=5, le=3600, description="Seconds between two pings.")
    commit_batch_max: int = Field(default=200, ge=1, le=500, description="Most events of one commit.")
    sensor_detail_days: int = Field(
        default=30, ge=1, le=366, description="Days after which an incident of sensors names nobody any more."
    )
    log_format: Literal["json", "console"] = Field(default="json", description="json for machines, console for people.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    demo_wait_s: int | None = Field(
        default=None, gt=0, le=600, description="With demo = true only: no step waits longer than this."
    )

    @field_validator("socket_path", "public_base_url", "heartbeat_url", "demo_wait_s", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("public_base_url", "heartbeat_url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        if value is not None:
            if has_password(value) or secret_parameter(value):
                raise ValueError("has a secret in its URL; secrets never stand in files")
            TypeAdapter(HttpUrl).validate_python(value)
        return value

    @field_validator("state_dir", "spare_dir", "socket_path")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("is not an absolute path: it would depend on where the command is typed")
        return value

    @field_validator("listen")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError('write it as "127.0.0.1:8420"')
        return value

    @field_validator("store_url")
    @classmethod
    def _is_a_known_store(cls, value: str) -> str:
        if value.startswith(("postgresql://", "postgres://")):
            if TypeAdapter(PostgresDsn).validate_python(value).hosts()[0]["password"]:
                raise ValueError("a password does not belong here: use ~/.pgpass, PGPASSFILE or peer authentication")
        elif value and not value.startswith("sqlite:////"):
            raise ValueError('write "sqlite:////var/lib/alertd/alertd.db" or "postgresql://user@host/alertd"')
        return value

    @property
    def store(self) -> str:
        """The store's URL, defaults filled in."""
        return self.store_url or f"sqlite:///{self.state_dir / 'alertd.db'}"

    @property
    def socket(self) -> Path:
        """The command line's socket, defaults filled in."""
        return self.socket_path or self.state_dir / "alertd.sock"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def read_settings(
    table: Mapping[str, Any], lines: Mapping[str, int], file: str, environ: Mapping[str, str]
) -> tuple[Settings, list[Problem]]:
    """Settings from the `[daemon]` table and the environment. Wrong ones are problems, and their defaults are used."""
    problems: list[Problem] = []
    known = set(Settings.model_fields)
    given = {key: value for key, value in table.items() if key in known}
    for key in table.keys() - known:
        line = lines.get(key, 0)
        problems.append(_problem(file, line, f"daemon.{key}", "unknown key", did_you_mean(key, known)))
    problems += _unknown_variables(environ, known)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]): detail["msg"].removeprefix("Value error, ") for detail in error.errors()}
    else:
        return settings, problems + _doubts(settings, lines, file, environ)
    for key, message in wrong.items():
        remedy = Settings.model_fields[key].description or ""
        problems.append(_problem(*_place(key, lines, file, environ), message, remedy))
    return Settings.model_construct(), problems


def _place(key: str, lines: Mapping[str, int], file: str, environ: Mapping[str, str]) -> tuple[str, int, str]:
    """File, line and key where a setting comes from."""
    variable = ENVIRONMENT_PREFIX + key.upper()
    return (ENVIRONMENT, 0, variable) if environ.get(variable) else (file, lines.get(key, 0), f"daemon.{key}")


def _doubts(settings: Settings, lines: Mapping[str, int], file: str, environ: Mapping[str, str]) -> list[Problem]:
    base = urlsplit(settings.public_base_url or "")
    if base.scheme != "http" or is_this_machine(base.hostname or ""):
        return []
    message = "answers of people and dispatch centers would travel in clear"
    place = _place("public_base_url", lines, file, environ)
    return [_problem(*place, message, "write https://…, and let a proxy hold the certificate", ProblemSeverity.WARNING)]


def _unknown_variables(environ: Mapping[str, str], known: set[str]) -> list[Problem]:
    names = {ENVIRONMENT_PREFIX + key.upper() for key in known}
    unknown = [
        name
        for name in sorted(environ)
        if name.startswith(ENVIRONMENT_PREFIX)
        and not name.startswith(SECRET_PREFIX)
        and name not in names | _OTHER_VARIABLES
    ]
    return [
        _problem(ENVIRONMENT, 0, name, "unknown variable", did_you_mean(name, names), ProblemSeverity.WARNING)
        for name in unknown
    ]


def _problem(
    file: str,
    line: int,
    key: str,
    message: str,
    remedy: str,
    severity: ProblemSeverity = ProblemSeverity.ERROR,
) -> Problem:
    return Problem(file=file, line=line, key=key, message=message, remedy=remedy, severity=severity)
