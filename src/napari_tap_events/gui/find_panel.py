"""The Find step: a head, or an encoder alone, goes over the movie; maps and events are shown and can be asked why."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import napari.viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.estimate_line import Material
from napari_tap_events.gui.fold import Fold
from napari_tap_events.gui.found_events import read_search
from napari_tap_events.gui.found_layers import OF_A_KIND, FoundLayers
from napari_tap_events.gui.insets import InsetStrip
from napari_tap_events.gui.made_of import is_of_open_movie, movie_of, other_movie_of, reads_open_movie
from napari_tap_events.gui.model_choice import ModelChoice
from napari_tap_events.gui.model_row import ModelRow
from napari_tap_events.gui.movie_panel import movie_flags
from napari_tap_events.gui.notice import Words
from napari_tap_events.gui.places import go_to
from napari_tap_events.gui.project_models import finders, found_last
from napari_tap_events.gui.readiness import missing
from napari_tap_events.gui.recipe_panel import RecipeInputs, RecipePanel
from napari_tap_events.gui.result_layers import RESULT
from napari_tap_events.gui.threshold import ThresholdField
from napari_tap_events.movies.event_sizes import sizes_of_cell
from napari_tap_events.movies.movie import Movie
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, DetectSettings, ExplainSettings

SENTENCE = "Goes over every frame of the movie and gives each place the probability of an event."
WHY = "Shows where the network looks (Grad-CAM), and ranks the places where it looks hardest."
MAPS = {
    "probability": "probability of an event",
    "simulated": "events as in simulated movies",
    "arrow": "arrow of time",
    "grad_cam": "Grad-CAM: where it looks",
    "evidence": "evidence of an event",
    "": "no map",
}
ELSEWHERE = "✓ Done, for the movie '{name}'; it is shown there."


class FindPanel(QWidget):
    """A choice of model, the recipe, the choice of map, the threshold, and the recipe that explains.

    Attributes
    ----------
    found : Signal(object)
        The folder of a new result.
    counted : Signal(int)
        How many events are listed now.
    elsewhere : Signal(str)
        The name of another movie, for which something is done.
    """

    elsewhere = Signal(str)
    found = Signal(object)
    counted = Signal(int)

    def __init__(self, viewer: napari.viewer.Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self.layers = FoundLayers(viewer)
        self._later: dict[Path, Callable[[Path], None]] = {}
        self._judged_since = False
        self._build()
        self.recipe.finished.connect(self.show_result)
        self.recipe.watch.reported.connect(self._grow)
        self.explain.finished.connect(self._show_explained)
        self.insets.chosen.connect(lambda t, y, x: go_to(viewer, session.movie, (t, y, x)))
        self.threshold.valueChanged.connect(self._count)
        self.maps.activated.connect(lambda _: self.layers.show_only(self.maps.currentData()))
        session.project_changed.connect(self.refresh)
        session.models_changed.connect(self.refresh)
        session.movie_leaving.connect(self._forget)
        session.movie_changed.connect(self._follow_movie)
        session.annotations_changed.connect(self._note_judgement)

    def close(self) -> bool:
        """Let go of the session; jobs live on."""
        self._session.project_changed.disconnect(self.refresh)
        self._session.models_changed.disconnect(self.refresh)
        self._session.movie_leaving.disconnect(self._forget)
        self._session.movie_changed.disconnect(self._follow_movie)
        self._session.annotations_changed.disconnect(self._note_judgement)
        self.recipe.close()
        self.explain.close()
        return bool(super().close())

    def refresh(self) -> None:
        """Offer the heads and encoders of the project."""
        self.model.offer(finders(self._session.project))

    def show_result(self, folder: Path) -> None:
        """Show what `detect` has written; of another movie, when that is open again."""
        movie = self._session.movie
        if movie is None or not self._is_here(folder, self.show_result):
            return
        self._show(folder, movie)
        self.layers.go_to_best(movie)

    def show_last(self) -> None:
        """Show what was found last in this movie, as it is judged now.

        Where nothing is shown, it was found in an earlier window, or before another movie was opened.
        """
        folder, movie = found_last(self._session), self._session.movie
        if folder is None or movie is None or self.recipe.running():
            return
        if not self.layers.points:
            self._show(folder, movie)
        elif self._judged_since:
            self._judge_again(movie)

    def _note_judgement(self, _frames: frozenset[int]) -> None:
        self._judged_since = True

    def _judge_again(self, movie: Movie) -> None:
        """Take in what was marked and answered since the events were shown; the threshold stays."""
        with suppress(TapEventsError):  # its folder is gone: what is shown stays
            search = read_search(self.layers.points[-1].metadata[RESULT])
            self.layers.show_candidates(search.folder, movie, search.radius_px, partial(search.judged, session=self._session))
        self._judged_since = False
        self.threshold.rule(self.layers.points)

    def _is_here(self, folder: Path, show: Callable[[Path], None]) -> bool:
        """Say whether a result is of the open movie; one of another waits for its movie."""
        here = is_of_open_movie(self._session, folder)
        if not here:
            self._later[folder] = show
            name = movie_of(self._session, folder)
            self.about_another.setText(ELSEWHERE.format(name=name))
            self.elsewhere.emit(name)
        return here

    def _follow_movie(self) -> None:
        for recipe in (self.recipe, self.explain):
            recipe.follow_movie()
        for folder in [folder for folder in self._later if is_of_open_movie(self._session, folder)]:
            self._later.pop(folder)(folder)

    def _show(self, folder: Path, movie: Movie) -> None:
        search = read_search(folder)
        self.layers.show(folder, movie, search.radius_px, partial(search.judged, session=self._session))
        self._judged_since = False
        self.about_found.setText(search.in_words())
        self.threshold.show()
        self.threshold.setValue(search.threshold)
        self.threshold.rule(self.layers.points)
        self._offer_maps(next(iter(self.layers.roles()), ""))
        self.found.emit(folder)
        self._count(self.threshold.value())

    def _count(self, _threshold: float) -> None:
        listed = self.threshold.events()
        if listed is not None:
            self.counted.emit(listed)

    def _grow(self, _reports: list[object]) -> None:
        """Show what is mapped so far."""
        job, movie = self.recipe.watch.job, self._session.movie
        if job is None or movie is None or job.pace.stage != "detect" or job.state not in ("running", "paused"):
            return
        if not reads_open_movie(self._session, job.record.out):
            return
        begun = self.layers.grow(job.record.out, movie, job.pace.done)
        if begun:
            self.threshold.hide()
            self.about_found.setText("")
            self._offer_maps(begun)

    def _build(self) -> None:
        self.model = ModelChoice()
        self.models = ModelRow(self.model, self._session, "head", "encoder", alone=True)
        self.model.setToolTip("A head of step 4; or what an encoder finds by itself, which needs no labels.")
        self.recipe = RecipePanel("Find events", SENTENCE, "detect", (DetectSettings, ComputeSettings), self._inputs)
        self.explain = RecipePanel("Explain", WHY, "explain", (ExplainSettings, ComputeSettings), self._why_inputs)
        for recipe in (self.recipe, self.explain):
            recipe.estimate.ask(self._material)
            recipe.attend(partial(other_movie_of, self._session))
            self.model.valueChanged.connect(lambda _, line=recipe.estimate: line.refresh())
        self.threshold, self.insets, self.maps = ThresholdField(), InsetStrip(), QComboBox()
        self.maps.setToolTip("The map that lies over the movie.")
        self.why = Fold("Why? See where the network looks", self.explain)
        self.about_another, self.about_found = Words(), Words()
        self._shown = QWidget()
        shown = QFormLayout(self._shown)
        shown.setContentsMargins(0, 0, 0, 0)
        shown.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        shown.addRow("Show", self.maps)
        row = QFormLayout()
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addRow("With", self.models)
        column = QVBoxLayout(self)
        column.addLayout(row)
        for widget in (self.recipe, self.about_another, self.about_found, self._shown, self.threshold, self.why, self.insets):
            column.addWidget(widget)
        column.addStretch()
        for widget in (self._shown, self.threshold):
            widget.hide()

    def _offer_maps(self, chosen: str) -> None:
        """Offer the maps that there are, and show one of them."""
        self.maps.clear()
        for role in (*self.layers.roles(), ""):
            self.maps.addItem(MAPS.get(role) or f"probability of {role.removeprefix(OF_A_KIND)}", role)
        self.maps.setCurrentIndex(self.maps.findData(chosen))
        self._shown.setVisible(self.maps.count() > 1)
        self.layers.show_only(chosen)

    def _material(self) -> Material | None:
        movie, model = self._session.movie, self.model.value()
        return Material(movie, model.value) if movie and model else None

    def _inputs(self) -> RecipeInputs:
        inputs = self._of_model("events")
        step = self._viewer.dims.current_step
        first = ["--first-frame", str(step[0])] if step and not inputs.problem else []
        return replace(inputs, arguments=[*inputs.arguments, *first, *self._near(self.recipe)])

    def _near(self, recipe: RecipePanel) -> list[str]:
        """Return as a flag how near two events are one: what fits the cell, where no head knows it and nobody has chosen."""
        entry, model = self._session.entry, self.model.value()
        kinds = (DetectSettings, ExplainSettings)
        chosen = next(settings.radius_px for settings in recipe.value() if isinstance(settings, kinds))
        if entry is None or not entry.cell_px or model is None or model.role != "encoder" or chosen is not None:
            return []
        return ["--radius-px", f"{sizes_of_cell(entry.cell_px).radius_px:g}"]

    def _why_inputs(self) -> RecipeInputs:
        inputs = self._of_model("grad-cam")
        return replace(inputs, arguments=[*inputs.arguments, *self._near(self.explain)])

    def _of_model(self, stem: str) -> RecipeInputs:
        project, entry, movie, model = self._session.project, self._session.entry, self._session.movie, self.model.value()
        if project is None or entry is None or movie is None or missing(self._session):
            return RecipeInputs([], Path(), missing(self._session))
        if model is None:
            return RecipeInputs([], Path(), "There is no model yet: pretrain one in step 3, or train one in step 4.")
        flags = [f"--{model.role}", model.value, *movie_flags(entry.opening)]
        return RecipeInputs([movie.source, *flags], project.new_folder("maps", stem))

    def _show_explained(self, folder: Path) -> None:
        movie = self._session.movie
        if movie is None or not self._is_here(folder, self._show_explained):
            return
        card = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        self.layers.show(folder, movie, 1.0)
        self._offer_maps("grad_cam")
        self.insets.setValue(folder / "insets.csv", movie, card["settings"]["explain"]["inset_px"])

    def _forget(self) -> None:
        """Take the layers of the movie before away."""
        self.layers.clear()
        self.threshold.rule(())
        self.insets.clear()
        self.about_another.setText("")
        self.about_found.setText("")
        for widget in (self._shown, self.threshold, self.insets):
            widget.hide()
        self.refresh()
