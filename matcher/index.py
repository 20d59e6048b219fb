"""The occupation index: what a release says, as vectors and flat arrays in one folder that is never changed in place.

On disk an index is ``DIR/CURRENT`` (the name of a version) beside ``DIR/<version>/``: a manifest and the arrays. A version is written
under a temporary name, synced and renamed, then ``CURRENT`` is replaced, so a reader sees the old index or the new one. The
version's name is the beginning of its manifest's sha256, and the manifest holds size and sha256 of every file, so a change of
any byte is found when the index is loaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher._version import __version__
from matcher.encoder import Encoder
from matcher.lexical import LexicalIndex, Postings, build_lexical, words
from matcher.records import Kind, Occupation, Release, Wage, importance_percent

FORMAT = 1
MANIFEST = "manifest.json"
CURRENT = "CURRENT"
#: Up to here products of 8-bit rows are below 2^24, hence exact in float32.
MAX_DIM = 1040

#: The kinds that are statements of an index, in the order of its rows.
KINDS: tuple[Kind, ...] = (
    Kind.TITLE,
    Kind.DESCRIPTION,
    Kind.TASK,
    Kind.ACTIVITY,
    Kind.KNOWLEDGE,
    Kind.SKILL,
    Kind.WORK_ACTIVITY,
    Kind.TECHNOLOGY,
)
#: The kinds whose mean vector stands for the whole group of an occupation.
CENTROIDS: tuple[Kind, ...] = (Kind.TITLE, Kind.DESCRIPTION, Kind.TASK, Kind.ACTIVITY, Kind.TECHNOLOGY)


class OccupationIndexError(ValueError):
    """An index is missing, corrupt, foreign, or cannot be written; the text names the file and what was expected."""


class IndexNotFound(OccupationIndexError):
    """There is no index where one was expected."""


class IndexBusy(OccupationIndexError):
    """Another process is writing this index."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """Unit rows as whole numbers −127…127 with a scale a row: row ``i`` is ``values[i] * scales[i]``.

    Products of two such rows are sums of whole numbers below 2^24 for up to 1,040 dimensions, hence exact in float32: a matrix
    product gives the same bytes in any order, batch or number of threads.
    """

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, which: npt.NDArray[np.integer] | slice) -> Quantised:
        """Return the rows at ``which``."""
        return Quantised(self.values[which], self.scales[which])


def quantise(vectors: npt.NDArray[np.float32]) -> Quantised:
    """Round each row of (n, dim) to 8 bits and a scale; a row of zeros, or of next to nothing, becomes zeros."""
    peaks = np.abs(vectors).max(axis=1, initial=0.0)
    scales = np.where(peaks > 1e-30, peaks / 127.0, 1.0).astype(np.float32)
    return Quantised(np.rint(vectors / scales[:, None]).astype(np.int8), scales)


def similarities(left: Quantised, right: Quantised) -> npt.NDArray[np.float32]:
    """Return the (len(left), len(right)) cosines, equal to the last bit whatever stands beside a row."""
    dim = left.values.shape[1]
    if dim > MAX_DIM:
        raise ValueError(f"exact similarities need at most {MAX_DIM} dimensions, not {dim}")
    products = left.values.astype(np.float32) @ right.values.astype(np.float32).T
    products *= left.scales[:, None]
    products *= right.scales[None, :]
    return products


@dataclass(frozen=True, slots=True)
class Texts:
    """Many strings in one buffer: ``self[i]`` decodes the ``i``-th."""

    data: npt.NDArray[np.uint8]
    bounds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, i: int) -> str:
        return bytes(self.data[int(self.bounds[i]) : int(self.bounds[i + 1])]).decode()

    def all(self) -> list[str]:
        """Return every string, in order."""
        data, bounds = bytes(self.data), self.bounds.tolist()
        return [data[a:b].decode() for a, b in zip(bounds, bounds[1:], strict=False)]

    @classmethod
    def of(cls, strings: Iterable[str]) -> Texts:
        """Return the table of ``strings``."""
        parts = [s.encode() for s in strings]
        bounds = np.concatenate(([0], np.cumsum([len(p) for p in parts], dtype=np.int64))).astype(np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), bounds)


@dataclass(frozen=True, slots=True)
class Entry:
    """What ranking, filters and answers need of every occupation, held in memory."""

    code: str
    title: str
    has_tasks: bool
    job_zone: int | None
    interests: str
    wage: Wage | None


@dataclass(frozen=True, slots=True)
class OccupationIndex:
    """A loaded index; its arrays are read-only and memory-mapped, so workers of one machine share them.

    Statements of kind ``KINDS[k]`` of occupation ``o`` are the rows ``bounds[k, o]:bounds[k, o + 1]``; ``text_of`` maps a row to its
    unique text and vector. ``importance`` is 0–100, −1 where unknown. ``centroids[k]`` are of ``CENTROIDS``. The words of title ``i`` (titles
    are the first rows) are ``title_words[title_bounds[i]:title_bounds[i + 1]]``, never none: the number of words stands for a title
    without one.
    """

    path: Path
    digest: str
    manifest: Mapping[str, Any]
    entries: tuple[Entry, ...]
    vectors: Quantised
    texts: Texts
    text_of: npt.NDArray[np.int32]
    ids: Texts
    importance: npt.NDArray[np.int8]
    bounds: npt.NDArray[np.int64]
    centroids: tuple[Quantised, ...]
    knowledge_areas: Quantised
    knowledge_profile: npt.NDArray[np.float32]
    lexical: LexicalIndex
    title_words: npt.NDArray[np.int32]
    title_bounds: npt.NDArray[np.int64]
    sections: Texts
    row_of: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def release(self) -> str:
        """The name of the source, such as ``O*NET 30.1``."""
        return str(self.manifest["release"])

    def group(self, kind: Kind, row: int) -> tuple[int, int]:
        """Return the first and one past the last statement of ``kind`` of the occupation at ``row``."""
        k = KINDS.index(kind)
        return int(self.bounds[k, row]), int(self.bounds[k, row + 1])

    def present(self, kind: Kind) -> npt.NDArray[np.bool_]:
        """Return (n_occupations,) whether the occupation has a statement of ``kind``."""
        k = KINDS.index(kind)
        present: npt.NDArray[np.bool_] = self.bounds[k, 1:] > self.bounds[k, :-1]
        return present

    def section(self, code: str) -> dict[str, Any]:
        """Return all that the source says of ``code`` as plain JSON values; KeyError for a code that is not in the index."""
        document: dict[str, Any] = json.loads(self.sections[self.row_of[code]])
        return document

    def require(self, encoder: Encoder) -> None:
        """Raise OccupationIndexError where the index was made with another encoder than this."""
        wanted = self.manifest["encoder"]
        if encoder.dim != wanted["dim"] or encoder.digest != wanted["digest"]:
            raise OccupationIndexError(
                f"{self.path / MANIFEST}: made with encoder {wanted['name']} ({wanted['dim']} dimensions, {wanted['digest'][:19]}), "
                f"not with {encoder.name} ({encoder.dim} dimensions, {encoder.digest[:19]}); name its encoder with --encoder"
            )

    @classmethod
    def load(cls, path: Path | str, *, encoder: Encoder | None = None) -> OccupationIndex:
        """Open the index at ``path`` (a folder with ``CURRENT``), checking every byte.

        Raises IndexNotFound where there is none and OccupationIndexError for a corrupt or foreign one, or one of another encoder.
        """
        root = Path(path)
        for attempt in range(3):
            folder = _current(root)
            try:
                manifest, digest = _checked(folder)
                arrays = _Arrays(folder)
                index = _assemble(folder, manifest, digest, arrays)
            except (FileNotFoundError, OccupationIndexError) as error:
                # A writer may have swept this version, whole or in part, between our reading CURRENT and opening the files.
                if attempt < 2 and _current(root) != folder:
                    continue
                if isinstance(error, OccupationIndexError):
                    raise
                raise OccupationIndexError(f"{folder}: {Path(str(error.filename)).name} is missing") from None
            except OSError as error:
                raise OccupationIndexError(f"{error.filename or folder}: cannot be read ({error.strerror})") from None
            if encoder is not None:
                index.require(encoder)
            return index
        raise OccupationIndexError(f"{root}: the index was replaced three times while it was opened; try again")


def _current(root: Path) -> Path:
    try:
        name = (root / CURRENT).read_bytes()
    except FileNotFoundError:
        raise IndexNotFound(f"{root}: no index here ({CURRENT} is missing); make one with `matcher index --out {root}`") from None
    except OSError as error:
        raise OccupationIndexError(f"{root / CURRENT}: cannot be read ({error.strerror})") from None
    if not re.fullmatch(rb"[0-9a-f]{16}\n", name):
        raise OccupationIndexError(
            f"{root / CURRENT}: expected the name of a version (16 hex digits), the file holds something else"
        )
    return root / name.decode().strip()


_SCHEMA: dict[str, type] = {
    "format": int,
    "release": str,
    "source": str,
    "notice": str,
    "encoder": dict,
    "counts": dict,
    "files": dict,
    "version": str,
}


def _checked(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the manifest and its digest after comparing every file with it."""
    path = folder / MANIFEST
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest[:16] != folder.name:
        raise OccupationIndexError(
            f"{path}: sha256 is {digest[:16]}…, expected {folder.name}…; the index is corrupt, build it again"
        )
    try:
        manifest = json.loads(data)
    except ValueError:
        raise OccupationIndexError(f"{path}: not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise OccupationIndexError(f"{path}: index format {found!r}, this version of matcher reads {FORMAT}; build it again")
    for key, kind in _SCHEMA.items():
        if not isinstance(manifest.get(key), kind):
            raise OccupationIndexError(f"{path}: {key!r} should be {kind.__name__}")
    if set(manifest) != set(_SCHEMA):
        raise OccupationIndexError(f"{path}: unknown members {sorted(set(manifest) - set(_SCHEMA))}")
    encoder = manifest["encoder"]
    if not (set(encoder) == {"name", "dim", "digest"} and isinstance(encoder["dim"], int) and isinstance(encoder["digest"], str)):
        raise OccupationIndexError(f"{path}: 'encoder' should have name, dim and digest")
    present = {p.name for p in folder.iterdir()} - {MANIFEST}
    listed = set(manifest["files"])
    if foreign := sorted(present - listed):
        raise OccupationIndexError(f"{folder / foreign[0]}: a foreign file, the manifest does not list it")
    if missing := sorted(listed - present):
        raise OccupationIndexError(f"{folder / missing[0]}: missing, the manifest lists it")
    for name, facts in sorted(manifest["files"].items()):
        size, found = _digest(folder / name)
        if size != facts["size"] or found != facts["sha256"]:
            raise OccupationIndexError(
                f"{folder / name}: {size} bytes with sha256 {found[:12]}…, expected {facts['size']} bytes with {facts['sha256'][:12]}…"
            )
    return manifest, "sha256:" + digest


def _digest(path: Path) -> tuple[int, str]:
    sha, size = hashlib.sha256(), 0
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            sha.update(block)
            size += len(block)
    return size, sha.hexdigest()


class _Arrays:
    """The arrays of one folder, mapped read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        path = self.folder / f"{name}.npy"
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if path.stat().st_size < 200:  # NumPy does not map an empty array
                return np.load(path, allow_pickle=False)  # type: ignore[no-any-return]
            raise OccupationIndexError(f"{path}: not an array file ({error})") from None
        # A plain ndarray over the map: memmap's own indexing costs microseconds a slice.
        plain: npt.NDArray[Any] = array.view(np.ndarray)
        return plain

    def texts(self, name: str) -> Texts:
        return Texts(self[name], self[f"{name}.bounds"])

    def quantised(self, name: str) -> Quantised:
        return Quantised(self[name], self[f"{name}.scales"])

    def postings(self, name: str) -> Postings:
        return Postings(self[f"{name}.bounds"], self[f"{name}.documents"], self[f"{name}.weights"])


def _assemble(folder: Path, manifest: dict[str, Any], digest: str, arrays: _Arrays) -> OccupationIndex:
    with (folder / "entries.json").open("rb") as handle:
        raw = json.load(handle)
    entries = tuple(Entry(**{**e, "wage": Wage(**e["wage"]) if e["wage"] else None}) for e in raw)
    vocabulary = {word: i for i, word in enumerate(arrays.texts("words").all())}
    lexical = LexicalIndex(
        vocabulary, arrays["pairs"], arrays["idf"], arrays.postings("bm25"), arrays.postings("tfidf"), len(entries)
    )
    return OccupationIndex(
        path=folder,
        digest=digest,
        manifest=manifest,
        entries=entries,
        vectors=arrays.quantised("vectors"),
        texts=arrays.texts("texts"),
        text_of=arrays["text_of"],
        ids=arrays.texts("ids"),
        importance=arrays["importance"],
        bounds=arrays["bounds"],
        centroids=tuple(arrays.quantised(f"centroid.{kind}") for kind in CENTROIDS),
        knowledge_areas=arrays.quantised("knowledge_areas"),
        knowledge_profile=arrays["knowledge_profile"],
        lexical=lexical,
        title_words=arrays["title_words"],
        title_bounds=arrays["title_bounds"],
        sections=arrays.texts("sections"),
        row_of={entry.code: i for i, entry in enumerate(entries)},
    )


def statements_of(occupation: Occupation, kind: Kind) -> list[tuple[str | None, str, int | None]]:
    """Return (id, text, importance 0–100) of every statement of ``kind``, without repeats, in the source's order.

    A rated element counts only if its importance is known, at least 3 of 5, and O*NET does not recommend suppression.
    """
    rows: list[tuple[str | None, str, int | None]] = []
    if kind is Kind.TITLE:
        names = [occupation.title]
        for alternate in occupation.alternate_titles:
            names.append(alternate.title)
            if alternate.short:
                names.append(alternate.short)
        names.extend(occupation.reported_titles)
        seen: set[str] = set()
        for name in names:
            if name.casefold() not in seen:
                seen.add(name.casefold())
                rows.append((None, name, None))
    elif kind is Kind.DESCRIPTION:
        rows.extend([(None, occupation.description, None)] if occupation.description else [])
    elif kind is Kind.TASK:
        rows.extend((t.id, t.text, importance_percent(t.importance)) for t in occupation.tasks)
    elif kind is Kind.ACTIVITY:
        rows.extend((a.id, a.text, None) for a in occupation.activities)
    elif kind is Kind.TECHNOLOGY:
        names_seen: set[str] = set()
        for technology in occupation.technologies:
            if technology.name.casefold() not in names_seen:
                names_seen.add(technology.name.casefold())
                rows.append((technology.commodity_code, technology.name, None))
    else:
        elements = {
            Kind.KNOWLEDGE: occupation.knowledge,
            Kind.SKILL: occupation.skills,
            Kind.WORK_ACTIVITY: occupation.work_activities,
        }[kind]
        for element in elements:
            rating = element.importance
            percent = importance_percent(rating)
            # A profile page gives no ratings: what it lists is what it holds to be important.
            if rating is None or (percent is not None and percent >= 50 and not rating.suppress):
                rows.append((element.id, element.name, percent))
    return rows


def _plain(value: Any) -> Any:
    """Return records as JSON values, leaving out what is unknown or empty."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, _plain(getattr(value, f.name))) for f in dataclasses.fields(value))
        return {name: v for name, v in pairs if v is not None and v != []}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _interests(occupation: Occupation) -> str:
    """Return the letters (RIASEC) of the leading interests, strongest first.

    They are O*NET's three high points where it names them (scale IH: 1–6 for R–C, 0 for none), else the interests rated 4 or more on
    OI's 1–7, else, on a profile page, the interests that it lists.
    """
    points = [r.value for e in occupation.interests for r in e.ratings if r.scale == "IH"]
    if points:
        return "".join("RIASEC"[int(p) - 1] for p in points if p)
    rated = [(-(r.value or 0), e.name[0]) for e in occupation.interests for r in e.ratings if r.scale == "OI"]
    if rated:
        return "".join(letter for value, letter in sorted(rated) if value <= -4)
    return "".join(element.name[0] for element in occupation.interests)


def _best_wage(occupation: Occupation, wages: Mapping[str, Wage]) -> Wage | None:
    """Return the surveyed wage of ``wages`` where there is one, else the source's own latest."""
    if occupation.code in wages:
        return wages[occupation.code]
    return max(occupation.wages, key=lambda w: w.year, default=None)


def _importance_weights(importance: Sequence[int | None]) -> npt.NDArray[np.float64]:
    known = [i for i in importance if i is not None]
    middle = float(np.median(known)) if known else 50.0
    return np.array([max(1.0, middle if i is None else float(i)) for i in importance])


def build_index(
    release: Release,
    encoder: Encoder,
    out: Path | str,
    *,
    wages: Mapping[str, Wage] | None = None,
    source: str = "",
    notice: str = "",
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Write the index of ``release`` to the folder ``out`` and return the new version's folder.

    ``wages`` maps codes to surveyed pay; ``source`` says how the release was read, ``notice`` its licence and attribution.
    Raises IndexBusy while another process writes there, OccupationIndexError where ``out`` cannot be written or is something else.
    """
    root = Path(out)
    if encoder.dim > MAX_DIM:
        raise OccupationIndexError(f"encoder {encoder.name}: {encoder.dim} dimensions, an index holds {MAX_DIM} at most")
    if root.exists() and not (root.is_dir() and _ours(root)):
        raise OccupationIndexError(f"{root}: exists and is not an index; name another folder")
    tell = progress or (lambda what, share: None)
    with _writer(root):
        _sweep(root, keep=_versions(root))
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            manifest = _write_version(release, encoder, temporary, wages or {}, source, notice, tell)
            data = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode()
            _write_synced(temporary / MANIFEST, data)
            temporary.chmod(0o755)  # mkdtemp's folders are the owner's alone, an index is shared by workers
            _sync_folder(temporary)
            name = hashlib.sha256(data).hexdigest()[:16]
            folder = root / name
            if folder.exists():
                try:
                    _checked(folder)
                    shutil.rmtree(temporary)
                except (OccupationIndexError, OSError):
                    # The same index, damaged: its name is taken until it is out of the way.
                    folder.rename(root / f".old-{name}-{os.getpid()}")
                    temporary.rename(folder)
            else:
                temporary.rename(folder)
            _sync_folder(root)
            previous = _versions(root)
            pointer = root / f".{CURRENT}"
            _write_synced(pointer, f"{name}\n".encode())
            pointer.replace(root / CURRENT)
            _sync_folder(root)
            # A reader that has just read the old pointer may still open the version it names.
            _sweep(root, keep=previous | {name})
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    tell("published", 1.0)
    return folder


def _ours(root: Path) -> bool:
    """Whether a folder holds nothing but what this module writes, so that sweeping it can harm nobody."""
    own = re.compile(rf"\.lock|\.?{CURRENT}|\.new-.*|\.old-.*|[0-9a-f]{{16}}")
    return all(own.fullmatch(p.name) for p in root.iterdir())


def _versions(root: Path) -> set[str]:
    with contextlib.suppress(OccupationIndexError):
        return {_current(root).name}
    return set()


def _sweep(root: Path, *, keep: set[str]) -> None:
    """Remove what interrupted builds and replaced versions left behind."""
    for path in root.iterdir():
        leftover = path.name.startswith((".new-", ".old-")) or (re.fullmatch(r"[0-9a-f]{16}", path.name) and path.name not in keep)
        if leftover and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _writer(root: Path) -> Iterator[None]:
    """Hold the one writer's lock of ``root``; the kernel frees it when the process dies."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = (root / ".lock").open("a+b")
    except OSError as error:
        raise OccupationIndexError(f"{root}: cannot be written ({error.strerror})") from None
    with handle:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            else:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise IndexBusy(f"{root}: another process is writing this index; wait for it to end") from None
        yield


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Folder:
    """Writes arrays into one folder and keeps size and digest of each file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}

    def bytes(self, name: str, data: bytes) -> None:
        _write_synced(self.path / name, data)
        self.files[name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def array(self, name: str, array: npt.NDArray[Any]) -> None:
        import io

        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        self.bytes(f"{name}.npy", buffer.getvalue())

    def texts(self, name: str, texts: Texts) -> None:
        self.array(name, texts.data)
        self.array(f"{name}.bounds", texts.bounds)

    def quantised(self, name: str, rows: Quantised) -> None:
        self.array(name, rows.values)
        self.array(f"{name}.scales", rows.scales)

    def postings(self, name: str, postings: Postings) -> None:
        self.array(f"{name}.bounds", postings.bounds)
        self.array(f"{name}.documents", postings.documents)
        self.array(f"{name}.weights", postings.weights)


def _write_version(
    release: Release,
    encoder: Encoder,
    path: Path,
    wages: Mapping[str, Wage],
    source: str,
    notice: str,
    tell: Callable[[str, float], None],
) -> dict[str, Any]:
    folder = _Folder(path)
    occupations = sorted(release.occupations, key=lambda o: o.code)
    n = len(occupations)
    unique: dict[str, int] = {}
    text_of: list[int] = []
    ids: list[str] = []
    importance: list[int] = []
    bounds = np.zeros((len(KINDS), n + 1), dtype=np.int64)
    for k, kind in enumerate(KINDS):
        for o, occupation in enumerate(occupations):
            bounds[k, o] = len(text_of)
            for identity, text, percent in statements_of(occupation, kind):
                text_of.append(unique.setdefault(text, len(unique)))
                ids.append(identity or "")
                importance.append(-1 if percent is None else percent)
        bounds[k, n] = len(text_of)
    tell("statements", 0.05)
    texts = list(unique)
    vectors = _encode(encoder, texts, lambda share: tell("vectors", 0.05 + 0.6 * share))
    folder.quantised("vectors", quantise(vectors))
    places = np.array(text_of, dtype=np.int32)
    strengths = np.array(importance, dtype=np.int8)
    for kind in CENTROIDS:
        k = KINDS.index(kind)
        means = np.zeros((n, encoder.dim), dtype=np.float32)
        for o in range(n):
            a, b = int(bounds[k, o]), int(bounds[k, o + 1])
            if b > a:
                weights = _importance_weights([None if i < 0 else int(i) for i in strengths[a:b]])
                mean = (vectors[places[a:b]].astype(np.float64) * weights[:, None]).sum(axis=0)
                means[o] = mean / (np.sqrt((mean * mean).sum()) or 1.0)
        folder.quantised(f"centroid.{kind}", quantise(means))
    areas, profile = _knowledge(occupations)
    folder.quantised("knowledge_areas", quantise(_encode(encoder, areas, lambda share: None)))
    folder.array("knowledge_profile", profile)
    tell("lexical", 0.7)
    lexical = build_lexical(_document(occupation) for occupation in occupations)
    folder.texts("words", Texts.of(lexical.vocabulary))
    folder.array("pairs", lexical.pairs)
    folder.array("idf", lexical.idf)
    folder.postings("bm25", lexical.bm25)
    folder.postings("tfidf", lexical.tfidf)
    none = [len(lexical.vocabulary)]
    titles = [[lexical.vocabulary[w] for w in dict.fromkeys(words(texts[i]))] or none for i in text_of[: int(bounds[0, n])]]
    folder.array("title_words", np.array([w for title in titles for w in title], dtype=np.int32))
    folder.array("title_bounds", np.concatenate(([0], np.cumsum([len(title) for title in titles]))).astype(np.int64))
    tell("sections", 0.85)
    folder.texts("texts", Texts.of(texts))
    folder.array("text_of", places)
    folder.texts("ids", Texts.of(ids))
    folder.array("importance", strengths)
    folder.array("bounds", bounds)
    entries = []
    sections = []
    for occupation in occupations:
        wage = _best_wage(occupation, wages)
        surveyed = (wage,) if wage is not None and wage not in occupation.wages else ()
        entry = Entry(occupation.code, occupation.title, bool(occupation.tasks), occupation.job_zone, _interests(occupation), wage)
        entries.append(dataclasses.asdict(entry))
        whole = dataclasses.replace(occupation, wages=surveyed + occupation.wages)
        sections.append(json.dumps(_plain(whole), ensure_ascii=False, separators=(",", ":")))
    folder.bytes("entries.json", json.dumps(entries, ensure_ascii=False).encode())
    folder.texts("sections", Texts.of(sections))
    zones = [dataclasses.asdict(zone) for zone in release.job_zones]
    folder.bytes("job_zones.json", json.dumps(zones, ensure_ascii=False).encode())
    counts = {str(kind): int(bounds[k, n] - bounds[k, 0]) for k, kind in enumerate(KINDS)}
    counts |= {"occupations": n, "texts": len(texts)}
    return {
        "format": FORMAT,
        "version": __version__,
        "release": release.name,
        "source": source or release.name,
        "notice": notice,
        "encoder": {"name": encoder.name, "dim": encoder.dim, "digest": encoder.digest},
        "counts": counts,
        "files": folder.files,
    }


def _encode(encoder: Encoder, texts: Sequence[str], tell: Callable[[float], None]) -> npt.NDArray[np.float32]:
    blocks = []
    for start in range(0, len(texts), 2048):
        blocks.append(encoder.encode(texts[start : start + 2048]))
        tell(min(1.0, (start + 2048) / len(texts)))
    return np.concatenate(blocks) if blocks else np.zeros((0, encoder.dim), np.float32)


def _knowledge(occupations: Sequence[Occupation]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return the names of the knowledge areas and (n, areas) standardised importance; rows of zeros where it is unknown."""
    names = sorted({element.name for occupation in occupations for element in occupation.knowledge})
    table = np.full((len(occupations), len(names)), np.nan)
    for o, occupation in enumerate(occupations):
        for element in occupation.knowledge:
            percent = importance_percent(element.importance)
            if element.importance is None:
                percent = 75
            if percent is not None and not (element.importance and element.importance.suppress):
                table[o, names.index(element.name)] = percent
    if not len(names):
        return names, np.zeros((len(occupations), 0), np.float32)
    known = ~np.isnan(table)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, table, 0.0)
    mean = filled.sum(axis=0) / counts
    spread = np.sqrt((np.where(known, table - mean, 0.0) ** 2).sum(axis=0) / counts)
    return names, np.where(known, (filled - mean) / np.where(spread > 0, spread, 1.0), 0.0).astype(np.float32)


def _document(occupation: Occupation) -> list[str]:
    """Return the texts of the lexical document: title three times, description, titles, tasks, technologies."""
    return [
        *[occupation.title] * 3,
        *(text for kind in (Kind.DESCRIPTION, Kind.TASK, Kind.TECHNOLOGY) for _, text, _ in statements_of(occupation, kind)),
        *(text for _, text, _ in statements_of(occupation, Kind.TITLE)[1:]),
    ]
