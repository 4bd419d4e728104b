"""One window, one project; a claim of a process that has gone is void."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from napari_tap_events.project.lock import NAME, FolderLock


def claim(folder: Path, **changes: object) -> None:
    started = psutil.Process().create_time()
    owner = {"pid": os.getpid(), "started": started, "computer": socket.gethostname(), "token": "another"}
    (folder / NAME).write_text(json.dumps(owner | changes))


def dead_process() -> int:
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True).stdout)


def test_a_claim_is_taken_once_and_given_back(tmp_path: Path) -> None:
    one, other = FolderLock(tmp_path), FolderLock(tmp_path)
    assert (one.hold(), one.hold()) == ("", "")
    assert f"is open in another window (process {os.getpid()} on" in other.hold()
    other.release()
    assert (tmp_path / NAME).exists()
    one.release()
    assert not (tmp_path / NAME).exists()
    assert other.hold() == ""


def test_a_lock_that_nobody_holds_any_more_is_given_back(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.hold()
    del lock
    assert not (tmp_path / NAME).exists()


def test_the_claim_of_a_process_that_has_gone_is_void(tmp_path: Path) -> None:
    claim(tmp_path, pid=dead_process())
    assert FolderLock(tmp_path).hold() == ""
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_claim_of_a_later_process_of_the_same_number_is_void(tmp_path: Path) -> None:
    claim(tmp_path, started=psutil.Process().create_time() - 1000)
    lock = FolderLock(tmp_path)
    assert lock.hold() == ""


def test_the_claim_of_a_living_process_stands(tmp_path: Path) -> None:
    claim(tmp_path)
    lock = FolderLock(tmp_path)
    assert "is open in another window" in lock.hold()
    lock.release()
    assert (tmp_path / NAME).exists()


def test_a_claim_from_another_computer_stands_and_says_how_to_remove_it(tmp_path: Path) -> None:
    claim(tmp_path, computer="microscope-3", pid=dead_process())
    sentence = FolderLock(tmp_path).hold()
    assert "on 'microscope-3'" in sentence
    assert f"delete '{tmp_path / NAME}'" in sentence


@pytest.mark.parametrize(("age_s", "void"), [(0, False), (60, True)])
def test_a_claim_that_says_nothing_is_void_after_a_while(tmp_path: Path, age_s: int, void: bool) -> None:
    (tmp_path / NAME).write_text("")
    os.utime(tmp_path / NAME, (time.time() - age_s,) * 2)
    lock = FolderLock(tmp_path)
    assert (lock.hold() == "") is void


def test_no_claim_is_left_behind_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    lock = FolderLock(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(json, "dump", full_disk)
        with pytest.raises(OSError, match="No space left"):
            lock.hold()
    assert list(tmp_path.iterdir()) == []
    assert lock.hold() == ""
