"""Marks of a small movie, and candidates as a model might propose them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.project.annotations import Annotations

SHAPE = (40, 200, 240)


@pytest.fixture
def marks() -> Annotations:
    return Annotations(SHAPE)


@pytest.fixture
def proposed() -> Callable[..., pd.DataFrame]:
    """Return a maker of candidates at random places, with falling probabilities."""

    def make(count: int = 200, seed: int = 0, high: float = 0.99) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        p = np.linspace(high, 0.01, count)
        places = zip(
            rng.integers(0, SHAPE[0] - 1, count), rng.uniform(5, 195, count), rng.uniform(5, 235, count), p, strict=True
        )
        rows = [EventRow(int(t), float(y), float(x), "event", float(q), source="head") for t, y, x, q in places]
        return events_table(rows)

    return make
