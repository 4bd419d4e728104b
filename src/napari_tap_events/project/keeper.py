"""Keeps a project on disk, or says why it cannot, and goes on in memory."""

from __future__ import annotations

import shutil
from pathlib import Path

from psygnal import Signal

from napari_tap_events.project.card import NAME, SCHEMA, ProjectCard, read_card, write_card
from napari_tap_events.project.copying import ProjectCopy
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal, unsaved_sentence
from napari_tap_events.project.lock import FolderLock

JOURNAL = "journal.jsonl"

CHANGED = (
    "'{path}' was changed by something else, so its movies and settings are not overwritten; marks are written as before: "
    "open the project anew, or save it elsewhere."
)


class Keeper:
    """The card and the journal of a project, and the claim to write them.

    Parameters
    ----------
    path : Path
        The project's folder.
    card : ProjectCard
    """

    troubled = Signal(str)
    """The sentence why nothing can be saved, or "" when it can be again."""

    def __init__(self, path: Path, card: ProjectCard) -> None:
        self.path = path
        self.card = card
        self.chronicle = Chronicle(Journal(path / JOURNAL, self.gate), card.kinds)
        self._lock = FolderLock(path)
        self._on_disk: bytes | None = None
        self._card_trouble, self._refused = "", ""
        self.chronicle.journal.troubled.connect(self._tell_trouble)

    @property
    def trouble(self) -> str:
        """The sentence why nothing can be saved now, or ""."""
        return self.chronicle.journal.trouble or self._card_trouble

    def begin(self) -> None:
        """Write a new project.

        Raises
        ------
        OSError
            When that is not possible.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.hold()
            self._write(self.card)
        except OSError as error:
            self._set_card_trouble(unsaved_sentence(self.path, error))
            raise

    def open(self) -> None:
        """Read a project, and try whether it can be written.

        Raises
        ------
        ProjectError
            When there is none, or it is damaged, or was written by a later version.
        """
        self._on_disk = _content(self.path)
        self.card, schema = read_card(self.path)
        self.chronicle = Chronicle(self.chronicle.journal, self.card.kinds)
        self.chronicle.journal.write_waiting()
        if schema < SCHEMA and not self.trouble:
            shutil.copyfile(self.path / NAME, self.path / f"project.schema-{schema}.json")
            self.keep(self.card)

    def keep(self, card: ProjectCard) -> None:
        """Remember a card, and write it if that is possible."""
        self.card = card
        trouble = self.gate() or self._changed()
        if not trouble:
            try:
                self._write(card)
            except OSError as error:
                trouble = unsaved_sentence(self.path, error)
        self._set_card_trouble(trouble)

    def write(self) -> bool:
        """Write what is waiting, and say whether all is on disk now."""
        self.keep(self.card)
        return self.chronicle.journal.write_waiting() and not self.trouble

    def save_as(self, target: Path, files: ProjectCopy | None = None) -> None:
        """Copy the folder, and go on in the copy; `files` are those that were copied there already.

        Raises
        ------
        ProjectError
            When something lies there, or it cannot be written; then all stays as it was.
        """
        journal = self.chronicle.journal
        if files is None:
            files = ProjectCopy(self.path, target)
            files.take_files()
        self.card = files.finish(self.card, lambda folder: journal.copy_to(folder / JOURNAL))
        self._lock.release()
        self._lock, self.path, self._refused = FolderLock(target), target, ""
        self._on_disk = _content(target)
        journal.go_on_in(target / JOURNAL)
        self._set_card_trouble("")

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def gate(self) -> str:
        """Return the sentence why nothing may be written, or "".

        Where another window had the project once, it may have written what is not known here: that stands until it is opened anew.
        """
        if not self._refused:
            try:
                self._refused = self._lock.hold()
            except OSError as error:
                return unsaved_sentence(self.path, error)
        return self._refused

    def _changed(self) -> str:
        """Return the sentence why `project.json` is not overwritten, or ""; one that has gone is written anew."""
        return "" if _content(self.path) in (None, self._on_disk) else CHANGED.format(path=self.path)

    def _write(self, card: ProjectCard) -> None:
        try:
            write_card(self.path, card)
        finally:
            self._on_disk = _content(self.path)

    def _set_card_trouble(self, sentence: str) -> None:
        before, self._card_trouble = self.trouble, sentence
        if self.trouble != before:
            self.troubled.emit(self.trouble)

    def _tell_trouble(self, _sentence: str) -> None:
        self.troubled.emit(self.trouble)


def _content(folder: Path) -> bytes | None:
    """Return `project.json` as it lies there, None where none can be read."""
    try:
        return (folder / NAME).read_bytes()
    except OSError:
        return None
