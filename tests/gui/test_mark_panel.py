"""The Mark panel in a real window: what mouse and keys do on the picture, and what the panel shows of it."""

from __future__ import annotations

import pytest

from .marking import Bench, cell_movie


@pytest.fixture
def bench(make_napari_viewer, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_tap_events.gui.mark_panel.keys_file", lambda: tmp_path / "keys.json")
    return Bench(make_napari_viewer(show=True), cell_movie())


def test_a_click_stamps_this_frame_and_the_next(bench):
    bench.frame(2)
    bench.click(30, 40)
    (event,) = bench.events()
    assert (event.t, event.y, event.x, event.kind) == (2, 30, 40, "division")
    assert bench.annotations.labels[2, 30, 40] == bench.annotations.labels[3, 30, 40] == 1
    assert not bench.annotations.labels[[1, 4]].any()
