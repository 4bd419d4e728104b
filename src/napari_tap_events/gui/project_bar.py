"""The line of the project: what it is called, whether it is saved, its movies, and a menu to open and save."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari.utils.notifications import show_error
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.notice import Notice, Words
from napari_tap_events.gui.saving import Saving
from napari_tap_events.project.session import Session
from napari_tap_events.project.unsaved import words_of

SUFFIX = ".tap"
NOTHING, NOTHING_TIP = "No project yet", "It begins with the first movie."
UNSAVED = "Project not saved yet"
UNSAVED_TIP = "Nothing is lost: marks are kept in {path} until you say where the project is to lie (Project > Save as)."
GO_ON_UNSAVED = "Go on with marks that were not saved"
IS_SAVED = "The project is being saved elsewhere; wait until that is done, or cancel it."


class ProjectBar(QWidget):
    """Shows the project of a session, and opens and saves projects."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._build()
        session.project_changed.connect(self.refresh)
        session.movie_changed.connect(self.refresh)
        session.annotations_changed.connect(self._marked)
        session.troubled.connect(self._tell_trouble)
        self.refresh()

    def close(self) -> bool:
        """Let go of the session."""
        self._session.project_changed.disconnect(self.refresh)
        self._session.movie_changed.disconnect(self.refresh)
        self._session.annotations_changed.disconnect(self._marked)
        self._session.troubled.disconnect(self._tell_trouble)
        return bool(super().close())

    def refresh(self) -> None:
        """Show the project as it is now."""
        project = self._session.project
        self.save_action.setEnabled(project is not None)
        self._list_movies()
        self._show_missing()
        self._offer_what_was_left()
        if project is None:
            self.name.setText(NOTHING)
            self.name.setToolTip(NOTHING_TIP)
        elif self._session.is_unsaved:
            self.name.setText(UNSAVED)
            self.name.setToolTip(UNSAVED_TIP.format(path=project.path))
        else:
            self.name.setText(f"<b>{project.path.stem}</b>")
            self.name.setToolTip(str(project.path))
        self._tell_trouble(self._session.trouble)

    def open(self, path: str | Path) -> None:
        """Open a project; what is wrong with it is said in a notification."""
        if self.saving.running():
            show_error(IS_SAVED)
            return
        try:
            self._session.open_project(path)
        except TapEventsError as error:
            show_error(str(error))

    def save_as(self, path: str | Path) -> None:
        """Save the project to a folder, without making the window wait; see `Saving.begin`."""
        target = Path(path)
        self.saving.begin(target if target.suffix == SUFFIX else target.with_name(target.name + SUFFIX))

    def relink(self, path: str | Path) -> None:
        """Say where the movie that is missing lies now."""
        try:
            self._session.relink(path)
        except TapEventsError as error:
            show_error(str(error))

    def _build(self) -> None:
        self.name, self.notice, self.trouble, self.missing = QLabel(), Notice(), Words(), QPushButton("Find the movie …")
        self.again = QPushButton("Try to save again")
        self.again.setToolTip("Write what is kept in memory only, once there is room.")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.missing.setToolTip("The project and its marks are there, but its movie is not where it was.")
        self.left_button = QPushButton(GO_ON_UNSAVED)
        self.movies = QComboBox()
        self.movies.setToolTip("The movies of the project.")
        self.movies.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.menu_button = QPushButton("Project")
        self.menu_button.setMenu(self._menu())
        row = QHBoxLayout()
        row.addWidget(self.name, stretch=1)
        row.addWidget(self.menu_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 0)
        column.addLayout(row)
        for widget in (self.notice, self.left_button, self.movies, self.trouble, self.again, self.missing):
            column.addWidget(widget)
        self.saving = Saving(self._session, self.notice, self._in_the_way)
        self.saving.busy.connect(self._hold_still)
        self.movies.activated.connect(lambda row: self._session.select(self.movies.itemText(row)))
        self.missing.clicked.connect(self._ask_for_movie)
        self.again.clicked.connect(self._save_again)
        self.left_button.clicked.connect(lambda: self.open(self.left_button.property("path")))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self.notice.say(""))
        self.save_action = QAction("Save project as …", menu)
        self.recent, self.unsaved = QMenu("Open recent", menu), QMenu("Not saved yet", menu)
        self.open_action, self.new_action = QAction("Open project …", menu), QAction("New project …", menu)
        for action, slot in ((self.open_action, self._ask_open), (self.new_action, self._ask_new)):
            action.triggered.connect(slot)
            menu.addAction(action)
        menu.addAction(self.save_action)
        self.save_action.triggered.connect(self._ask_save)
        for listed, slot in ((self.recent, self._list_recent), (self.unsaved, self._list_unsaved)):
            menu.addMenu(listed)
            listed.aboutToShow.connect(slot)
        return menu

    def _list_movies(self) -> None:
        project, entry = self._session.project, self._session.entry
        names = [movie.name for movie in project.movies] if project else []
        self.movies.clear()
        self.movies.addItems(names)
        if entry is not None:
            self.movies.setCurrentText(entry.name)
        self.movies.setVisible(len(names) > 1)

    def _show_missing(self) -> None:
        self.missing.setVisible(bool(self._session.problem))

    def _offer_what_was_left(self) -> None:
        """Offer what was worked on last; with a movie, the marks on it that a window left behind when it was closed or died."""
        last = self._session.last_worked_on()
        saved = last is not None and last in self._session.recent()
        left = last or self._session.left_to_go_on_with()
        self.left_button.setVisible(left is not None)
        if left is not None:
            self.left_button.setProperty("path", str(left))
            self.left_button.setText(f"Go on with '{left.stem}'" if saved else GO_ON_UNSAVED)
            about, menu = (str(left), "Open recent") if saved else (words_of(left), "Not saved yet")
            self.left_button.setToolTip(f"{about}. Others are in the menu, under '{menu}'.")

    def _marked(self, _frames: object) -> None:
        if not self.left_button.isHidden():
            self._offer_what_was_left()

    def _list_recent(self) -> None:
        self._list(self.recent, {path: f"{path.stem}    {path.parent}" for path in self._session.recent()})

    def _list_unsaved(self) -> None:
        self._list(self.unsaved, {path: words_of(path) for path in self._session.left_unsaved()})

    def _list(self, menu: QMenu, projects: Mapping[Path, str]) -> None:
        menu.clear()
        for path, words in projects.items():
            action = QAction(words, menu)
            action.triggered.connect(lambda _=False, path=path: self.open(path))
            menu.addAction(action)
        if menu.isEmpty():
            nothing = QAction("none", menu)
            nothing.setEnabled(False)
            menu.addAction(nothing)

    def _ask_open(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a project: choose its folder, NAME.tap")
        if path:
            self.open(path)

    def _in_the_way(self) -> str:
        """Say which jobs write into the project; their results would end up in the old place."""
        project = self._session.project
        if project is None or not (project.path / "jobs").exists():
            return ""
        from napari_tap_events.gui.job_words import still_runs
        from napari_tap_events.jobs.runner import running_jobs

        return still_runs(running_jobs(project.path / "jobs"))

    def _hold_still(self, busy: bool) -> None:
        for widget in (self.menu_button, self.movies, self.left_button, self.again, self.missing):
            widget.setEnabled(not busy)

    def _ask_save(self) -> None:
        if not self.saving.may_begin():
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the project as", f"my-experiment{SUFFIX}", f"Projects (*{SUFFIX})")
        if path:
            self.save_as(path)

    def _ask_new(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "New project", f"my-experiment{SUFFIX}", f"Projects (*{SUFFIX})")
        if not path:
            return
        try:
            self._session.new_project(Path(path).with_suffix(SUFFIX))
        except TapEventsError as error:
            show_error(str(error))

    def _ask_for_movie(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self._session.problem)
        if path:
            self.relink(path)

    def _save_again(self) -> None:
        self._session.save()

    def _tell_trouble(self, sentence: str) -> None:
        problem = self._session.problem
        self.trouble.setText(" ".join(f"⚠ {words[:1].upper()}{words[1:]}" for words in (sentence, problem) if words))
        self.again.setVisible(bool(sentence))
