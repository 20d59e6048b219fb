"""The settings of the service: from the command line, the environment (``MATCHER_…``) and one TOML file, in this order."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "MATCHER_"
FILE_VARIABLE = "MATCHER_SETTINGS"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Seconds = Annotated[float, Field(gt=0, le=3600)]
Bytes = Annotated[int, Field(ge=1024, le=1 << 30)]
#: Lists are written with commas in the environment.
Names = Annotated[tuple[str, ...], NoDecode]


class SettingsError(ValueError):
    """A setting is unknown or bad; the text is one line that names it and what was expected."""


class Settings(BaseSettings):
    """What an operator can choose. Names in the environment are ``MATCHER_`` and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    index: Path | None = None
    encoder: Path | None = None
    #: An index of the same occupations that MiniLM made: requests may then ask for `accurate`.
    accurate_index: Path | None = None
    keys_file: Path | None = None
    admin_key_sha256: SecretStr | None = None
    no_auth: bool = False
    public_page: bool = False
    allowed_hosts: Names = ()
    cors_origins: Names = ()
    trusted_proxies: Names = ()
    #: Matches at once in one worker; one thread of Python keeps a core busy.
    max_concurrent: int = Field(1, ge=1, le=64)
    document_children: int = Field(2, ge=1, le=64)
    max_connections: int = Field(1000, ge=10, le=100_000)
    queue_seconds: Seconds = 1.0
    match_seconds: Seconds = 2.0
    document_seconds: Seconds = 6.0
    batch_seconds: Seconds = 30.0
    header_seconds: Seconds = 5.0
    request_seconds: Seconds = 15.0
    write_seconds: Seconds = 15.0
    drain_seconds: float = Field(1.0, ge=0, le=60)
    shutdown_seconds: Seconds = 9.0
    reload_seconds: Seconds = 0.5
    json_bytes: Bytes = 512 * 1024
    batch_bytes: Bytes = 4 * 1024 * 1024
    upload_bytes: Bytes = 5 * 1024 * 1024
    header_bytes: Bytes = 32 * 1024
    header_fields: int = Field(100, ge=10, le=1000)
    rate_limit: int | None = Field(None, ge=1, le=1_000_000_000)
    public_rate_limit: int = Field(60, ge=1, le=1_000_000_000)
    rate_seconds: Seconds = 60.0
    rates_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("allowed_hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
                raise ValueError("expected origins such as https://jobs.example.org, without a path; * is not allowed")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("admin_key_sha256")
    @classmethod
    def _digest(cls, value: SecretStr | None) -> SecretStr | None:
        digits = value.get_secret_value().removeprefix("sha256:") if value else ""
        if value is not None and not (len(digits) == 64 and set(digits) <= set("0123456789abcdef")):
            raise ValueError("expected the 64 hex digits of a sha256")
        return None if value is None else SecretStr(digits)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what was said in the call before the environment, and the environment before the file; nothing else."""
        return init_settings, env_settings, _File(settings_cls)

    @property
    def needs_keys(self) -> bool:
        """Whether requests to ``/v1`` must show a key."""
        return self.keys_file is not None and not self.no_auth

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in LOOPBACK

    def shown(self) -> dict[str, Any]:
        """Return the settings as JSON values, secrets hidden."""
        return self.model_dump(mode="json")


class _File(PydanticBaseSettingsSource):
    """The TOML file that MATCHER_SETTINGS names."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        path = os.environ.get(FILE_VARIABLE)
        if not path:
            return {}
        try:
            with Path(path).open("rb") as handle:
                return tomllib.load(handle)
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise SettingsError(f"{path}: not TOML ({error})") from None


def load_settings(**overrides: Any) -> Settings:
    """Return the settings; ``overrides`` that are None count as not given.

    Raises SettingsError, with one line, for an unknown or bad setting, and for a service that would be open to others by accident.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    ours = (name for name in os.environ if name.upper().startswith(PREFIX) and not name.startswith("MATCHER_TEST_"))
    if unknown := sorted(name for name in ours if name.upper() not in known):
        raise SettingsError(f"{unknown[0]}: unknown setting; `matcher serve --show-settings` lists those there are")
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_one_line(error, overrides)) from None
    if not settings.on_loopback and settings.keys_file is None and not settings.no_auth:
        raise SettingsError(
            f"host {settings.host}: others could reach the service without a key; make one with `matcher keys create NAME --keys FILE` "
            "and set MATCHER_KEYS_FILE, or say --no-auth"
        )
    return settings


def _one_line(error: ValidationError, overrides: Mapping[str, Any]) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    if first["type"] == "extra_forbidden":
        return f"{name}: unknown setting; `matcher serve --show-settings` lists those there are"
    variable = PREFIX + name.upper()
    where = f"--{name.replace('_', '-')}" if overrides.get(name) is not None else variable if variable in os.environ else name
    message = str(first["msg"]).removeprefix("Value error, ")
    value = overrides.get(name)
    shown = "" if name == "admin_key_sha256" else f" {os.environ.get(variable, '') if value is None else value!s}"
    return f"{where}:{shown if shown.strip() else ''} {message[0].lower()}{message[1:]}"
