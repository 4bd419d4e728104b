"""The marks of one movie: painted events, points, scope and kinds; whatever changes them is journalled first."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.masks import Scope
from napari_tap_events.project.corrections import (
    Correction,
    MarkPoint,
    PaintMask,
    PointMark,
    Say,
    SetKinds,
    SetScope,
    Together,
    check_correction,
    correction_from_json,
    joined_patches,
)
from napari_tap_events.project.history import Chronicle, History
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS, Kind, names_of
from napari_tap_events.project.regions import MarkedRegion, RegionFinder
from napari_tap_events.project.verdicts import AuditAnswer, AuditDesign, Said, Verdict

__all__ = ["Annotations", "MarkedRegion"]


class Annotations:
    """What a person has marked in one movie.

    Parameters
    ----------
    shape : (T, Y, X)
    kinds : tuple of Kind
        Without a chronicle, the kinds to begin with.
    chronicle : Chronicle, optional
        The project's, where every change is written; by default in memory only.
    movie : str
        The movie's name in the chronicle.

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
        chronicle: Chronicle | None = None,
        movie: str = "",
    ) -> None:
        self.shape = shape
        self.labels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self._points: dict[int, PointMark] = {}
        self._scope: Scope | None = None
        self._said: dict[str, Said] = {}
        self._chronicle = chronicle or Chronicle(Journal(), kinds)
        self._movie = movie
        self._finder = RegionFinder(self.labels)
        self._chronicle.journal.troubled.connect(self._tell_trouble)
        self._chronicle.kinds_changed.connect(self._kinds_changed)

    def replay(self) -> Annotations:
        """Do again what the journal tells, on marks that are still empty.

        Raises
        ------
        ProjectError
            When the journal is damaged, or tells of another movie.
        """
        for number, values in enumerate(self._history.done, start=1):
            try:
                correction = correction_from_json(values)
            except (ValueError, KeyError, TypeError, zlib.error) as error:
                raise ProjectError(
                    f"correction {number} of the movie '{self._movie}' cannot be read from the journal ({error!r}); "
                    "put back a copy of the journal."
                ) from None
            check_correction(correction, self.shape)
            self._apply(correction)
        return self

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of event."""
        return self._chronicle.kinds

    @property
    def points(self) -> tuple[PointMark, ...]:
        """Points marked "nothing" or "uncertain", in the order of their ids."""
        return tuple(point for _, point in sorted(self._points.items()))

    @property
    def scope(self) -> Scope | None:
        """What was marked completely; None where nothing is said yet."""
        return self._scope

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Answers to cards of a review, in the order of their ids."""
        found = [said for said in self._said.values() if isinstance(said, Verdict)]
        return tuple(sorted(found, key=lambda verdict: verdict.id))

    @property
    def audits(self) -> tuple[AuditAnswer, ...]:
        """What was seen in windows of the audit, in the order in which it was said."""
        return tuple(said for said in self._said.values() if isinstance(said, AuditAnswer))

    @property
    def answers(self) -> tuple[Verdict | AuditAnswer, ...]:
        """Answers to cards and to windows of the audit, in the order in which they were said."""
        return tuple(said for said in self._said.values() if isinstance(said, Verdict | AuditAnswer))

    @property
    def audit_design(self) -> AuditDesign | None:
        """How the windows of the audit were drawn; None before the first of them."""
        design = self._said.get(AuditDesign.key)
        return design if isinstance(design, AuditDesign) else None

    @property
    def events(self) -> tuple[MarkedRegion, ...]:
        """The marked events in the order of time; one that nothing touched stays the same object."""
        return self._finder.regions(names_of(self.kinds))

    def counts(self) -> dict[str, int]:
        """Return the number of events of each kind, kinds without any included."""
        found = {kind.name: 0 for kind in self.kinds}
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

        What it says of the marks before is replaced by what they are, so that taking it back always restores them.

        Raises
        ------
        ProjectError
            When it does not fit the movie; then nothing is changed.
        """
        check_correction(correction, self.shape)
        self._make(self._upon_these_marks(correction))

    def adopt(self, correction: Correction) -> None:
        """Journal a correction whose pixels are in `labels` already, as after a stroke of napari's brush.

        Raises
        ------
        ProjectError
            When it does not fit the movie.
        """
        check_correction(correction, self.shape)
        self._make(correction)

    def undo(self) -> Correction | None:
        """Take back the newest correction that counts, and return it; None where there is none."""
        if not self._history.done:
            return None
        correction = correction_from_json(self._history.done[-1])
        self._chronicle.record("undo", self._movie)
        self.changed.emit(self._apply(correction.inverse()))
        return correction

    def redo(self) -> Correction | None:
        """Make again what was taken back last, and return it; None where there is nothing."""
        if not self._history.undone:
            return None
        correction = correction_from_json(self._history.undone[-1])
        self._chronicle.record("redo", self._movie)
        self.changed.emit(self._apply(correction))
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
        return self._chronicle.journal.trouble

    def save(self) -> bool:
        """Try again to write what could not be written, and say whether all is on disk now."""
        return self._chronicle.journal.write_waiting()

    @property
    def now(self) -> tuple[int, str]:
        """Number and time of the newest entry of the journal."""
        return self._chronicle.now

    def was(self, n: int, time: str) -> bool:
        """Say whether entry `n` of the journal was made at that time."""
        return self._chronicle.was(n, time)

    def frames_since(self, n: int) -> set[int]:
        """Return the frames whose pixels have changed since entry `n` of the journal."""
        return self._chronicle.frames_since(self._movie, n)

    def _make(self, correction: Correction) -> None:
        if not correction.empty:
            self._chronicle.record("do", self._movie, correction)
            self.changed.emit(self._apply(correction))

    def _upon_these_marks(self, correction: Correction) -> Correction:
        """Return the correction with what is there before it."""
        if isinstance(correction, PaintMask):
            frames = ((patch, self.labels[patch.t].reshape(-1)[patch.pixels]) for patch in correction.patches)
            return replace(correction, patches=joined_patches(replace(patch, before=before) for patch, before in frames))
        if isinstance(correction, MarkPoint):
            number = (correction.before or correction.after or PointMark(0, 0, 0, 0, 0, "nothing")).id
            return replace(correction, before=self._points.get(number))
        if isinstance(correction, SetScope):
            return replace(correction, before=self._scope)
        if isinstance(correction, SetKinds):
            return replace(correction, before=self.kinds)
        if isinstance(correction, Say):
            said = correction.before or correction.after
            return replace(correction, before=None if said is None else self._said.get(said.key))
        return replace(correction, parts=tuple(self._upon_these_marks(part) for part in correction.parts))

    def _tell_trouble(self, sentence: str) -> None:
        self.troubled.emit(sentence)

    def _kinds_changed(self, movie: str) -> None:
        if movie != self._movie:
            self.changed.emit(frozenset())

    @property
    def _history(self) -> History:
        return self._chronicle.history(self._movie)

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
        elif isinstance(correction, Say):
            self._say(correction)
        elif isinstance(correction, Together):
            for part in correction.parts:
                self._apply(part)
        return correction.frames

    def _say(self, correction: Say) -> None:
        if correction.before is not None and correction.after is None:
            self._said.pop(correction.before.key, None)
        if correction.after is not None:
            self._said[correction.after.key] = correction.after

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
