"""One window, one project: a file in the folder says which process writes there."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import finalize

NAME = "project.lock"
_SAME_START_S = 10.0
"""Clocks are set while programs run: a process is the one that made the lock if it began within so many seconds of it."""
_BEING_WRITTEN_S = 10.0
"""A lock that says nothing yet is being written by somebody; after so long it was left behind."""


class FolderLock:
    """A claim to write in a folder; a claim whose process has gone is void.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / NAME
        self._token = uuid4().hex
        self._held = False

    def hold(self) -> str:
        """Take the claim, and return "", or the sentence who has it.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        if not self._held and (self._take() or (self._remove_void() and self._take())):
            self._held = True
            self._finalizer = finalize(self, _release, self._path, self._token)
        return "" if self._held else _sentence(self.folder, _owner(self._path))

    def release(self) -> None:
        """Give the claim back."""
        if self._held:
            self._held = False
            self._finalizer()

    def _take(self) -> bool:
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(_this_process() | {"token": self._token}, file)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        return True

    def _remove_void(self) -> bool:
        """Remove a claim whose process has gone; put it back if it was another one that was caught."""
        owner = _owner(self._path)
        if not _void(self._path, owner):
            return False
        aside = self._path.with_name(f"{NAME}.{self._token}")
        try:
            self._path.replace(aside)
        except FileNotFoundError:
            return True
        if _owner(aside) != owner and not self._path.exists():
            aside.replace(self._path)
            return False
        aside.unlink(missing_ok=True)
        return True


def is_held(folder: Path) -> bool:
    """Say whether some process, this one or another, has a claim on a folder now."""
    path = folder / NAME
    return path.exists() and not _void(path, _owner(path))


def _release(path: Path, token: str) -> None:
    if _owner(path).get("token") == token:
        path.unlink(missing_ok=True)


def _owner(path: Path) -> dict[str, Any]:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _this_process() -> dict[str, Any]:
    import psutil

    return {"pid": os.getpid(), "started": psutil.Process().create_time(), "computer": socket.gethostname()}


def _void(path: Path, owner: dict[str, Any]) -> bool:
    import psutil

    if not owner:
        try:
            return time.time() - path.stat().st_mtime > _BEING_WRITTEN_S
        except FileNotFoundError:
            return True
    if owner.get("computer") != socket.gethostname():
        return False
    try:
        started = float(psutil.Process(int(owner["pid"])).create_time())
        return abs(started - float(owner["started"])) > _SAME_START_S
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError):
        return True
    except psutil.AccessDenied:
        return False


def _sentence(folder: Path, owner: dict[str, Any]) -> str:
    where = f"process {owner.get('pid', '?')} on '{owner.get('computer', '?')}'"
    return (
        f"the project '{folder.name}' is open in another window ({where}); what is marked here is kept in memory only: "
        f"save it under another name, or close both windows and open it again (if there is no other, delete '{folder / NAME}')."
    )
