"""A file is written whole or not at all."""

from __future__ import annotations

import pytest

from napari_tap_events.writing import all_or_nothing


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("before")
    with all_or_nothing(path) as partial:
        partial.write_text("after")
        assert path.read_text() == "before"
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "after")]


@pytest.mark.parametrize("error", [OSError("no room"), KeyboardInterrupt()])
def test_what_fails_leaves_what_was_there_and_nothing_beside(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_text("before")

    def write() -> None:
        with all_or_nothing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.json", "before")]


def test_a_place_that_cannot_be_taken_is_told(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"), all_or_nothing(tmp_path / "taken") as partial:
        partial.write_text("all")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
