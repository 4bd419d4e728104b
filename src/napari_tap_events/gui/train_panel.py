"""The Train step: choose an encoder, see what the marks would teach, train a head, and see how good it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import napari.viewer
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.events.mistakes import Mistake
from napari_tap_events.gui.estimate_line import Material
from napari_tap_events.gui.head_score import HeadScore
from napari_tap_events.gui.layers import world_of
from napari_tap_events.gui.made_of import is_of_open_movie, movie_of, other_movie_of
from napari_tap_events.gui.model_choice import ModelChoice
from napari_tap_events.gui.model_row import ModelRow
from napari_tap_events.gui.movie_panel import movie_flags
from napari_tap_events.gui.notice import Words
from napari_tap_events.gui.places import go_to, go_to_frame
from napari_tap_events.gui.preferences import preferred_cache
from napari_tap_events.gui.project_models import encoders
from napari_tap_events.gui.question import Question
from napari_tap_events.gui.readiness import missing
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.movies.event_sizes import FittingSizes, sizes_of_cell
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, HeadSettings, LabelSettings, SplitSettings

SENTENCE = "Teaches a small network to tell events from all else by your marks, and scores it on frames that it never saw."
NO_FEATURES = "Choose above what the features come from."
NO_MARKS = "No event is marked yet: mark some in step 2."
ELSEWHERE = "The newest head, taught and judged on the movie '{name}':"
COUNTING = "Counting windows with events …" + "<br>&nbsp;" * 7
"""As high as the answer mostly is, so that nothing below it moves when it comes."""
MARKS = tuple({**LabelSettings.declared(), **SplitSettings.declared()})
"""Settings that the command `marks` knows."""
SIZES = ("crop_px", "radius_px", "area_px")
"""Settings that follow the marks or the cell, as long as nobody chooses others."""
WAIT_MS = 600
"""Marks are counted again when nobody has marked anything for so long."""


class TrainPanel(QWidget):
    """A choice of encoder, the counts of windows by criterion, the recipe, and the score of the newest head.

    Attributes
    ----------
    trained : Signal(object)
        The folder of a new head.
    """

    trained = Signal(object)

    def __init__(self, viewer: napari.viewer.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self._remarks: tuple[str, ...] = ()
        self._folds: dict[str, Any] = {}
        self._question, self._timer = Question(self), QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._build()
        self._timer.timeout.connect(self._count)
        self._question.answered.connect(self._show_counts)
        self._question.failed.connect(self.counts.setText)
        self.recipe.finished.connect(self._show_head)
        self.recipe.valueChanged.connect(self._recount)
        self.score.chosen.connect(self._go_to)
        self.score.frame_chosen.connect(self._go_to_frame)
        session.project_changed.connect(self.refresh)
        session.models_changed.connect(self.refresh)
        session.movie_changed.connect(self.refresh)
        session.movie_changed.connect(self.recipe.follow_movie)
        session.annotations_changed.connect(self._recount)
        session.cell_size_changed.connect(self._fit_cell)
        self._fit_cell()

    def close(self) -> bool:
        """Let go of the session and of the question that may be open."""
        self._question.drop()
        self._timer.stop()
        for signal, slot in (
            (self._session.project_changed, self.refresh),
            (self._session.models_changed, self.refresh),
            (self._session.movie_changed, self.refresh),
            (self._session.movie_changed, self.recipe.follow_movie),
            (self._session.annotations_changed, self._recount),
            (self._session.cell_size_changed, self._fit_cell),
        ):
            signal.disconnect(slot)
        self.recipe.close()
        return bool(super().close())

    def refresh(self) -> None:
        """Offer the encoders of the project, and show its newest head; one of another movie with the name of that."""
        self._fit_cell()
        self.encoder.offer(encoders(self._session.project))
        project = self._session.project
        heads = project.heads() if project is not None else ()
        self.score.setVisible(bool(heads))
        if heads and self.score.value() != heads[0]:
            self.score.setValue(heads[0])
        elsewhere = bool(heads) and not self._is_score_here()
        self.about_another.setText(ELSEWHERE.format(name=movie_of(self._session, heads[0])) if elsewhere else "")
        self._recount()

    def _build(self) -> None:
        self.encoder = ModelChoice()
        self.models = ModelRow(self.encoder, self._session, "encoder")
        self.encoder.setToolTip("What turns images into features: an encoder of step 3, or the image itself.")
        self.counts = QLabel(NO_MARKS)
        self.counts.setWordWrap(True)
        self.counts.setTextFormat(Qt.TextFormat.RichText)
        forms = (HeadSettings, ComputeSettings)
        self.recipe = RecipePanel("Train", SENTENCE, "train", forms, self._inputs, hidden=("encoder",), following=SIZES)
        self.recipe.estimate.ask(self._material)
        self.recipe.attend(partial(other_movie_of, self._session))
        self.encoder.valueChanged.connect(lambda _: self.recipe.estimate.refresh())
        self.score, self.about_another = HeadScore(), Words()
        self.score.hide()
        row = QFormLayout()
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addRow("Features", self.models)
        column = QVBoxLayout(self)
        column.addLayout(row)
        for widget in (self.counts, self.recipe, self.about_another, self.score):
            column.addWidget(widget)
        column.addStretch()

    def _recount(self, *_: object) -> None:
        """Count anew, soon; until then nobody knows how the marks are shared out."""
        self._folds = {}
        self._timer.start()
        self.recipe.estimate.refresh()

    def _material(self) -> Material | None:
        movie, model, marks = self._session.movie, self.encoder.value(), self._session.annotations
        if not (movie and model and marks and marks.events):
            return None
        return Material(movie, model.value, len(marks.events), self._folds)

    def _inputs(self) -> RecipeInputs:
        """Return what the command needs; the marks are written first."""
        project, entry, model = self._session.project, self._session.entry, self.encoder.value()
        if project is None or entry is None or model is None or missing(self._session):
            return RecipeInputs([], Path(), missing(self._session) or NO_FEATURES)
        if not self._session.annotations or not self._session.annotations.events:
            return RecipeInputs([], Path(), NO_MARKS)
        marks, out = self._marks(), project.new_folder("heads", "head")
        kept = preferred_cache()
        flags = [
            "--encoder",
            model.value,
            "--cache",
            kept.folder or str(project.path / "features"),
            "--cache-gb",
            f"{kept.gb:g}",
        ]
        return RecipeInputs([*marks, *flags, *movie_flags(entry.opening)], out)

    def _marks(self) -> list[str]:
        """Write the marks of the movie, and return them as flags."""
        project, entry, movie = self._session.project, self._session.entry, self._session.movie
        if project is None or entry is None or movie is None:
            return []
        files = project.export_for_training(entry.name)
        self._remarks = files.remarks
        flags = ["--movie", movie.source, "--masks", str(files.masks)]
        flags += ["--events", str(files.events)] if files.events else []
        flags += ["--known", str(files.known)] if files.known else []
        flags += ["--scope-frames", files.scope_frames] if files.scope_frames else []
        return flags + (["--scope-region", files.scope_region] if files.scope_region else [])

    def _count(self) -> None:
        entry, marks = self._session.entry, self._session.annotations
        if entry is None or marks is None or not marks.events or not self.isVisibleTo(self.window()):
            self.counts.setText(NO_MARKS if not (marks and marks.events) else "")
            return
        try:
            flags = [*self._marks(), *self.recipe.form.flags(MARKS)]
        except TapEventsError as error:
            self.counts.setText(str(error))
            return
        if self.counts.text() in ("", NO_MARKS):
            self.counts.setText("<br>".join([COUNTING, *self._warnings()]))
        self._question.ask(["marks", *flags, "--json", *movie_flags(entry.opening)])

    def _settings(self) -> HeadSettings:
        return next(settings for settings in self.recipe.value() if isinstance(settings, HeadSettings))

    def _show_counts(self, about: dict[str, Any]) -> None:
        sizes = FittingSizes(**about["sizes"]) if "sizes" in about else None
        if sizes and self.recipe.fitted.fit(sizes.chosen()):
            self._count()
            return
        self._folds = {name: value for name, value in about.get("judged", {}).items() if name != "words"}
        self.recipe.estimate.refresh()
        chosen = self._settings().criterion
        events = ", ".join(f"{kind}&nbsp;{count}" for kind, count in about["events"].items())
        counts = ", ".join(
            f"<b>{name}:&nbsp;{count:,}</b>" if name == chosen else f"{name}:&nbsp;{count:,}"
            for name, count in about["positives"].items()
        )
        told = f"Marked: {events}. Of {about['windows']:,} windows, so many are events by each criterion:<br>{counts}"
        more = [self._about_sizes(sizes), _first_large(about["judged"]["words"])] if sizes else []
        self.counts.setText("<br>".join([told, *more, *self._warnings()]))

    def _warnings(self) -> list[str]:
        return [f"⚠ {remark}" for remark in self._remarks]

    def _fit_cell(self) -> None:
        """Take over sizes that fit the cell, as long as nothing is marked that they could follow."""
        entry, marks = self._session.entry, self._session.annotations
        if entry is not None and entry.cell_px and not (marks and marks.events):
            self.recipe.fitted.fit(sizes_of_cell(entry.cell_px).chosen())

    def _about_sizes(self, sizes: FittingSizes) -> str:
        settings = self._settings()
        misfit = sizes.misfit(settings.crop_px, settings.radius_px)
        if misfit:
            return f"⚠ {_first_large(misfit)}"
        return f"Crops of {settings.crop_px} px and a radius of {settings.radius_px:g} px fit your marks."

    def _show_head(self, folder: Path) -> None:
        self.refresh()
        self.trained.emit(folder)

    def _go_to(self, mistake: Mistake) -> None:
        if self._is_score_here():
            go_to(self._viewer, self._session.movie, (mistake.t, mistake.y, mistake.x))

    def _go_to_frame(self, frame: int) -> None:
        if self._session.movie is not None and self._is_score_here():
            go_to_frame(self._viewer, frame, world_of(self._session.movie))

    def _is_score_here(self) -> bool:
        """Say whether the head that is shown was judged on the open movie."""
        head = self.score.value()
        return head is not None and is_of_open_movie(self._session, head)


def _first_large(words: str) -> str:
    return words[:1].upper() + words[1:]
