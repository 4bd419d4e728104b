"""Processes that work on a project until they are killed, at any moment, and say before what they have done.

Run as a program with the path of a module that has `work(folder, seed)` and `digest(annotations)`: one process imports everything; for
each line "folder seed" on its input it splits off another, which works. That one prints its number, then after each action what
`work` yields: the number of the newest entry of the journal, and a digest of the marks. When it has been killed the first prints "gone".
"""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.history import Chronicle
from napari_tap_events.project.journal import Journal
from napari_tap_events.project.kinds import DEFAULT_KINDS


@contextmanager
def nursery_of(worker: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the process that splits off those which are to be killed."""
    command = [sys.executable, __file__, str(worker)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def work_and_die(
    nursery: subprocess.Popen[str], folder: Path, rng: random.Random, actions: int, pause_s: float
) -> tuple[int, str]:
    """Let a process work for fewer than `actions` and kill it; return the number and the digest that it told last."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{folder} {rng.randrange(10**6)}\n")
    process = int(nursery.stdout.readline())
    told = [nursery.stdout.readline() for _ in range(rng.randrange(1, actions))]
    time.sleep(rng.uniform(0, pause_s))  # the moment of the kill: anywhere in the actions that follow
    os.kill(process, signal.SIGKILL)
    while told[-1] != "gone\n":
        told.append(nursery.stdout.readline())
    n, digest = told[-2].split()
    return int(n), digest


def annotations_after(folder: Path, n: int, shape: tuple[int, int, int]) -> Annotations:
    """Return what was said and marked after the first `n` entries of the journal."""
    journal = Journal()
    for entry in Journal(folder / "journal.jsonl").entries()[:n]:
        journal.append(entry["what"], entry["movie"], entry.get("correction"))
    return Annotations(shape, chronicle=Chronicle(journal, DEFAULT_KINDS), movie="film").replay()


def module_of(path: Path) -> Any:
    """Return a module that lies at a path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def _main(worker: Any) -> None:
    for line in sys.stdin:
        folder, seed = line.rstrip("\n").rsplit(" ", 1)
        process = os.fork()
        if not process:
            _say(os.getpid())
            for told in worker.work(folder, int(seed)):
                _say(*told)
        os.waitpid(process, 0)
        _say("gone")


if __name__ == "__main__":
    _main(module_of(Path(sys.argv[1])))
