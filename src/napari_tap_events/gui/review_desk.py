"""A review of one movie in the window: cards, answers, worker and map, kept in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import napari.viewer
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QAbstractButton, QApplication, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.card_crops import Crops, CropShelf
from napari_tap_events.gui.card_overlay import CardMaps
from napari_tap_events.gui.card_picture import Ring, Scene
from napari_tap_events.gui.card_place import CardPlace
from napari_tap_events.gui.colours import looks_of_values
from napari_tap_events.gui.draft import Said, asked_square
from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.layers import world_of
from napari_tap_events.gui.notice import Words, bring_into_sight
from napari_tap_events.gui.places import go_to
from napari_tap_events.gui.review_card import ReviewCard
from napari_tap_events.gui.review_lists import AnswerList, HeadList
from napari_tap_events.gui.review_overlay import OVERLAY, ReviewOverlay
from napari_tap_events.gui.review_start import ReviewStart
from napari_tap_events.gui.review_teaching import ReviewTeaching
from napari_tap_events.gui.review_trust import TrustLine
from napari_tap_events.gui.review_words import audit_words, progress_words
from napari_tap_events.gui.review_work import ReviewWork
from napari_tap_events.gui.reviewer import Reviewer
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.folder import Project
from napari_tap_events.project.verdicts import Answer
from napari_tap_events.review.cards import Card
from napari_tap_events.review.proposals import read_proposals, review_folder
from napari_tap_events.review.said import last_audit
from napari_tap_events.settings import HeadSettings, ReviewSettings

LOOK_AFTER_MS = 250
UNSEEN_MS = 250
"""For so long no key answers a card that came by itself: it was pressed before anybody had seen the card."""
WAITING = "The first cards come when the features of the movie are computed."
NONE_LEFT = "No card is left: everything the model proposes was answered."


class ReviewDesk(QWidget):
    """The card of a movie, and all that goes with it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    opened : (Project, str, Movie, Annotations)
        The project, the movie's name in it, and the movie with its marks.
    start : ReviewStart
        The settings; it lies above.
    work : ReviewWork
    results : callable
        Yields the folders of the movie's results that hold a map of a name, the newest first.

    Attributes
    ----------
    taught : Signal(object)
        What became of a new head, as the worker tells it.
    begin_wanted : Signal
        It is to learn, and there is no worker.
    """

    taught = Signal(object)
    begin_wanted = Signal()

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        opened: tuple[Project, str, Movie, Annotations],
        start: ReviewStart,
        work: ReviewWork,
        results: Callable[[str], Iterator[Path]],
    ) -> None:
        super().__init__()
        project, name, movie, annotations = opened
        self._viewer, self._movie, self._annotations = viewer, movie, annotations
        self.folder = review_folder(project.path, name)
        self._start, self.work = start, work
        review, head = start.value()
        self.reviewer = Reviewer(annotations, review, head)
        self.shelf = CropShelf(movie, _side(review, head))
        self.overlay = ReviewOverlay(viewer, movie, self.folder)
        self._maps = CardMaps(self.folder / OVERLAY, results)
        self._crops, self._pictures = None, None
        self._place = CardPlace(viewer, world_of(movie))
        self.teaching = ReviewTeaching(self.folder, annotations, self.reviewer, work, self.overlay.visible_pair)
        self._soon, self._look, self._unseen = QTimer(self), QTimer(self), QTimer(self)
        for timer, wait in ((self._soon, 0), (self._look, LOOK_AFTER_MS), (self._unseen, UNSEEN_MS)):
            timer.setSingleShot(True)
            timer.setInterval(wait)
        self._soon.timeout.connect(self._catch_up)
        self._look.timeout.connect(self._look_at)
        self._build()
        self._connect()
        self._refresh_kinds()
        self._catch_up()
        self._show_card()
        self.heads.setValue(self.teaching.history)
        self._audited(last_audit(self.folder) if annotations.audits else None)

    def begin(self) -> None:
        """Show the first card, where an earlier review left any; the worker comes after."""
        self.trust.setValue({})
        self.take_settings()
        self._propose()
        self._unseen.stop()
        if self.reviewer.card is None:
            self.waiting.setText(WAITING)
        self._take_focus()

    def let_go(self) -> None:
        """Stop listening, and take the map out of the viewer."""
        for timer in (self._soon, self._look, self._unseen):
            timer.stop()
        self.card.picture.pause()
        self._annotations.changed.disconnect(self._changed, missing_ok=True)
        self._viewer.dims.events.current_step.disconnect(self._look_soon)
        for signal, slot in self._signals:
            signal.disconnect(slot)
        self.shelf.close()
        self.overlay.clear()
        self._place.close()

    def take_settings(self) -> None:
        """Ask from now on as the settings say; those that will not do change nothing."""
        if not self._start.form.problem():
            review, head = self._start.value()
            self.reviewer.set_settings(review, head)
            self.shelf.side_px = _side(review, head)

    def _build(self) -> None:
        self.card, self.waiting, self.progress = ReviewCard(), Words(), Words()
        self.audit, self.state, self.trust, self.untaught = Words(), Words(), TrustLine(self.reviewer), Words()
        self.learn_button = QPushButton("Learn now")
        self.learn_button.setToolTip(
            "Learn from all answers at once, without waiting for more; a head from elsewhere gives way."
        )
        self.answers, self.heads = AnswerList(), HeadList()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.waiting, self.card, self.progress, self.state, self.trust, self.audit):
            column.addWidget(widget)
        column.addWidget(self.learn_button)
        column.addWidget(self.untaught)
        for fold in (Fold("Last answers", self.answers), Fold("Heads", self.heads)):
            column.addWidget(fold)

    def _connect(self) -> None:
        reviewer, card = self.reviewer, self.card
        reviewer.card_changed.connect(self._show_card)
        reviewer.draft_changed.connect(self._show_draft)
        reviewer.answered.connect(self._answered)
        reviewer.said.connect(card.say)
        card.answered.connect(reviewer.answer)
        card.nudged.connect(reviewer.nudge)
        card.kind_chosen.connect(reviewer.set_kind)
        card.tags_chosen.connect(reviewer.set_tags)
        card.pointed.connect(reviewer.point_at)
        card.undo_wanted.connect(reviewer.undo)
        card.leave_wanted.connect(reviewer.leave)
        card.go_wanted.connect(self.go_to_card)
        card.map_chosen.connect(self._choose_map)
        self.answers.chosen.connect(self._edit)
        self.heads.back_wanted.connect(self.work.go_back)
        self.learn_button.clicked.connect(self.teaching.learn)
        self.trust.came_together.connect(self.teaching.correct)
        self.teaching.told.connect(self.state.setText)
        self.teaching.taught.connect(self.taught)
        self.teaching.begin_wanted.connect(self.begin_wanted)
        self._annotations.changed.connect(self._changed)
        self._viewer.dims.events.current_step.connect(self._look_soon)
        self._signals: list[tuple[Any, Callable[..., object]]] = [
            (self.work.told, self.state.setText),
            (self.work.at_work, self._show_untaught),
            (self.work.proposed, self._propose),
            (self.work.mapped, self.overlay.refresh),
            (self.work.sketched, self.overlay.set_provisional),
            (self.work.judged, self._judged),
            (self.work.audited, self._audited),
            (self.work.trusted, self._trusted),
        ]
        for signal, slot in self._signals:
            signal.connect(slot)

    def deeds(self) -> dict[str, Callable[[], object]]:
        """Return what keys do, as Qt writes them."""
        reviewer = self.reviewer
        deeds: dict[str, Callable[[], object]] = {
            "F": lambda: self._answer_by_key("yes"),
            "J": lambda: self._answer_by_key("no"),
            "Space": lambda: self._answer_by_key("unsure"),
            ",": lambda: reviewer.nudge(-1),
            ".": lambda: reviewer.nudge(1),
            "Z": reviewer.undo,
            "G": self.go_to_card,
            "T": reviewer.next_tag,
            "Esc": reviewer.leave,
        }
        return deeds | {str(n): lambda n=n: self._kind_by_key(str(n)) for n in range(1, 10)}

    def go_to_card(self) -> None:
        """Show the place of the card in the viewer, and mark it there until another card comes."""
        place = self.reviewer.place()
        if place is not None:
            go_to(self._viewer, self._movie, place)
            self._mark_place()

    def _edit(self, said: Said) -> None:
        """Lay the card of an earlier answer on the table, where it is seen."""
        self.reviewer.edit(said)
        bring_into_sight(self.card)

    def _mark_place(self) -> None:
        card, draft = self.reviewer.card, self.reviewer.draft
        assert card is not None  # noqa: S101  only the place of a card is marked
        t = card.t + draft.nudge
        frames = range(t, t + 2) if card.box is None else range(card.box.frames.start, card.box.frames.stop + 1)
        self._place.show(asked_square(card, draft), frames, self.overlay.visible_frame())

    def _answer_by_key(self, answer: Answer) -> None:
        if not self._unseen.isActive():
            self.reviewer.answer(answer)

    def _kind_by_key(self, key: str) -> None:
        kind = next((kind for kind in self._annotations.kinds if kind.key == key), None)
        if kind is not None:
            self.reviewer.set_kind(kind.name)

    def _show_card(self) -> None:
        card = self.reviewer.card
        appears = card is not None and self.card.isHidden()
        self._place.hide()
        self.card.setVisible(card is not None)
        self.waiting.setVisible(card is None)
        if card is None:
            self.waiting.setText(NONE_LEFT if self.reviewer.proposals is not None else "")
            return
        self._crops = self.shelf.take(card)
        self._pictures = self._maps.lay_over(self._crops)
        self.card.show_card(card, self._scene(card), self.reviewer.editing is not None)
        self._show_draft()
        self._soon.start()
        if appears:
            self._take_focus()

    def _take_focus(self) -> None:
        """Let keys reach the card at once, unless somebody is writing."""
        focus = QApplication.focusWidget()
        if self.card.isVisible() and (focus is None or isinstance(focus, QAbstractButton)):
            self.card.setFocus()

    def _show_draft(self) -> None:
        if self.reviewer.card is not None:
            self.card.show_draft(self.reviewer.card, self.reviewer.draft, self._scene(self.reviewer.card))
            if self._place.shown:
                self._mark_place()

    def _scene(self, card: Card) -> Scene:
        crops, draft = self._crops, self.reviewer.draft
        assert crops is not None  # noqa: S101  a card is shown with its crops
        marked = [e for e in (region.event for region in self._annotations.events) if crops.shows(e.t, e.y, e.x)]
        rings = [self._ring(e.t, e.y, e.x, e.kind) for e in (marked if card.box is None else draft.seen)]
        if draft.place is not None and card.box is None:
            rings.append(self._ring(card.t + draft.nudge, *draft.place, draft.kind))
        at = None if card.box else card.t + draft.nudge
        return Scene(crops.frames, self._pictures, crops.y0, crops.x0, at, asked_square(card, draft), tuple(rings))

    def _ring(self, t: int, y: float, x: float, kind: str) -> Ring:
        colours = {known.name: self._looks[known.value].colour for known in self._annotations.kinds}
        return Ring(t, y, x, self.reviewer.settings.stamp_px, colours.get(kind, "white"))

    def _choose_map(self, role: str) -> None:
        self._maps.role = role
        if self.reviewer.card is not None and self._crops is not None:
            self._pictures = self._maps.lay_over(self._crops)
            self.card.show_card(self.reviewer.card, self._scene(self.reviewer.card), self.reviewer.editing is not None)

    _crops: Crops | None
    _pictures: Any

    def _changed(self, _frames: frozenset[int]) -> None:
        self._soon.start()

    def _answered(self) -> None:
        self.teaching.learn_when_due()
        recent = self.reviewer.recent()
        if recent and recent[0].key.startswith("audit"):
            self.work.ask_audit()

    def _catch_up(self) -> None:
        """With time to spare: make the next cards ready, and bring lists and numbers up to date."""
        self._fill(self.reviewer.refill)
        self.shelf.want(self.reviewer.coming)
        self.answers.setValue(self.reviewer.recent())
        self.progress.setText(progress_words(self._annotations))
        self._show_untaught()
        self.trust.count()
        if self._annotations.kinds != self._kinds_shown:
            self._refresh_kinds()

    def _fill(self, deed: Callable[[], None]) -> None:
        """Do what makes cards ready; one that comes by itself, where none lay, is answered by no key at first."""
        waited = self.reviewer.card is None
        deed()
        if waited and self.reviewer.card is not None:
            self._unseen.start()

    def _refresh_kinds(self) -> None:
        self._kinds_shown = self._annotations.kinds
        self._looks = looks_of_values({kind.value: kind.name for kind in self._kinds_shown})
        self.card.show_kinds(self._kinds_shown, self._looks)
        self.card.kinds.setValue(self.reviewer.draft.kind)

    def _propose(self) -> None:
        try:
            told = read_proposals(self.folder)
        except TapEventsError as error:
            self.state.setText(f"⚠ {error}")
            return
        if told is not None:
            self._fill(partial(self.reviewer.set_proposals, told.proposals))
            self.shelf.want(self.reviewer.coming)
            self.work.ask_audit()
            self._look_soon()
            if not told.head:
                self.teaching.learn_from_marks()
        self.overlay.put_up()
        self.card.offer_maps(self._maps.paths())

    def _judged(self, about: dict[str, Any]) -> None:
        if not self.work.elsewhere:
            self.trust.setValue({})
        self.teaching.judged(about)
        self.heads.setValue(self.teaching.history)
        self._show_untaught()

    def _trusted(self, about: dict[str, Any]) -> None:
        self.trust.setValue(about)
        self.teaching.read()
        self.heads.setValue(self.teaching.history)

    def _show_untaught(self) -> None:
        self.untaught.setText(self.teaching.untaught())

    def _audited(self, about: dict[str, Any] | None) -> None:
        self.audit.setText(audit_words(about))

    def _look_soon(self) -> None:
        self._look.start()
        self.overlay.tell()
        self._place.set_frame(self.overlay.visible_frame())

    def _look_at(self) -> None:
        if self.work.running:
            self.work.look_at(self.overlay.visible_pair())
        self.card.offer_maps(self._maps.paths())


def _side(review: ReviewSettings, head: HeadSettings) -> int:
    """Return the side of what is shown of a card: three crops of the network, but not much more than what is asked about."""
    return min(3 * head.crop_px, 2 * review.card_px)
