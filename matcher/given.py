"""What was given: a query with its encoded phrases, beside the engine that ranks it, so that advice encodes nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from matcher.encoder import Encoder
from matcher.index import OccupationIndex
from matcher.ranker import Ranking
from matcher.records import Query, Wage
from matcher.signals import QueryVectors, compared, query_vectors

#: What every suggestion says: nobody is to claim what is not true.
IF_TRUE = "If you have done this, say so."
#: Hours a year by which BLS itself turns hourly pay into yearly pay.
_HOURS = 2080


class AdviceError(ValueError):
    """Advice cannot be given for what was asked: an unknown code, one without data, nothing to add, a bad filter."""


class Ranker(Protocol):
    """What ranks: see ``matcher.ranker``."""

    def rank(self, index: OccupationIndex, query: QueryVectors, allowed: npt.NDArray[np.bool_] | None = None) -> Ranking:
        """Return the rows of ``index``, best first."""
        ...


class Engine(Protocol):
    """What advice needs of a matcher: its index, encoder and ranker."""

    @property
    def index(self) -> OccupationIndex:
        """The occupations."""
        ...

    @property
    def encoder(self) -> Encoder:
        """The encoder of the index."""
        ...

    @property
    def ranker(self) -> Ranker:
        """What ranks."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """A query, its phrases encoded (p, dim), and the same with weights. It has at least one phrase."""

    engine: Engine
    query: Query
    encoded: npt.NDArray[np.float32]
    vectors: QueryVectors

    @classmethod
    def of(cls, engine: Engine, query: Query) -> Given:
        """Encode ``query``. Raises AdviceError for one that could not be read: there is nothing to advise on."""
        if query.reasons or not query.phrases:
            raise AdviceError(f"no advice: nothing to compare with was given ({', '.join(query.reasons) or 'no phrases'})")
        encoded = engine.encoder.encode(compared(query.phrases))
        return cls(engine, query, encoded, query_vectors(query, encoded))


def row_of(index: OccupationIndex, code: str, *, needs_data: bool = True) -> int:
    """Return the row of ``code``. Raises AdviceError for an unknown code, or one of which the source says next to nothing."""
    row = index.row_of.get(code)
    if row is None:
        first = index.entries[0].code if len(index) else "15-1252.00"
        raise AdviceError(f"code: {code!r} is not in this index ({index.release}), expected one such as {first!r}")
    entry = index.entries[row]
    if needs_data and not entry.has_tasks:
        near = [e.code for e in index.entries if e.has_tasks and e.code[:5] == code[:5]][:3]
        hint = f"; near it, with data: {', '.join(near)}" if near else ""
        raise AdviceError(f"code: {code} ({entry.title}) has no data in this index ({index.release}): only a title{hint}")
    return row


def annual_pay(wage: Wage | None) -> float | None:
    """Return the median dollars a year; where only hourly pay is known, 2,080 hours of it."""
    if wage is None:
        return None
    if wage.median_annual is not None:
        return wage.median_annual
    return None if wage.median_hourly is None else wage.median_hourly * _HOURS
