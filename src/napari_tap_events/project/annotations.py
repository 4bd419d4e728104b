"""The marks of one movie: painted events, points, scope and kinds; whatever changes them is journalled first."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.corrections import (
    Correction,
    FramePatch,
    MarkPoint,
    PaintMask,
    PointMark,
    SetKinds,
    SetScope,
    correction_from_json,
)
from napari_tap_events.project.history import History, history_of
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind, checked_kinds, names_of
from napari_tap_events.project.regions import MarkedRegion, RegionFinder

__all__ = ["Annotations", "MarkedRegion"]


class Annotations:
    """What a person has marked in one movie.

    Parameters
    ----------
    shape : (T, Y, X)
    kinds : tuple of Kind
        Those of the project, where the movie's own history does not tell of others.
    journal : Journal, optional
        Where every change is written; by default in memory only.
    movie : str
        The movie's name in the journal.

    Attributes
    ----------
    labels : (T, Y, X) uint8
        The mask: 0 is nothing, other values are those of kinds. The same array for life; empty frames take no memory.
    """

    changed = Signal(frozenset)
    """The frames whose pixels have changed, a frozenset of int; empty where points, scope or kinds have."""
    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        kinds: tuple[Kind, ...] = DEFAULT_KINDS,
        journal: Journal | None = None,
        movie: str = "",
    ) -> None:
        self.shape = shape
        self.labels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self._kinds = kinds
        self._points: dict[int, PointMark] = {}
        self._scope: Scope | None = None
        self._journal = journal or Journal()
        self._movie = movie
        self._history = History()
        self._finder = RegionFinder(self.labels)
        self._journal.troubled.connect(self.troubled.emit)

    def replay(self) -> Annotations:
        """Do again what the journal tells, on marks that are still empty.

        Raises
        ------
        ProjectError
            When the journal is damaged, or tells of another movie.
        """
        self._history = history_of(self._journal.entries(), self._movie)
        for number, values in enumerate(self._history.done, start=1):
            try:
                correction = correction_from_json(values)
            except (ValueError, KeyError, TypeError, zlib.error) as error:
                raise ProjectError(
                    f"correction {number} of the movie '{self._movie}' cannot be read from the journal ({error!r}); "
                    "put back a copy of the journal."
                ) from None
            self._check(correction)
            self._apply(correction)
        return self

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of event."""
        return self._kinds

    @property
    def points(self) -> tuple[PointMark, ...]:
        """Points marked "nothing" or "uncertain", in the order of their ids."""
        return tuple(point for _, point in sorted(self._points.items()))

    @property
    def scope(self) -> Scope | None:
        """What was marked completely; None where nothing is said yet."""
        return self._scope

    @property
    def events(self) -> tuple[MarkedRegion, ...]:
        """The marked events in the order of time; one that nothing touched stays the same object."""
        return self._finder.regions(names_of(self._kinds))

    def counts(self) -> dict[str, int]:
        """Return the number of events of each kind, kinds without any included."""
        found = {kind.name: 0 for kind in self._kinds}
        for region in self.events:
            found[region.event.kind] = found.get(region.event.kind, 0) + 1
        return found

    def event_at(self, t: int, y: float, x: float) -> MarkedRegion | None:
        """Return the event that is marked on a pixel, or None."""
        row, column = round(y), round(x)
        if not (0 <= t < self.shape[0] and 0 <= row < self.shape[1] and 0 <= column < self.shape[2]):
            return None
        if not self.labels[t, row, column]:
            return None
        place = row * self.shape[2] + column
        return next((region for region in self.events if _covers(region, t, place)), None)

    def free_point_id(self) -> int:
        """Return a number that no point has."""
        return max(self._points, default=0) + 1

    def do(self, correction: Correction) -> None:
        """Journal a correction, then make it; one that changes nothing is left out.

        Raises
        ------
        ProjectError
            When it does not fit the movie; then nothing is changed.
        """
        if not correction.empty:
            self._check(correction)
            self._remember(correction)
            self._announce(self._apply(correction))

    def adopt(self, correction: Correction) -> None:
        """Journal a correction whose pixels are in `labels` already, as after a stroke of napari's brush.

        Raises
        ------
        ProjectError
            When it does not fit the movie.
        """
        self.do(correction)

    def undo(self) -> Correction | None:
        """Take back the newest correction that counts, and return it; None where there is none."""
        if not self._history.done:
            return None
        correction = correction_from_json(self._history.done[-1])
        self._follow("undo")
        self._announce(self._apply(correction.inverse()))
        return correction

    def redo(self) -> Correction | None:
        """Make again what was taken back last, and return it; None where there is nothing."""
        if not self._history.undone:
            return None
        correction = correction_from_json(self._history.undone[-1])
        self._follow("redo")
        self._announce(self._apply(correction))
        return correction

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._history.done)

    @property
    def can_redo(self) -> bool:
        """Whether there is anything to make again."""
        return bool(self._history.undone)

    @property
    def undo_words(self) -> str:
        """What `undo` would take back, as "stamp division"; "" where there is nothing."""
        return str(self._history.done[-1]["words"]) if self._history.done else ""

    @property
    def redo_words(self) -> str:
        """What `redo` would make again; "" where there is nothing."""
        return str(self._history.undone[-1]["words"]) if self._history.undone else ""

    @property
    def trouble(self) -> str:
        """The sentence why nothing can be saved now, or ""."""
        return self._journal.trouble

    def save(self) -> bool:
        """Try again to write what could not be written, and say whether all is on disk now."""
        return self._journal.write_waiting()

    def _remember(self, correction: Correction) -> None:
        self._history.follow(self._journal.append("do", self._movie, correction.to_json()))

    def _follow(self, what: str) -> None:
        self._history.follow(self._journal.append(what, self._movie))

    def _announce(self, frames: frozenset[int]) -> None:
        self.changed.emit(frames)

    def _check(self, correction: Correction) -> None:
        """Refuse what would spoil the journal: it must never hold what cannot be made again."""
        if isinstance(correction, PaintMask):
            for patch in correction.patches:
                self._check_patch(patch)
        elif isinstance(correction, SetKinds):
            checked_kinds(correction.after)
        elif not isinstance(correction, MarkPoint | SetScope):
            for part in correction.parts:
                self._check(part)

    def _check_patch(self, patch: FramePatch) -> None:
        n = self.shape[1] * self.shape[2]
        ascending = len(patch.pixels) < 2 or bool((np.diff(patch.pixels) > 0).all())
        inside = not len(patch.pixels) or (patch.pixels.min() >= 0 and patch.pixels.max() < n)
        if not (0 <= patch.t < self.shape[0] and inside):
            raise ProjectError(f"pixels of frame {patch.t} lie outside of the movie {self.shape} (T, Y, X); mark inside of it.")
        if not ascending or not len(patch.pixels) == len(patch.before) == len(patch.after):
            raise ProjectError(f"the pixels of frame {patch.t} are not in order; join the parts of a stroke before it is kept.")

    def _apply(self, correction: Correction) -> frozenset[int]:
        """Make a correction, and return the frames whose pixels changed."""
        if isinstance(correction, PaintMask):
            for patch in correction.patches:
                self.labels[patch.t].reshape(-1)[patch.pixels] = patch.after
                self._finder.touch(patch.t, patch.pixels)
        elif isinstance(correction, MarkPoint):
            self._set_point(correction)
        elif isinstance(correction, SetScope):
            self._scope = correction.after
        elif isinstance(correction, SetKinds):
            self._kinds = correction.after
        else:
            for part in correction.parts:
                self._apply(part)
        return correction.frames

    def _set_point(self, correction: MarkPoint) -> None:
        if correction.before is not None:
            self._points.pop(correction.before.id, None)
        if correction.after is not None:
            self._points[correction.after.id] = correction.after


def _covers(region: MarkedRegion, t: int, place: int) -> bool:
    """Say whether one of the areas of an event holds a pixel."""
    for frame, pixels in region.blobs:
        if frame == t:
            at = int(np.searchsorted(pixels, place))
            if at < len(pixels) and pixels[at] == place:
                return True
    return False
