"""Settings come from three places, and a wrong one stops the start with one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.settings import SettingsError, load_settings

DIGEST = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MATCHER_"):
            monkeypatch.delenv(name)


def test_the_call_stands_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "matcher.toml"
    file.write_text('port = 1001\nworkers = 3\nqueue_seconds = 0.5\nallowed_hosts = ["jobs.example.org"]\n')
    monkeypatch.setenv("MATCHER_SETTINGS", str(file))
    monkeypatch.setenv("MATCHER_PORT", "1002")
    monkeypatch.setenv("MATCHER_WORKERS", "4")
    settings = load_settings(port=1003, workers=None)
    assert (settings.port, settings.workers, settings.queue_seconds) == (1003, 4, 0.5)
    assert settings.allowed_hosts == ("jobs.example.org",)


def test_lists_in_the_environment_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHER_CORS_ORIGINS", "https://a.example, https://b.example:8443")
    assert load_settings().cors_origins == ("https://a.example", "https://b.example:8443")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MATCHER_PORT", "eighty", "integer"),
        ("MATCHER_PORT", "70000", "65535"),
        ("MATCHER_PROT", "80", "unknown setting"),
        ("MATCHER_QUEUE_SECONDS", "nan", "should be"),
        ("MATCHER_CORS_ORIGINS", "*", "origins such as"),
        ("MATCHER_CORS_ORIGINS", "https://a.example/page", "without a path"),
        ("MATCHER_ADMIN_KEY_SHA256", "abc", "64 hex digits"),
        ("MATCHER_LOG_LEVEL", "loud", "'info'"),
        ("MATCHER_SETTINGS", "/nonexistent.toml", "cannot be read"),
    ],
)
def test_a_bad_setting_is_named_in_one_line_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    line = str(caught.value)
    assert "\n" not in line
    assert words in line
    assert variable in line or "settings" in variable.lower()


@pytest.mark.parametrize(
    ("text", "words"), [("prot = 1", "prot: unknown setting"), ("port = [", "not TOML"), ("port = 'x'", "port")]
)
def test_a_bad_file_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "matcher.toml"
    file.write_text(text)
    monkeypatch.setenv("MATCHER_SETTINGS", str(file))
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "jobs.example.org"])
def test_a_service_that_others_can_reach_needs_keys_or_the_word_no_auth(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="keys create"):
        load_settings(host=host)
    assert load_settings(host=host, no_auth=True).needs_keys is False
    assert load_settings(host=host, keys_file=tmp_path / "keys.json").needs_keys is True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_service_for_this_machine_alone_needs_no_key(host: str) -> None:
    assert load_settings(host=host).needs_keys is False


def test_the_admin_key_is_never_shown_not_even_in_the_error_of_a_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHER_ADMIN_KEY_SHA256", "sha256:" + DIGEST)
    settings = load_settings()
    assert DIGEST not in str(settings.shown()) + repr(settings)
    assert settings.admin_key_sha256 is not None
    assert settings.admin_key_sha256.get_secret_value() == DIGEST
    monkeypatch.setenv("MATCHER_ADMIN_KEY_SHA256", "secret-word")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "secret-word" not in str(caught.value)
