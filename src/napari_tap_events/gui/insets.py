"""A strip of small pictures, ranked by where the network looked hardest; a click goes there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_tap_events.movies.movie import Movie

SIDE_PX = 72
"""Side of a picture on the screen."""
PERCENTILES = (0.5, 99.5)


class InsetStrip(QListWidget):
    """Pictures side by side.

    Attributes
    ----------
    chosen : Signal(int, float, float)
        Frame, row and column (px) of the picture that was clicked.
    """

    chosen = Signal(int, float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(QSize(SIDE_PX, SIDE_PX))
        self.setFixedHeight(SIDE_PX + 48)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._tell)
        self.itemActivated.connect(self._tell)
        self.hide()

    def setValue(self, insets: Path, movie: Movie, side_px: int) -> None:
        """Show the places that a table of `explain` ranks.

        Parameters
        ----------
        insets : Path
            CSV with columns t, y, x and value.
        movie : Movie
        side_px : int
            Side of a picture in pixels of the movie.
        """
        self.clear()
        for rank, row in enumerate(pd.read_csv(insets).itertuples(), 1):
            t, y, x = int(row.t), float(row.y), float(row.x)  # type: ignore[arg-type]
            item = QListWidgetItem(QIcon(_picture(movie, (t, y, x), side_px)), f"{rank}. frame {t}")
            item.setData(Qt.ItemDataRole.UserRole, (t, y, x))
            item.setToolTip(f"frame {t}, y {y:.0f}, x {x:.0f} px")
            self.addItem(item)
        self.setVisible(self.count() > 0)

    def _tell(self, item: QListWidgetItem) -> None:
        self.chosen.emit(*item.data(Qt.ItemDataRole.UserRole))


def _picture(movie: Movie, place: tuple[int, float, float], side_px: int) -> QPixmap:
    """Cut a square around a place (t, y, x) out of the first channel, as bright as its frame allows."""
    t, y, x = place
    frame = movie.frame(t)[0]
    low, high = np.percentile(frame[::2, ::2], PERCENTILES)
    half = side_px // 2
    padded = np.pad(frame, half, constant_values=low)  # beyond the movie it is dark: pixels drawn out would look like cells
    cut = padded[round(y) : round(y) + side_px, round(x) : round(x) + side_px].astype(np.float32)
    grey: NDArray[np.uint8] = np.ascontiguousarray(np.clip((cut - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    image = QImage(grey.tobytes(), grey.shape[1], grey.shape[0], grey.shape[1], QImage.Format.Format_Grayscale8).copy()
    smooth = Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image).scaled(SIDE_PX, SIDE_PX, Qt.AspectRatioMode.KeepAspectRatio, smooth)
