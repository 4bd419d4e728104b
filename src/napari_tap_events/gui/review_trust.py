"""A line that says how far a head from elsewhere can be trusted; answers that put it right are counted as they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal

from napari_tap_events.gui.notice import Words
from napari_tap_events.gui.review_words import shift_words, trust_words
from napari_tap_events.gui.reviewer import Reviewer
from napari_tap_events.jobs.answers import counting
from napari_tap_events.review.transfer import enough


class TrustLine(Words):
    """Is empty where the head was taught here.

    Parameters
    ----------
    reviewer : Reviewer
        With the answers, and the candidates of the head.

    Attributes
    ----------
    came_together : Signal
        There are enough answers now to put the head right.
    """

    came_together = Signal()

    def __init__(self, reviewer: Reviewer) -> None:
        super().__init__()
        self._reviewer = reviewer
        self._about: dict[str, Any] = {}

    def setValue(self, about: Mapping[str, Any]) -> None:
        """Show what the worker says of the head, but with the answers of this moment; nothing where it says nothing."""
        counted = {name: count for name, count in self._about.items() if name in ("yes", "no")}
        self._show({**about, **counted} if about else {})
        self.count()

    def count(self) -> None:
        """Count answers as the worker does, which looks at them only when it puts the head right."""
        told = self._reviewer.proposals
        if not self._about or self._about.get("ranks") is not None or told is None:
            return
        yes, no = counting(self._reviewer.annotations, told.candidates, self._reviewer.near)
        before = enough(self._about.get("yes", 0), self._about.get("no", 0))
        self._show(self._about | {"answers": yes + no, "yes": yes, "no": no})
        if enough(yes, no) and not before:
            self.came_together.emit()

    def _show(self, about: dict[str, Any]) -> None:
        self._about = about
        self.setText(trust_words(about) if about else "")
        self.setToolTip(shift_words(about.get("shift")))
