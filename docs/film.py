"""The animation of the README: the window's own pictures while the slider goes over a stretch with events."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from stage import Stage

FRAMES = 24
SIZE = (960, 600)
FRAME_MS, LAST_MS = 250, 1000
MOST_BYTES = 3_000_000


def film(stage: Stage, path: Path) -> None:
    """Go frame by frame over the stretch of the movie that has most events, and save what the window shows."""
    from PIL import Image

    start = _busiest(stage)
    stage.hide_docks_of_layers()
    stage.viewer.layers["event marks"].visible = False
    stage.viewer.fit_to_view()
    pictures = []
    for t in range(start, start + FRAMES):
        stage.go_to_frame(t)
        stage.settle(0.3)
        shot = stage.viewer.window.screenshot(canvas_only=False, flash=False)
        pictures.append(Image.fromarray(shot[..., :3]).resize(SIZE, Image.Resampling.LANCZOS))
    path.write_bytes(_webp(pictures))
    print(path, f"{path.stat().st_size / 1e6:.2f} MB")


def _webp(pictures: list[Any]) -> bytes:
    """Return an animation that is small enough; its quality falls until it is."""
    lengths = [FRAME_MS] * (len(pictures) - 1) + [LAST_MS]
    for quality in (80, 60, 40, 20):
        file = io.BytesIO()
        options = {"duration": lengths, "loop": 0, "quality": quality, "method": 6, "minimize_size": True}
        pictures[0].save(file, "webp", save_all=True, append_images=pictures[1:], **options)
        if file.tell() < MOST_BYTES:
            break
    return file.getvalue()


def _busiest(stage: Stage) -> int:
    """Return the first frame of the stretch in which most events are shown."""
    points = stage.workbench.finding.layers.points[-1]
    t = np.asarray(points.features["t"])[np.asarray(points.shown, dtype=bool)]
    starts = range(max(1, stage.session.movie.n_frames - FRAMES))
    return max(starts, key=lambda start: int(np.count_nonzero((t >= start) & (t < start + FRAMES))))
