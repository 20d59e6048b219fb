"""One ranker as a process: reads a line of JSON, answers one. ``peers.py`` starts one for each that it compares.

    python tests/benchmarks/peer.py NAME SETTINGS.json

Questions: ``{"rank": row}`` (all codes, best first), ``{"time": row}`` (seconds of one answer), ``{"many": [row, …]}`` (seconds of all of them
at once) and ``{"memory": true}`` (resident MB). This file is run by other interpreters, too, so at its top it imports nothing but Python's own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
#: How deep rankings are compared.
DEPTH = 100


class Peer:
    """A ranker: ``rank`` gives codes, best first, ``answer`` does what one call does for a user, ``many`` what a call with many does."""

    def __init__(self, rank: Callable[[Row], list[str]], answer: Callable[[Row], Any], many: Callable[[list[Row]], Any]) -> None:
        self.rank, self.answer, self.many = rank, answer, many


def whole(row: Row) -> str:
    """Return everything that a row gives as one text."""
    return "\n".join(
        [*([row["title"]] if row.get("title") else []), *([row["text"]] if row.get("text") else []), *(row.get("skills") or ())]
    )


def ours(settings: Row, index: str, *, equal_weights: bool) -> Peer:
    """Return the matcher over an index, answering with evidence as it does by default."""
    from matcher import Matcher
    from matcher.ranker import EqualWeights

    matcher = Matcher.load(settings[index])
    if equal_weights:
        matcher = Matcher(matcher.index, matcher.encoder, EqualWeights(), abstention=matcher.abstention)

    def match(row: Row, **options: Any) -> Any:
        return matcher.match(text=row.get("text"), skills=row.get("skills"), title=row.get("title"), **options)

    def many(rows: list[Row]) -> Any:
        if all(row.get("text") and not row.get("title") and not row.get("skills") for row in rows):
            return matcher.match_many([row["text"] for row in rows])
        return [match(row) for row in rows]

    return Peer(lambda row: [m.code for m in match(row, top=DEPTH, explain=False)], match, many)


def bm25(settings: Row) -> Peer:
    """Return bm25s over one document an occupation, with its own tokenizer and English stop words."""
    import bm25s

    codes, texts = _documents(settings)
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def ranked(rows: list[Row]) -> list[list[str]]:
        tokens = bm25s.tokenize([whole(row) for row in rows], stopwords="en", show_progress=False, return_ids=False)
        found, _ = retriever.retrieve(tokens, k=DEPTH, show_progress=False)
        return [[codes[i] for i in places] for places in found]

    return Peer(lambda row: ranked([row])[0], lambda row: ranked([row]), ranked)


def tfidf(settings: Row) -> Peer:
    """Return scikit-learn's TF-IDF over words and pairs of words."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    codes, texts = _documents(settings)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words="english")
    matrix = vectorizer.fit_transform(texts).T.tocsr()

    def ranked(rows: list[Row]) -> list[list[str]]:
        scores = (vectorizer.transform([whole(row) for row in rows]) @ matrix).toarray()
        return [[codes[i] for i in np.argsort(-line, kind="stable")[:DEPTH]] for line in scores]

    return Peer(lambda row: ranked([row])[0], lambda row: ranked([row]), ranked)


def minilm_whole(settings: Row) -> Peer:
    """Return MiniLM on the whole query and on title, description and tasks of an occupation, each cut at its 256 word pieces."""
    import numpy as np

    from matcher.encoder import MINILM, SentenceTransformerEncoder

    encoder = SentenceTransformerEncoder(MINILM)
    codes, texts = _documents(settings)
    kept = Path(settings["cache"]) / "minilm-whole.npy"
    if not kept.exists():
        partial = kept.with_suffix(f".{os.getpid()}.npy")
        np.save(partial, encoder.encode([text[:4000] for text in texts]))  # far more than its 256 pieces
        partial.replace(kept)
    vectors = np.load(kept)

    def ranked(rows: list[Row]) -> list[list[str]]:
        scores = encoder.encode([whole(row) for row in rows]) @ vectors.T
        return [[codes[i] for i in np.argsort(-line, kind="stable")[:DEPTH]] for line in scores]

    return Peer(lambda row: ranked([row])[0], lambda row: ranked([row]), ranked)


def sockit() -> Peer:
    """Return sockit: a title goes through its titles, anything longer through its skills, as its own commands do.

    It answers six digits; ``peers.py`` compares it in six digits. A text on which it fails counts as a miss.
    """
    import tempfile

    import numpy as np
    from sockit import title as titles
    from sockit.data import get_soc, get_soc_skill_matrix
    from sockit.parse import parse_job_posting, parse_resume

    matrix = np.asarray(get_soc_skill_matrix())
    matrix = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    socs = [get_soc(i) for i in range(len(matrix))]

    def rank(row: Row) -> list[str]:
        if row.get("title") and not row.get("text"):
            found = [one["soc"] for one in titles.sort(titles.search(titles.clean(row["title"])))]
        else:
            found = by_skills(whole(row))
        return [f"{soc[:2]}-{soc[2:]}" for soc in map(str, found[:DEPTH])]

    def rank_or_miss(row: Row) -> list[str]:
        try:
            return rank(row)
        except Exception:  # noqa: BLE001 - its readers fail on some texts: that is a miss of it, and no end of the benchmark
            return []

    def by_skills(text: str) -> list[str]:
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            # Its résumé reader keeps only what stands under headings it knows; where it finds no skill, its reader of postings reads all.
            vector = parse_resume(file.name)["SkillVector"]
            if not len(vector):
                vector = parse_job_posting(file.name)["SkillVector"]
        values = np.asarray(vector.to_tfidf_array()).ravel()
        scores = matrix @ values
        return [socs[i] for i in np.argsort(-scores, kind="stable")[:DEPTH] if scores[i] > 0]

    return Peer(rank_or_miss, rank_or_miss, lambda rows: [rank_or_miss(row) for row in rows])


def _documents(settings: Row) -> tuple[list[str], list[str]]:
    found = json.loads(Path(settings["documents"]).read_text(encoding="utf-8"))
    return list(found), list(found.values())


PEERS: dict[str, Callable[[Row], Peer]] = {
    "ours": lambda settings: ours(settings, "index", equal_weights=False),
    "ours, equal weights": lambda settings: ours(settings, "index", equal_weights=True),
    "MiniLM, late interaction": lambda settings: ours(settings, "minilm", equal_weights=True),
    "MiniLM, whole text": minilm_whole,
    "BM25 (bm25s)": bm25,
    "TF-IDF (scikit-learn)": tfidf,
    "sockit": lambda settings: sockit(),
}


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    """Load the ranker, say so, and answer until the input ends."""
    name, settings = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the rankers print is not an answer
    peer = PEERS[name](settings)

    def tell(value: Any) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    tell("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        if "rank" in asked:
            tell(peer.rank(asked["rank"]))
        elif "time" in asked:
            peer.answer(asked["time"])
            tell(time.perf_counter() - started)
        elif "many" in asked:
            peer.many(asked["many"])
            tell(time.perf_counter() - started)
        else:
            tell(_resident_mb())


if __name__ == "__main__":
    main()
