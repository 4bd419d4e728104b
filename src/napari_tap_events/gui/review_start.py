"""How a review is begun: what its features come from, which cards come, and a button; what was chosen is kept beside the review."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.encoder.shipped import encoder_folder
from napari_tap_events.errors import SettingsError, TapEventsError
from napari_tap_events.gui.fitted import Fitted
from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.model_choice import Model, ModelChoice
from napari_tap_events.gui.model_row import ModelRow
from napari_tap_events.gui.preferences import preferred_cache, preferred_compute
from napari_tap_events.gui.project_models import encoders, heads
from napari_tap_events.gui.settings_form import SettingsForm
from napari_tap_events.movies.event_sizes import side_near, sizes_of_cell
from napari_tap_events.project.folder import Project
from napari_tap_events.project.session import Session
from napari_tap_events.review.transfer import settings_of_head
from napari_tap_events.settings import ComputeSettings, HeadSettings, QueueSettings, ReviewSettings

SENTENCE = (
    "Shows places one by one: say whether an event is there. The computer learns from the answers, asks where it is unsure, "
    "and counts how many events the movie holds. No marks are needed to begin."
)
SHOWN = (
    *("uncertain", "confident", "audit", "errors", "order", "card_px", "reach_frames", "stamp_px", "retrain_every"),
    *("radius_px", "radius_frames", "crop_px", "steps", "simulated", "arrow", "time_flips"),
    *("audit_from", "audit_px", "audit_frames", "sure", "queue_seed", "locked_frames", "cache_gb", "device", "threads"),
)
OF_THE_HEAD = ("radius_px", "radius_frames", "crop_px", "simulated", "arrow", "time_flips")
"""What a head from elsewhere brings along."""
CARD_CELLS, AUDIT_CELLS = 3.5, 6.0
"""Sides of the squares that cards and windows of the audit ask about, in diameters of a cell."""
FILE = "asked.json"
NEW_HEAD = Model("a new one, from your answers", "", "The head learns from what you answer.", "new")


class ReviewStart(QWidget):
    """A choice of encoder and head, the settings, and the button.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    valueChanged : Signal
        Settings were changed; they may not do.
    pressed : Signal
    """

    valueChanged = Signal()
    pressed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.encoder, self.head, self.button, self.mix = ModelChoice(), ModelChoice(), QPushButton("Start"), QLabel()
        self.encoder.setToolTip("What turns images into features: an encoder of step 3, or the image itself.")
        self.head.setToolTip(
            "What judges the features: a new head, which also learns from your marks; or one that was taught elsewhere, whose "
            "probabilities 30 answers put right. A head that this movie has taught is not offered: answers here would not judge it fairly."
        )
        self.form = SettingsForm((ReviewSettings, HeadSettings, ComputeSettings), only=SHOWN)
        kept = preferred_cache()
        self.form.setValue(preferred_compute(), ReviewSettings(cache=kept.folder, cache_gb=kept.gb))
        self._fitted = Fitted(self.form, tuple(_fitting(1)))
        self._of_head: dict[str, Any] = {}
        self._heads: list[Model] = []
        self._last_head = ""
        self.sentence, self.fold = QLabel(SENTENCE), Fold("Which cards come", self.form)
        for label in (self.sentence, self.mix):
            label.setWordWrap(True)
        row = QFormLayout()
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._features = ModelRow(self.encoder, session, "encoder")
        row.addRow("Head", ModelRow(self.head, session, "head"))
        row.addRow("Features", self._features)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._row = QWidget()
        row.setContentsMargins(0, 0, 0, 0)
        self._row.setLayout(row)
        column.addWidget(self.sentence)
        column.addWidget(self._row)
        column.addWidget(self.button)
        self.form.valueChanged.connect(self._changed)
        self.button.clicked.connect(self.pressed)
        self.head.valueChanged.connect(self._take_head)
        self._rows = row
        self.head.offer([NEW_HEAD])
        self._changed()

    def value(self) -> tuple[ReviewSettings, HeadSettings]:
        """Return the settings of the review and of its head.

        Raises
        ------
        SettingsError
            When a value will not do.
        """
        review, head, _ = self.form.value()
        if not isinstance(review, ReviewSettings) or not isinstance(head, HeadSettings):  # the order of the form's kinds
            raise SettingsError("the settings of the review are not there; open the step again.")
        return review, head.model_copy(update=self._of_head)

    def flags(self) -> list[str]:
        """Return everything as flags of the command `worker`.

        Raises
        ------
        SettingsError
            When a value will not do, or there is no encoder.
        ModelError
            When the head cannot be used.
        """
        model, head = self.encoder.value(), self.head.value()
        if head is not None and head.value:
            settings_of_head(Path(head.value), self.value()[1])
            return [*self.form.flags(), "--begin-with", head.value]
        if model is None:
            raise SettingsError("there is nothing that makes features; pretrain an encoder in step 3.")
        encoder = model.value if model.role == "control" else str(encoder_folder(model.value))
        return [*self.form.flags(), "--encoder", encoder]

    def fit(self, cell_px: float) -> None:
        """Take over sizes that fit cells of a diameter in pixels, as long as nobody has chosen others."""
        if self._fitted.fit(_fitting(cell_px)):
            self._changed()

    def offer(self, project: Project | None, movie: str = "") -> None:
        """Offer the encoders and heads of a project for a movie of it."""
        self.encoder.offer(encoders(project))
        self._heads = heads(project, movie)
        self._offer_heads()

    def _offer_heads(self) -> None:
        """Offer heads, also the one with which a review was begun where a newer one has taken its place in the project."""
        folder = Path(self._last_head)
        there = self._last_head and folder.is_dir() and self._last_head not in [model.value for model in self._heads]
        last = [Model(folder.name, self._last_head, f"This review was begun with it: {folder}", "head")] if there else []
        before = self.head.value()
        self.head.offer([NEW_HEAD, *last, *self._heads])
        self.head.setValue(before.value if before else "")  # it may have another name now

    def keep(self, folder: Path) -> None:
        """Write down what was chosen; the review works without."""
        model, head = self.encoder.value(), self.head.value()
        self._last_head = head.value if head else ""
        chosen = {type(part).__name__: part.model_dump(mode="json") for part in self.form.value()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            project = folder.parents[1]  # what lies in it is told from there, so that the project can move
            models = {"encoder": _from(project, model), "head": _from(project, head)}
            text = json.dumps(models | chosen, indent=1)
            (folder / FILE).write_text(text, encoding="utf-8")
        except OSError:
            return

    def recall(self, folder: Path) -> None:
        """Show what was chosen last for a movie, where that can be read."""
        try:
            chosen = json.loads((folder / FILE).read_text(encoding="utf-8"))
            self.form.setValue(*(kind.checked(**chosen[kind.__name__]) for kind in self.form.kinds))
            encoder, self._last_head = (_in(folder.parents[1], str(chosen.get(name, ""))) for name in ("encoder", "head"))
            self.encoder.setValue(encoder)
            self._offer_heads()
            self.head.setValue(self._last_head)
        except (OSError, ValueError, KeyError, TypeError, SettingsError):
            return

    def show_running(self, running: bool) -> None:
        """Offer to start, or to end."""
        self.button.setText("End the learning" if running else "Start")
        self.button.setToolTip("Ends the worker; the answers are kept." if running else "Shows the first card, and learns.")
        for widget in (self.sentence, self._row):
            widget.setVisible(not running)

    def _take_head(self, model: Model | None) -> None:
        """Take the sizes of a head that was taught elsewhere; its features are its own."""
        own: dict[str, Any] = {}
        if model is not None and model.value:
            with suppress(TapEventsError):  # said once it is started
                settings = settings_of_head(Path(model.value), HeadSettings())
                own = {name: getattr(settings, name) for name in ("crop_px", "radius_px", "radius_frames")}
        self._of_head = own
        self._rows.setRowVisible(self._features, model is None or not model.value)
        self.form.show_rows(OF_THE_HEAD, model is None or not model.value)
        self._changed()

    def _changed(self) -> None:
        if not self.form.problem():
            self.mix.setText(mix_words(self.value()[0]))
        self.valueChanged.emit()


def _fitting(cell_px: float) -> dict[str, float]:
    """Return the sizes that fit cells of a diameter, by the names of their settings; the defaults are those of 16 px, about."""
    sizes = sizes_of_cell(cell_px)
    card, audit = side_near(CARD_CELLS * cell_px), side_near(AUDIT_CELLS * cell_px)
    stamp = float(np.clip(round(sizes.reach_px), 1, 100))
    return {"crop_px": sizes.crop_px, "radius_px": sizes.radius_px, "stamp_px": stamp, "card_px": card, "audit_px": audit}


def _from(project: Path, model: Model | None) -> str:
    """Return what stands for a model: its folder, from the project's where it lies in it, or the name of a control."""
    if model is None:
        return ""
    folder = Path(model.value)
    return folder.relative_to(project).as_posix() if folder.is_absolute() and folder.is_relative_to(project) else model.value


def _in(project: Path, told: str) -> str:
    """Return the value of a model that is told by `_from`."""
    return str(project / told) if told and (project / told).is_dir() else told


def mix_words(queue: QueueSettings) -> str:
    """Say in a sentence which cards come."""
    if queue.order != "mix":
        return {"uncertain": "Only the most uncertain events.", "confident": "Only the surest events."}.get(
            queue.order, "Candidates in any order."
        )
    shares = (
        (queue.uncertain, "most uncertain"),
        (queue.confident, "confident"),
        (queue.audit, "random windows"),
        (queue.errors, "suspected label errors"),
    )
    total = sum(count for count, _ in shares)
    return f"Of {total} cards: " + ", ".join(f"{count} {words}" for count, words in shares if count) + "."
