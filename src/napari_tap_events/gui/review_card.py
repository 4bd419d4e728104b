"""A card on the panel: the question, why it is asked, the loop, the film strip, and a button for everything that keys do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_tap_events.gui.card_picture import CardPicture, Scene
from napari_tap_events.gui.colours import KindLook
from napari_tap_events.gui.draft import Draft
from napari_tap_events.gui.film_strip import FilmStrip
from napari_tap_events.gui.review_choices import KindChips, TagChips
from napari_tap_events.project.kinds import Kind
from napari_tap_events.review.cards import HOW_FAR_DOWN, NO_LABELS_YET, STRONGEST, Card

SORTS = {
    "uncertain": "Most uncertain",
    "confident": "Confident, not confirmed",
    "random": "Any candidate",
    "error": "Suspected label error",
    "audit": "Random window: measures, never teaches",
}
"""What sort of card it is, in a few words."""
BY_WORDS = {NO_LABELS_YET: "One of the first cards", STRONGEST: "Strongest left", HOW_FAR_DOWN: "A weaker one"}
IN_A_WINDOW = "Click on every event that has no ring yet."
SHOWN = {"": "no map", "probability": "probability", "grad_cam": "Grad-CAM"}
EDITING = "An earlier answer; a new one takes its place."
WHY_LINES = 3
"""Whatever is said, nothing below it moves from card to card."""


class ReviewCard(QWidget):
    """Shows one card; knows nothing of what comes of an answer.

    Attributes
    ----------
    answered : Signal(str)
        "yes", "no" or "unsure".
    nudged : Signal(int)
        Frames, -1 or 1.
    kind_chosen : Signal(str)
    tags_chosen : Signal(object)
    pointed : Signal(int, float, float)
        Frame, y and x pixels of the movie.
    undo_wanted, go_wanted, leave_wanted : Signal
    map_chosen : Signal(str)
        "", "probability" or "grad_cam".
    """

    answered = Signal(str)
    nudged = Signal(int)
    kind_chosen = Signal(str)
    tags_chosen = Signal(object)
    pointed = Signal(int, float, float)
    undo_wanted = Signal()
    go_wanted = Signal()
    leave_wanted = Signal()
    map_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.question, self.why, self.probability, self.said = _words(), _words(), QLabel(), _words()
        self.picture, self.strip = CardPicture(), FilmStrip()
        self.kinds, self.tags, self.maps = KindChips(), TagChips(), QComboBox()
        self.buttons = _answer_buttons()
        self.earlier, self.later = QPushButton("◂  ,"), QPushButton(".  ▸")
        self.undo, self.go, self.leave = QPushButton("Undo  Z"), QPushButton("Go to it  G"), QPushButton("Leave it")
        self._dress()
        self._lay_out()
        self._connect()

    def show_card(self, card: Card, scene: Scene, editing: bool) -> None:
        """Show another card, its loop from the first frame on."""
        first = card.words == NO_LABELS_YET
        sort = BY_WORDS.get(card.words, SORTS[card.reason])
        words = IN_A_WINDOW if card.box is not None else card.words
        self.why.setText(f"<b>{sort}.</b> {escape(words)}" + (f" <i>{EDITING}</i>" if editing else ""))
        told = "" if card.probability is None or first else f"Event: <b>{card.probability:.0%}</b>"
        self.probability.setText(told)
        self.probability.setVisible(bool(told))
        self.leave.setVisible(editing)
        self.picture.setValue(scene)
        self.strip.setValue(scene, self.picture.images)
        self.picture.play()

    def show_draft(self, card: Card, draft: Draft, scene: Scene) -> None:
        """Show what is about to be said of the card."""
        self.say("")
        self.question.setText(f"<b>{escape(_question(card, draft))}</b>")
        self.kinds.setValue(draft.kind)
        self.tags.setValue(draft.tags)
        self.picture.setValue(scene)
        self.strip.setValue(scene, self.picture.images)
        yes = f"Yes, {len(draft.seen)} seen  F" if card.box is not None and draft.seen else "Yes  F"
        self.buttons["yes"].setText(yes)

    def show_kinds(self, kinds: Sequence[Kind], looks: dict[int, KindLook]) -> None:
        """Offer these kinds."""
        self.kinds.offer(kinds, looks)

    def offer_maps(self, roles: Collection[str]) -> None:
        """Offer to lay these maps over the picture; what was chosen stays, where it is still there."""
        chosen = self.maps.currentData()
        self.maps.blockSignals(True)
        self.maps.clear()
        for role in ("", *(role for role in SHOWN if role in roles and role)):
            self.maps.addItem(SHOWN[role], role)
        self.maps.setCurrentIndex(max(0, self.maps.findData(chosen)))
        self.maps.blockSignals(False)
        self.maps.setEnabled(self.maps.count() > 1)

    def say(self, words: str) -> None:
        """Say in a sentence what was not possible, in the place of why the card comes; "" gives that back."""
        self.said.setText(f"⚠ {escape(words)}" if words else "")
        self.said.setVisible(bool(words))
        self.why.setVisible(not words)

    def _dress(self) -> None:
        self.question.setWordWrap(False)
        self.question.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for label in (self.why, self.said):
            label.setFixedHeight(WHY_LINES * label.fontMetrics().lineSpacing())
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.probability.setToolTip("The probability that there is an event, as the model says.")
        room = self.probability.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.probability.setSizePolicy(room)
        self.picture.setToolTip("A click puts the event there; in a random window it marks one, or takes it away.")
        self.maps.setToolTip(
            "What lies over the picture: the probability map, or where the network looks (run Why? in step 5)."
        )
        self.earlier.setToolTip("The event is one frame earlier.  Key: ,")
        self.later.setToolTip("The event is one frame later.  Key: .")
        self.undo.setToolTip("Take the last answer back.  Key: Z")
        self.go.setToolTip("Show the place in the viewer.  Key: G")
        self.leave.setToolTip("Leave the earlier answer as it is, and go on.  Key: Esc")
        for button in (*self.buttons.values(), self.earlier, self.later, self.undo, self.go, self.leave):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.leave.hide()
        self.offer_maps(())
        self.say("")

    def _lay_out(self) -> None:
        nudge = QHBoxLayout()
        nudge.setSpacing(2)
        for button in (self.earlier, self.later):
            nudge.addWidget(button)
        side = QVBoxLayout()
        side.setSpacing(3)
        for widget in (self.probability, self.kinds, self.tags, self.maps):
            side.addWidget(widget)
        side.insertLayout(2, nudge)
        side.addStretch()
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.picture)
        top.addLayout(side, stretch=1)
        answers, beside = _in_three_columns(*self.buttons.values()), _in_three_columns(self.undo, self.go, self.leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.question)
        column.addWidget(self.why)
        column.addWidget(self.said)
        column.addLayout(top)
        column.addLayout(answers)  # above the strip, so that a small window shows them without scrolling
        column.addWidget(self.strip)
        column.addLayout(beside)
        column.addStretch()

    def _connect(self) -> None:
        for answer, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, answer=answer: self.answered.emit(answer))
        self.earlier.clicked.connect(lambda: self.nudged.emit(-1))
        self.later.clicked.connect(lambda: self.nudged.emit(1))
        self.undo.clicked.connect(self.undo_wanted)
        self.go.clicked.connect(self.go_wanted)
        self.leave.clicked.connect(self.leave_wanted)
        self.kinds.valueChanged.connect(self.kind_chosen)
        self.tags.valueChanged.connect(self.tags_chosen)
        self.picture.clicked.connect(self.pointed)
        self.picture.shown.connect(self.strip.show_at)
        self.strip.chosen.connect(self._hold)
        self.maps.activated.connect(lambda _: self.map_chosen.emit(self.maps.currentData()))

    def _hold(self, at: int) -> None:
        """Hold the loop at a frame; where it is held there already, let it run."""
        if not self.picture.playing and self.picture.at == at:
            self.picture.play()
        else:
            self.picture.pause(at)


def _question(card: Card, draft: Draft) -> str:
    if card.box is not None:
        return f"Which events, in frames {card.box.frames.start} to {card.box.frames.stop}?"
    t = card.t + draft.nudge
    if card.marked:
        return f"Is the mark of frames {t} and {t + 1} right?"
    return f"An event between frames {t} and {t + 1}?"


def _answer_buttons() -> dict[str, QPushButton]:
    buttons = {"yes": QPushButton("Yes  F"), "no": QPushButton("No  J"), "unsure": QPushButton("Unsure  Space")}
    for answer, words in (
        ("yes", "It is an event of the kind chosen; in a random window: these are all.  Key: F"),
        ("no", "Nothing happens in the square; in a random window: nothing at all.  Key: J"),
        ("unsure", "Nobody can tell: it teaches nothing.  Key: Space"),
    ):
        buttons[answer].setToolTip(words)
    return buttons


def _in_three_columns(*buttons: QPushButton) -> QGridLayout:
    row = QGridLayout()
    row.setSpacing(3)
    for column, button in enumerate(buttons):
        row.addWidget(button, 0, column)
        row.setColumnStretch(column, 1)
    return row


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
