"""Settings of a form that stay with the project: what somebody has chosen there, on whatever day it is opened again."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.recipe_panel import RecipePanel
from napari_tap_events.project.folder import Project
from napari_tap_events.project.session import Session
from napari_tap_events.settings import ComputeSettings, Settings

KEPT_AFTER_MS = 300
"""A person who turns a wheel over a number chooses many; the last is kept."""


class KeptSettings(QObject):
    """What was chosen in a recipe, kept in the open project.

    Where to compute is not kept, for it belongs to the computer; nor is what follows the movie as long as nobody has chosen otherwise.
    What was chosen before there was a project is taken into the first one; each project that is opened after it shows its own.

    Parameters
    ----------
    session : Session
    recipe : RecipePanel
    """

    def __init__(self, session: Session, recipe: RecipePanel) -> None:
        super().__init__(recipe)
        self._session, self._recipe = session, recipe
        self._shown: Project | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(KEPT_AFTER_MS)
        self._soon.timeout.connect(self.keep)
        recipe.valueChanged.connect(self._soon.start)
        session.project_changed.connect(self.follow)
        self.follow()

    def close(self) -> None:
        """Let go of the session."""
        self._soon.stop()
        self._session.project_changed.disconnect(self.follow)

    def follow(self) -> None:
        """Show what the open project has kept."""
        project, before = self._session.project, self._shown
        self._shown = project
        if project is None or project is before:
            return
        kept = project.settings(self._recipe.command)
        if kept or before is not None:
            self._show(kept)
        else:
            self.keep()

    def keep(self) -> None:
        """Keep what is chosen now, unless something in the form will not do."""
        project = self._session.project
        if project is not None and not self._recipe.form.problem():
            project.keep_settings(self._recipe.command, self._chosen())

    def _chosen(self) -> dict[str, Any]:
        left_out = {*ComputeSettings.declared(), *self._recipe.fitted.following()}
        return {
            name: value
            for settings in self._recipe.form.value()
            for name, value in settings.model_dump(mode="json").items()
            if name not in left_out and getattr(settings, name) != settings.declared()[name].default
        }

    def _show(self, kept: dict[str, Any]) -> None:
        self._soon.stop()
        form = self._recipe.form
        self._recipe.fitted.forget()
        self._recipe.setValue(*(_settings(kind, kept) for kind in form.kinds if kind is not ComputeSettings))
        form.valueChanged.emit()


def _settings(kind: type[Settings], kept: dict[str, Any]) -> Settings:
    """Return settings of a kind: kept values, but for those that this version does not know or take."""
    values: dict[str, Any] = {}
    for name in kind.declared().keys() & kept.keys():
        try:
            kind.checked(**values, **{name: kept[name]})
        except SettingsError:
            continue
        values[name] = kept[name]
    return kind.checked(**values)
