"""The commands ``matcher serve`` and ``matcher keys``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from api.keys import Key, KeyStore
from api.serve import exit_code, serve
from api.settings import SettingsError, load_settings

serve_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
keys_app = typer.Typer(
    help="Keys of the service: who may call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

KeysOption = Annotated[Path | None, typer.Option("--keys", envvar="MATCHER_KEYS_FILE", help="The key store.", show_default=False)]


@serve_app.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [127.0.0.1]", show_default=False)] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0 takes a free one.  [8000]", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes.  [1]", show_default=False)] = None,
    index: Annotated[Path | None, typer.Option("--index", help="Folder of an index; the bundled one by default.")] = None,
    keys: KeysOption = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Listen without keys, elsewhere than on 127.0.0.1 as well.")] = False,
    public_page: Annotated[
        bool, typer.Option("--public-page", help="The page is open, with a limit per address; /v1 needs keys.")
    ] = False,
    show_settings: Annotated[bool, typer.Option("--show-settings", help="Print the settings, secrets hidden, and end.")] = False,
) -> None:
    """Serve the matcher over HTTP.

    Every setting can also stand in the environment (MATCHER_PORT=8080) or in a TOML file that MATCHER_SETTINGS names.
    """
    settings = load_settings(
        host=host, port=port, workers=workers, index=index, keys_file=keys, no_auth=no_auth or None, public_page=public_page or None
    )
    if show_settings:
        print(json.dumps(settings.shown(), indent=1))  # noqa: T201
        return
    raise typer.Exit(serve(settings))


@keys_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    keys: KeysOption = None,
    days: Annotated[float | None, typer.Option("--days", min=0, help="Days until it expires; never by default.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="A key for /admin instead of /v1.")] = False,
) -> None:
    """Make a key and print it, once."""
    key, token = _store(keys).create(name, scope="admin" if admin else "match", days=days)
    _print_token(key, token)


@keys_app.command("list")
def list_(
    keys: KeysOption = None, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """List the keys, without their secrets."""
    now = time.time()
    rows = [
        {
            "id": k.id,
            "name": k.name,
            "scope": k.scope,
            "state": k.state(now),
            "created": _day(k.created),
            "expires": _day(k.expires),
        }
        for k in _store(keys).list()
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))  # noqa: T201
        return
    for row in rows:
        until = f" until {row['expires']}" if row["expires"] else ""
        print(f"{row['id']}  {row['scope']:5}  {row['state']:7}  {row['created']}{until}  {row['name']}")  # noqa: T201


@keys_app.command("revoke")
def revoke(identity: Annotated[str, typer.Argument(metavar="ID")], keys: KeysOption = None) -> None:
    """Shut a key; running services follow within a second."""
    _say(f"{_store(keys).revoke(identity).id}: revoked")


@keys_app.command("rotate")
def rotate(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    keys: KeysOption = None,
    overlap: Annotated[float, typer.Option("--overlap", min=0, help="Days for which the old key still works.")] = 7,
    days: Annotated[float | None, typer.Option("--days", min=0, help="Days until the new key expires; never by default.")] = None,
) -> None:
    """Make the successor of a key and print it, once; the old one works on for a while."""
    key, token = _store(keys).rotate(identity, overlap_days=overlap, days=days)
    _print_token(key, token)


def run(name: str, words: list[str]) -> None:
    """Run ``serve`` or ``keys`` with the words after it; failures end in one line and exit code 2 or 3."""
    try:
        (serve_app if name == "serve" else keys_app)(args=words, prog_name=f"matcher {name}", standalone_mode=True)
    except ValueError as error:
        if type(error).__module__.split(".")[0] not in ("matcher", "api"):
            raise
        _say(f"matcher: {error}")
        sys.exit(exit_code(error))


def _store(path: Path | None) -> KeyStore:
    chosen = path or load_keys_file()
    if chosen is None:
        raise SettingsError("which key store? say --keys FILE or set MATCHER_KEYS_FILE")
    return KeyStore(chosen)


def load_keys_file() -> Path | None:
    """Return the key store that the settings name."""
    return load_settings(no_auth=True).keys_file


def _print_token(key: Key, token: str) -> None:
    # The token alone on standard output: it can be piped into a secret store.
    print(token)  # noqa: T201
    _say(f"{key.id}: {key.name}, scope {key.scope}; this is the only time that the key is shown")


def _day(when: int | None) -> str | None:
    return None if when is None else time.strftime("%Y-%m-%d", time.gmtime(when))


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201
