"""A process that does not end with this one: started apart, known again later, and ended for sure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

NICENESS = 10
CLOCK_STEP_S = 60.0
"""By so much the computer's clock may have been put right since a process was born, and with it what counts as its birth."""


@dataclass(frozen=True)
class Process:
    """By what a process is known again.

    Attributes
    ----------
    pid : int
        Its number, which the system gives to another one later on.
    born : float
        When it was started, in seconds since 1970.
    word : str
        A word of its command line that no other process has.
    """

    pid: int
    born: float
    word: str


class _Apart(subprocess.Popen[bytes]):
    """A child that is meant to live on when this program ends."""

    def __del__(self) -> None:
        """Let go without the usual warning that it still runs."""


_CHILDREN: dict[Process, subprocess.Popen[bytes]] = {}
"""The processes started here: only their parent learns how they ended, and as long as it has not asked they stay on as zombies."""


def start_apart(command: Sequence[str], word: str, log: Path, folder: Path) -> Process:
    """Start a command that lives on when this program ends, or its terminal is closed.

    Parameters
    ----------
    command : sequence of str
    word : str
        One of them that no other process has.
    log : Path
        File to add all that it prints to.
    folder : Path
        Folder to run it in.
    """
    with log.open("ab") as out:
        child = _Apart(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folder,
            start_new_session=True,
            creationflags=_apart(),
        )
    try:
        born = psutil.Process(child.pid).create_time()
    except psutil.Error:
        born = time.time()
    process = Process(child.pid, born, word)
    _CHILDREN[process] = child
    return process


def _apart() -> int:
    """Return what Windows must be told; elsewhere a session of its own sets the process apart."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def leave_a_core(arguments: Sequence[str]) -> tuple[str, ...]:
    """Add to the flags of a command that the window is left a core, unless they say how many threads to use, or a settings file may."""
    said = any(word.partition("=")[0] in ("--threads", "--settings") for word in arguments)
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return tuple(arguments) if said else (*arguments, "--threads", str(max(1, cores - 1)))


def let_others_go_first() -> None:
    """Let this process give way to the window, which must stay smooth on the same cores; not everybody may do that."""
    with suppress(psutil.Error, OSError):
        psutil.Process().nice(_lower_priority())


def _lower_priority() -> int:
    if sys.platform == "win32":
        return subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return NICENESS


def is_alive(process: Process) -> bool:
    """Say whether a process still runs: that very one, not another that has been given its number."""
    if process in _CHILDREN:
        return _CHILDREN[process].poll() is None
    return _found(process) is not None


def exit_code(process: Process) -> int | None:
    """Return how a process ended: its code, or minus the number of a signal; None where only its parent knows."""
    return _CHILDREN[process].poll() if process in _CHILDREN else None


def end_now(process: Process) -> None:
    """End a process and those that it has started, without asking and without waiting."""
    found = _found(process)
    if found is None:
        return
    for one in (*_started_by(found), found):
        try:
            one.kill()
        except psutil.Error:  # it has gone by itself
            continue


def _started_by(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _found(process: Process) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.born) < CLOCK_STEP_S and process.word in found.cmdline()
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
