"""A project is copied as a whole: all of it arrives, or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.card import ProjectCard, write_card
from napari_tap_events.project.entry import MovieEntry, path_from
from napari_tap_events.project.lock import NAME as LOCK

_LEFT_OUT = (LOCK, LOCK + ".*", "features", "*.partial")
"""What other processes use at this moment, and what can be computed again."""
_IGNORED = shutil.ignore_patterns(*_LEFT_OUT)
_AT_LAST = "masks"
"""What is brought up to date while files are copied; it is small, and copied when that is over."""


def check_free(folder: Path) -> None:
    """Refuse a place for a project where something lies already.

    Raises
    ------
    ProjectError
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"'{folder}' exists already and is not empty; choose another name.")


class ProjectCopy:
    """A copy that is being made beside its place: first the files, which takes its time, then the card and the journal.

    Parameters
    ----------
    folder, target : Path

    Attributes
    ----------
    done_bytes, all_bytes : int
        How much of the files is copied; both may be read from another thread.
    cancelled : bool
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder, self.target = folder, target
        self.done_bytes, self.all_bytes = 0, 0
        self._partial = target.with_name(target.name + ".partial")
        self.cancelled = False
        self._linked: dict[tuple[int, int], str] = {}

    def cancel(self) -> None:
        """Let `take_files`, which may run in another thread, end after the file that it copies."""
        self.cancelled = True

    def take_files(self) -> None:
        """Copy all files; where that is cancelled, nothing is left of them.

        Raises
        ------
        ProjectError
            When something is in the way, or the copy cannot be written; then nothing is left of it.
        """
        check_free(self.target)
        if self.target.resolve().is_relative_to(self.folder.resolve()):
            raise ProjectError(f"'{self.target}' lies inside of the project itself; choose another place.")
        try:
            self.all_bytes = _bytes_of(self.folder)
            self.target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._partial, ignore_errors=True)
            shutil.copytree(self.folder, self._partial, ignore=self._leave_out, copy_function=self._take)
        except _CancelledError:
            pass
        except (OSError, shutil.Error) as error:
            raise self._failed(error) from None
        if self.cancelled:
            self.drop()

    def finish(self, card: ProjectCard, write_rest: Callable[[Path], None]) -> ProjectCard:
        """Put the copy in its place, with the paths of the movies as they are seen from there.

        Parameters
        ----------
        card : ProjectCard
            The newest of the project, which need not be on disk.
        write_rest : callable
            Writes into the copy, while it is not yet in place, what is not on disk, or has changed since.

        Returns
        -------
        ProjectCard
            Of the copy.

        Raises
        ------
        ProjectError
            When the copy cannot be written; then nothing is left of it.
        """
        moved = replace(card, movies=tuple(_seen_from(self.target, self.folder, entry) for entry in card.movies))
        try:
            if (self.folder / _AT_LAST).exists():
                shutil.copytree(self.folder / _AT_LAST, self._partial / _AT_LAST, ignore=_IGNORED)
            write_card(self._partial, moved)
            write_rest(self._partial)
            if self.target.exists():
                self.target.rmdir()
            self._partial.replace(self.target)
        except (OSError, shutil.Error) as error:
            raise self._failed(error) from None
        return moved

    def drop(self) -> None:
        """Remove what was copied."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _leave_out(self, path: str, names: list[str]) -> set[str]:
        return _IGNORED(path, names) | ({_AT_LAST} if Path(path) == self.folder else set())

    def _take(self, source: str, target: str) -> str:
        """Copy a file; two names of one file stay so, where the disk knows that."""
        if self.cancelled:
            raise _CancelledError
        about = Path(source).stat()
        first = self._linked.setdefault((about.st_dev, about.st_ino), target) if about.st_nlink > 1 else target
        if first == target or not _link(first, target):
            shutil.copy2(source, target)
        self.done_bytes += about.st_size
        return target

    def _failed(self, error: OSError) -> ProjectError:
        self.drop()
        return ProjectError(f"the project cannot be saved as '{self.target}': {_reason(error)}; choose another place.")


class _CancelledError(Exception):
    pass


def _link(first: str, target: str) -> bool:
    try:
        os.link(first, target)
    except OSError:  # a disk that knows no links
        return False
    return True


def _bytes_of(folder: Path) -> int:
    """Return the size of all files of a project that are copied."""
    size = 0
    for path, folders, names in os.walk(folder):
        left_out = _IGNORED(path, [*folders, *names])
        folders[:] = [name for name in folders if name not in left_out]
        size += sum(Path(path, name).stat().st_size for name in names if name not in left_out)
    return size


def _seen_from(target: Path, folder: Path, entry: MovieEntry) -> MovieEntry:
    place = entry.place(folder) or entry.places(folder)[0]
    if place.resolve().is_relative_to(folder.resolve()):
        return entry
    return replace(entry, path=path_from(target, place), seen_at=str(place.resolve()))


def _reason(error: OSError) -> str:
    """Return one reason of an error that may list many files."""
    first = error.args[0] if error.args else ""
    if isinstance(error, shutil.Error) and isinstance(first, list) and first:
        return str(first[0][-1])
    return error.strerror or str(error)
