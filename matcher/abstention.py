"""Abstention: how likely a text is about work at all, as one number that says when to give no ranking."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from matcher.index import OccupationIndex
from matcher.lexical import words
from matcher.signals import QueryVectors

FORMAT = 1
FEATURES: tuple[str, ...] = ("about", "near", "best", "unknown")


class AbstentionError(ValueError):
    """A file of the abstention model is not one; the text names it and what was expected."""


@dataclass(frozen=True, slots=True)
class Abstention:
    """A logistic function of four features of a query, fitted by ``tests/benchmarks/abstention.py --fit``.

    ``about`` is the weighted mean over phrases of ``phrase · direction + offset``: on which side of the border between texts about work
    and other texts the phrases lie. ``near`` is the greatest cosine of the query as a whole with the mean of an occupation's tasks or of
    its activities, ``best`` the greatest weighted mean over phrases of the best cosine with a task, or with an activity, of one
    occupation, ``unknown`` the share of the query's words that the index has never seen. ``encoder`` is the digest of the encoder that
    the direction belongs to.
    """

    direction: npt.NDArray[np.float64]
    offset: float
    weights: npt.NDArray[np.float64]
    intercept: float
    encoder: str

    @classmethod
    def load(cls, path: Path) -> Abstention:
        """Read the model from its JSON file. Raises AbstentionError."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["format"] != FORMAT or tuple(stored["features"]) != FEATURES:
                raise AbstentionError(f"{path}: expected format {FORMAT} with the features {', '.join(FEATURES)}")
            return cls(
                np.array(stored["direction"], dtype=np.float64),
                float(stored["offset"]),
                np.array(stored["weights"], dtype=np.float64),
                float(stored["intercept"]),
                str(stored["encoder"]),
            )
        except (OSError, KeyError, TypeError) as error:
            raise AbstentionError(f"{path}: cannot be read ({type(error).__name__}: {error})") from None
        except json.JSONDecodeError:
            raise AbstentionError(f"{path}: not JSON") from None

    def save(self, path: Path, **card: object) -> None:
        """Write the model, and what ``card`` says of it, as JSON."""
        stored = {
            "format": FORMAT,
            **card,
            "encoder": self.encoder,
            "features": list(FEATURES),
            "weights": [round(float(value), 4) for value in self.weights],
            "intercept": round(self.intercept, 4),
            "offset": round(self.offset, 4),
            "direction": [round(float(value), 4) for value in self.direction],
        }
        path.write_text(json.dumps(stored) + "\n", encoding="utf-8")

    def features(self, index: OccupationIndex, query: QueryVectors, *, near: float, best: float) -> npt.NDArray[np.float64]:
        """Return (len(FEATURES),) the features of a query, ``near`` and ``best`` as its signals gave them."""
        about = float(np.einsum("p,p->", phrase_sides(query, self.direction), query.weights)) + self.offset
        return np.array([about, near, best, unknown_share(index, query)])

    def log_odds(self, index: OccupationIndex, query: QueryVectors, *, near: float, best: float) -> float:
        """Return the log odds that the query is about work; below 0 no ranking should be given."""
        found = np.nan_to_num(self.features(index, query, near=near, best=best))
        return float((found * self.weights).sum()) + self.intercept


def phrase_sides(query: QueryVectors, direction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (p,) each phrase's product with a direction; without BLAS, so the same on every machine."""
    rows = query.vectors.values.astype(np.float64) * query.vectors.scales.astype(np.float64)[:, None]
    sides: npt.NDArray[np.float64] = np.einsum("pd,d->p", rows, direction)
    return sides


def unknown_share(index: OccupationIndex, query: QueryVectors) -> float:
    """Return the share of the words of a query, stop words aside, that no occupation of the index has; 1 for a query without words."""
    found = words(" ".join(phrase.text for phrase in query.phrases))
    return sum(word not in index.lexical.vocabulary for word in found) / len(found) if found else 1.0
