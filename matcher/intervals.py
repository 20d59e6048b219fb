"""Intervals: means over queries with what they may be off by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``n`` queries with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the mean of per-query values and its 95 % interval: Wilson's where all are 0 or 1, else bootstrapped (2,000 draws)."""
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(array.mean())
    if np.isin(array, (0.0, 1.0)).all():
        z = 1.959964
        centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return Estimate(mean, max(0.0, centre - half), min(1.0, centre + half), n)
    low, high = np.quantile(_bootstrap(array, seed), (0.025, 0.975))
    return Estimate(mean, float(low), float(high), n)


def paired_difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return mean(ours − theirs) over the same queries with its bootstrapped 95 % interval."""
    array = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    low, high = np.quantile(_bootstrap(array, seed), (0.025, 0.975))
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def _bootstrap(array: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    draws = np.random.default_rng(seed)
    return np.array([array[draws.integers(0, len(array), len(array))].mean() for _ in range(2000)])
