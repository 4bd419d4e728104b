"""Which places of a movie look like events before anything was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import expit

from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.pair_head import EVENT_KINDS
from napari_tap_events.events.calibration import Calibrator
from napari_tap_events.events.detection import Candidate, MaximaFinder, ScoreGrid, in_sequence, with_any_kind
from napari_tap_events.events.held_out import kind_name
from napari_tap_events.events.table import EventRow, events_table
from napari_tap_events.events.without_labels import ARROW_BLUR, RANKINGS
from napari_tap_events.jobs.teaching import inputs_of
from napari_tap_events.settings import HeadSettings

LEAST_EVIDENCE = 1e-6


@dataclass(frozen=True)
class FirstSight:
    """Ranks places by what simulated movies have taught, else by the arrow map, else by how much changes.

    Attributes
    ----------
    maps : FeatureMaps
        Of the whole movie.
    settings : HeadSettings
        With every input settled.
    """

    maps: FeatureMaps
    settings: HeadSettings

    @property
    def guided(self) -> bool:
        """Whether heads have a guide that simulated movies have taught."""
        return bool(inputs_of(self.settings).simulated and self.maps.simulated)

    @property
    def threshold(self) -> float:
        """Probability from which candidates are listed."""
        return RANKINGS[self._ranking].threshold

    def candidates(self) -> pd.DataFrame:
        """Return the places, with a probability that only ranks; where a guide has looked, with the kind that it takes them for."""
        stride = self.maps.stride_px
        finder = MaximaFinder(ScoreGrid(stride, (stride - 1) / 2), self.settings.radius_px, self.settings.radius_frames)
        found: list[Candidate] = []
        for t in range(self.maps.n_frames - 1):
            found += finder.add(t, with_any_kind(self._logits(t)))
        kinds = EVENT_KINDS if self.guided else ()
        return table_of(in_sequence(found + finder.rest(), self.settings), Calibrator(), self._ranking, kinds)

    @property
    def _ranking(self) -> str:
        return "simulated" if self.guided else "arrow"

    def _logits(self, t: int) -> NDArray[np.float32]:
        """Return logits without any label, (K, h, w)."""
        radius = self.settings.radius_px / self.maps.stride_px
        here = replace(self.maps, frames=self.maps.frames[t : t + 2], pairs=self.maps.pairs[t : t + 1])
        if self.guided:
            evidence = RANKINGS["simulated"].score(here, radius)
            return np.log(np.expm1(np.maximum(evidence, LEAST_EVIDENCE)))
        if self.maps.pairs.shape[1] > self.maps.simulated:
            return RANKINGS["arrow"].score(here, radius)
        now, after = (np.asarray(frame[self.maps.features :], dtype=np.float32) for frame in here.frames)
        changed = np.abs(after - now).mean(0, keepdims=True)
        return np.asarray(ndi.gaussian_filter(changed, (0, ARROW_BLUR * radius, ARROW_BLUR * radius)))


def table_of(found: Sequence[Candidate], calibrator: Calibrator, source: str, kinds: Sequence[str] = ()) -> pd.DataFrame:
    """Return candidates as an events table with a column `score`, in logits; `kinds` are those that are told apart."""
    scores = np.array([c.score for c in found], dtype=np.float64)
    p = calibrator.probability(scores) if calibrator.method != "none" else expit(scores)
    rows = [EventRow(c.t, c.y, c.x, kind_name(c, kinds), float(q), source=source) for c, q in zip(found, p, strict=True)]
    return events_table(rows).assign(score=scores)
