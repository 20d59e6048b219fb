"""Keys: only digests are kept, and a wrong key learns nothing."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from pathlib import Path

import pytest

import api.keys
from api.keys import KeyStore, KeyStoreError


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.json")


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    import time

    now = time.time() + seconds
    monkeypatch.setattr(api.keys.time, "time", lambda: now)


def test_a_token_opens_until_its_key_is_revoked(store: KeyStore) -> None:
    key, token = store.create("Jobs Inc.")
    assert store.verify(token) == key
    store.revoke(key.id)
    assert store.verify(token) is None


def test_a_token_has_256_random_bits_and_is_never_made_twice(store: KeyStore) -> None:
    tokens = {store.create("x")[1] for _ in range(20)}
    secrets = {token.split("_", 2)[2] for token in tokens}
    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {43}  # 43 × 6 bits hold 256


def test_the_file_has_the_sha256_and_not_the_secret_and_is_the_owners_alone(store: KeyStore) -> None:
    _, token = store.create("x")
    secret = token.split("_", 2)[2]
    data = store.path.read_text()
    assert secret not in data
    assert hashlib.sha256(secret.encode()).hexdigest() in data
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [p.name for p in store.path.parent.iterdir() if secret in p.read_text(errors="replace")] == []


def test_any_change_of_a_token_makes_it_worthless(store: KeyStore) -> None:
    _, token = store.create("x")
    other = store.create("y")[1]
    swapped = "_".join((*token.split("_", 2)[:2], other.split("_", 2)[2]))
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (
        "",
        token[:-1],
        token + "A",
        flipped,
        swapped,
        token.upper(),
        " " + token,
        "mk_",
        "\ud800",
        "mk_" + "0" * 16 + "_" + "A" * 43,
    ):
        assert store.verify(wrong) is None, wrong
    assert store.verify(token) is not None


def test_known_and_unknown_ids_are_both_compared_in_constant_time(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = store.create("x")
    seen: list[tuple[int, int]] = []
    real = api.keys.hmac.compare_digest

    def spy(a: str, b: str) -> bool:
        seen.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(api.keys.hmac, "compare_digest", spy)
    for candidate in (token, token[:-1] + "A", "mk_" + "0" * 16 + "_" + "A" * 43, "", "nonsense"):
        store.verify(candidate)
    assert seen == [(64, 64)] * 5


def test_an_expired_key_opens_nothing(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = store.create("x", days=1)
    later(monkeypatch, 86_300)
    assert store.verify(token) is not None
    later(monkeypatch, 86_500)
    assert store.verify(token) is None


def test_a_rotated_key_works_on_for_the_overlap_beside_its_successor(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old, old_token = store.create("x")
    new, new_token = store.rotate(old.id, overlap_days=7)
    assert (new.name, new.scope) == (old.name, old.scope)
    assert store.verify(old_token) is not None
    assert store.verify(new_token) is not None
    later(monkeypatch, 7 * 86_400 + 10)
    assert store.verify(old_token) is None
    assert store.verify(new_token) is not None


def test_a_rotation_never_lengthens_the_life_of_the_old_key(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old, token = store.create("x", days=1)
    store.rotate(old.id, overlap_days=30)
    later(monkeypatch, 86_500)
    assert store.verify(token) is None
    with pytest.raises(KeyStoreError, match="expired"):
        store.rotate(old.id)


def test_a_key_opens_its_own_scope_only(store: KeyStore) -> None:
    _, caller = store.create("caller")
    _, admin = store.create("admin", scope="admin")
    assert store.verify(caller, scope="admin") is None
    assert store.verify(admin, scope="match") is None
    assert store.verify(admin, scope="admin") is not None


def test_another_process_sees_a_revocation_without_being_told(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.keys, "_STALE", 0.0)
    key, token = store.create("x")
    reader = KeyStore(store.path)
    assert reader.verify(token) is not None
    store.revoke(key.id)
    assert reader.verify(token) is None


def test_a_store_that_breaks_while_it_is_used_keeps_the_keys_that_it_had(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.keys, "_STALE", 0.0)
    _, token = store.create("x")
    store.path.write_text("{")
    assert store.verify(token) is not None


def test_writers_at_the_same_time_lose_no_key(store: KeyStore) -> None:
    threads = [threading.Thread(target=lambda: KeyStore(store.path).create("x")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list()) == 12


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"format": 2, "keys": []}', '{"format": 1, "keys": [{"id": "x"}]}', "\x00"])
def test_a_corrupt_store_is_named(store: KeyStore, data: str) -> None:
    store.path.write_text(data)
    store.path.chmod(0o600)
    with pytest.raises(KeyStoreError, match=r"keys\.json: not a key store"):
        store.load()


def test_a_store_that_others_can_read_is_refused(store: KeyStore) -> None:
    store.create("x")
    store.path.chmod(0o640)
    with pytest.raises(KeyStoreError, match="chmod 600"):
        KeyStore(store.path).load()


def test_a_store_that_is_not_there_says_how_to_make_one(store: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="keys create"):
        store.load()
    with pytest.raises(KeyStoreError, match="no key of this id"):
        store.revoke("0" * 16)


def test_a_failed_write_leaves_the_old_store_and_no_leftovers(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("x")
    before = store.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyStoreError, match="No space left"):
        store.create("y")
    assert store.path.read_bytes() == before
    assert sorted(p.name for p in store.path.parent.iterdir()) == [".keys.json.lock", "keys.json"]
    assert len(json.loads(before)["keys"]) == 1
