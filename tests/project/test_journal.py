"""The journal: on disk before it counts, whole after a crash, and in memory where there is no disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_tap_events.errors import ProjectError
from napari_tap_events.project.journal import Journal

CORRECTION = {"type": "scope", "words": "set scope", "before": None, "after": [0, 2, 0, 5, 0, 5]}


def filled(path: Path, n: int = 3) -> Journal:
    journal = Journal(path)
    for _ in range(n):
        journal.append("do", "film", CORRECTION)
    return journal


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_entries_come_back_in_their_order(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 2)
    journal.append("undo", "film")
    again = Journal(tmp_path / "j").entries()
    assert again == journal.entries()
    assert [(entry["n"], entry["movie"], entry["what"]) for entry in again] == [
        (1, "film", "do"),
        (2, "film", "do"),
        (3, "film", "undo"),
    ]
    assert again[0]["correction"] == CORRECTION
    assert "correction" not in again[2]
    assert again[0]["time"].endswith("+00:00")


def test_a_journal_that_is_not_there_is_empty_and_is_not_made_by_looking(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    assert journal.entries() == []
    assert journal.write_waiting()
    assert not (tmp_path / "j").exists()


def test_an_entry_is_on_the_disk_when_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    filled(tmp_path / "j", 2)
    assert (tmp_path / "j").stat().st_size == sizes[-1]
    assert len(sizes) == (3 if os.name != "nt" else 2)  # two lines, and once the folder


@settings(deadline=None)
@given(cut=st.integers(1, 400))
def test_whatever_is_cut_off_the_whole_lines_are_kept_and_the_next_goes_behind_them(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    filled(path, 2)
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    whole = path.read_bytes().count(b"\n")
    journal = Journal(path)
    assert len(journal.entries()) == whole
    journal.append("do", "film", CORRECTION)
    assert [entry["n"] for entry in Journal(path).entries()] == list(range(1, whole + 2))


@pytest.mark.parametrize("tail", [b"\0" * 40, b"\0" * 40 + b"\n", b'{"n":4\n', b"[]\n", b'{"n":7}\n'])
def test_a_tail_that_a_crash_left_behind_is_dropped(tmp_path: Path, tail: bytes) -> None:
    filled(tmp_path / "j")
    with (tmp_path / "j").open("ab") as file:
        file.write(tail)
    journal = Journal(tmp_path / "j")
    assert len(journal.entries()) == 3
    journal.append("undo", "film")
    assert [entry["n"] for entry in Journal(tmp_path / "j").entries()] == [1, 2, 3, 4]


def test_damage_before_the_end_is_told(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    (tmp_path / "j").write_bytes(lines[0] + b"x" + lines[1] + lines[2])
    with pytest.raises(ProjectError, match=r"line 2 of the journal .* is damaged; put back a copy"):
        Journal(tmp_path / "j").entries()
    (tmp_path / "j").write_bytes(lines[0] + lines[2] + lines[1])
    with pytest.raises(ProjectError, match="line 2 of the journal"):
        Journal(tmp_path / "j").entries()


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    with pytest.raises(ProjectError, match=r"the journal .* cannot be read"):
        Journal(tmp_path / "j").entries()


def test_on_a_full_disk_work_goes_on_in_memory_and_is_written_as_soon_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = filled(tmp_path / "j", 1)
    told: list[str] = []
    journal.troubled.connect(told.append)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        journal.append("do", "film", CORRECTION)
        journal.append("undo", "film")
        assert "No space left on device; they are kept in memory only" in journal.trouble
        assert (len(journal.entries()), journal.waiting) == (3, 2)
    assert journal.append("redo", "film")["n"] == 4
    assert (journal.trouble, journal.waiting) == ("", 0)
    assert [entry["what"] for entry in Journal(tmp_path / "j").entries()] == ["do", "do", "undo", "redo"]
    assert (len(told), told[-1]) == (2, "")


def test_half_a_line_on_a_full_disk_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = filled(tmp_path / "j", 1)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        journal.append("do", "film", CORRECTION)
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"n":2,"ti')
    assert journal.write_waiting()
    assert len(Journal(tmp_path / "j").entries()) == 2


def test_a_closed_gate_keeps_the_file_as_it_is(tmp_path: Path) -> None:
    filled(tmp_path / "j", 1)
    before = (tmp_path / "j").read_bytes()
    why = ["it is open in another window"]
    journal = Journal(tmp_path / "j", gate=lambda: why[0])
    assert not journal.write_waiting()
    journal.append("undo", "film")
    assert (journal.trouble, journal.waiting, (tmp_path / "j").read_bytes()) == (why[0], 1, before)
    why[0] = ""
    assert journal.write_waiting()
    assert len(Journal(tmp_path / "j").entries()) == 2


def test_two_journals_never_interleave(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "j", 1), Journal(tmp_path / "j")
    other.entries()
    one.append("undo", "film")
    other.append("do", "film", CORRECTION)
    assert "its journal was changed by something else" in other.trouble
    assert [entry["what"] for entry in Journal(tmp_path / "j").entries()] == ["do", "undo"]


def test_a_journal_that_was_deleted_is_told_and_can_be_copied_from_memory(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 2)
    (tmp_path / "j").unlink()
    journal.append("undo", "film")
    assert "its journal was changed by something else" in journal.trouble
    journal.copy_to(tmp_path / "k")
    journal.go_on_in(tmp_path / "k")
    journal.append("redo", "film")
    assert journal.trouble == ""
    assert [entry["what"] for entry in Journal(tmp_path / "k").entries()] == ["do", "do", "undo", "redo"]


def test_what_is_no_json_is_refused_before_it_counts(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 1)
    with pytest.raises(TypeError):
        journal.append("do", "film", {"type": object()})
    assert len(journal.entries()) == 1


def test_every_line_is_json_by_itself(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    for line in (tmp_path / "j").read_text().splitlines():
        assert json.loads(line)["movie"] == "film"
