"""Heads of a review on disk: written as `detect --head` reads them, and read again."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_tap_events.encoder.compute import Compute
from napari_tap_events.encoder.feature_maps import FeatureMaps
from napari_tap_events.encoder.features import EncoderFeatures, FeatureSource
from napari_tap_events.encoder.shipped import WEIGHTS, encoder_folder
from napari_tap_events.encoder.sources import CONTROLS
from napari_tap_events.encoder.weights import Card, copy_encoder, load_card, load_weights, movie_record, save_model
from napari_tap_events.errors import ModelError
from napari_tap_events.events.head import EventHead, HeadShape, answers_for
from napari_tap_events.events.heads import make_head
from napari_tap_events.events.held_out import Calibration
from napari_tap_events.jobs.labelled import MAP_STRIDE_PX
from napari_tap_events.jobs.learned import Learned
from napari_tap_events.jobs.teaching import head_shape, inputs_of
from napari_tap_events.movies.movie import Movie
from napari_tap_events.review.gate import Ruling
from napari_tap_events.review.transfer import Refit, summarise
from napari_tap_events.settings import HeadSettings


@dataclass(frozen=True)
class HeadShelf:
    """Keeps heads for one movie.

    Attributes
    ----------
    movie : Movie
    source : FeatureSource
    maps : FeatureMaps
        Of the movie.
    settings : HeadSettings
        With every input settled.
    compute : Compute
    """

    movie: Movie
    source: FeatureSource
    maps: FeatureMaps
    settings: HeadSettings
    compute: Compute

    def keep(self, folder: Path, learned: Learned, ruling: Ruling, kinds: Sequence[str]) -> None:
        """Write a head, its encoder beside it; `kinds` are the names of what it finds.

        Raises
        ------
        OutputError, OSError
            When it cannot be written.
        """
        calibration = Calibration(learned.windows, learned.calibrator, learned.threshold)
        card = Card(
            kind="head",
            name=folder.name,
            channels=self.movie.n_channels,
            features=self.source.features,
            settings=self.settings.model_dump(mode="json"),
            movies=[movie_record(self.movie)],
            metrics={"average_precision": plain(ruling.ap)},
            details=self._details(learned, calibration, list(kinds))
            | {"review": {"answers": learned.answers, "accepted": ruling.accepted, "words": ruling.words}},
        )
        self._keep_encoder(folder / "encoder")
        save_model(folder, learned.head.state_dict(), card)

    def keep_put_right(
        self, folder: Path, elsewhere: Path, found: Refit, answers: int, words: str
    ) -> tuple[EventHead, Calibration]:
        """Write a head that was taught elsewhere, with probabilities that answers on this movie have put right, and return it.

        Raises
        ------
        ModelError, OutputError, OSError
            When it cannot be read, or not be written.
        """
        card, (head, calibration) = load_card(elsewhere, "head"), self.load(elsewhere)
        calibration = calibration.following(found.calibrator, found.threshold)
        new = {"calibration": calibration.to_dict(), "review": {"answers": answers, "accepted": True, "words": words}}
        self._keep_encoder(folder / "encoder")
        save_model(folder, head.state_dict(), card.model_copy(update={"name": folder.name, "details": card.details | new}))
        return head, calibration

    def load(self, folder: Path) -> tuple[EventHead, Calibration]:
        """Read a head.

        Raises
        ------
        ModelError
            When it cannot be loaded, or was made for another encoder or other settings.
        """
        card = load_card(folder, "head")
        shape = head_shape(self.maps, self.settings, answers_for(card.details["kinds"]))
        fits = HeadShape(**card.details["shape"]) == shape and card.details["head"] == self.settings.head
        fits &= float(card.details.get("scale", 1)) == self._scale
        if not fits or not self._has_this_encoder(folder, str(card.details.get("source"))):
            raise ModelError(
                f"the head '{folder.name}' was made for another encoder or other settings; give those that it was taught with."
            )
        head = make_head(self.settings.head, shape, self.settings.pair)
        load_weights(folder, head)
        return head.to(self.compute.device).eval(), Calibration.from_dict(card.details["calibration"])

    def _details(self, learned: Learned, calibration: Calibration, kinds: list[str]) -> dict[str, Any]:
        settings = self.settings
        return {
            "head": settings.head,
            "pair": settings.pair,
            "kinds": kinds,
            "shape": vars(learned.head.shape),
            "inputs": vars(inputs_of(settings)),
            "map_stride_px": MAP_STRIDE_PX,
            "crop_px": settings.crop_px,
            "calibration": calibration.to_dict(),
            "radius_px": settings.radius_px,
            "radius_frames": settings.radius_frames,
            "source": settings.encoder if settings.encoder in ("intensity", "difference") else "encoder",
            "scale": self._scale,
            "feature_summary": summarise(self.maps.frames).to_json(),
        }

    @property
    def _scale(self) -> float:
        return self.source.scale if isinstance(self.source, EncoderFeatures) else 1.0

    def _has_this_encoder(self, folder: Path, source: str) -> bool:
        """Say whether the encoder beside a head is the one that made the maps; others may give as many features."""
        if self.settings.encoder in CONTROLS:
            return source in (self.settings.encoder, "encoder") and not (folder / "encoder").exists()
        beside, own = (path / WEIGHTS for path in (folder / "encoder", encoder_folder(self.settings.encoder)))
        return beside.is_file() and filecmp.cmp(beside, own, shallow=False)

    def _keep_encoder(self, folder: Path) -> None:
        """Put the encoder beside the head; a link where that is possible, since there will be many heads."""
        if self.settings.encoder in CONTROLS:
            return
        copy_encoder(encoder_folder(self.settings.encoder), folder, linked=True)


def plain(value: float) -> float | None:
    """Return a number rounded for JSON; None for one that is not finite."""
    return round(float(value), 4) if np.isfinite(value) else None
