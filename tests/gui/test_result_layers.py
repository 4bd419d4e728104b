"""Results open in one piece: every layer over the right pixel, the likeliest event in view, clear words for what is gone."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_tap_events.errors import MovieError, OutputError
from napari_tap_events.gui.result_layers import open_results


@pytest.fixture
def viewer():
    notification_manager.records.clear()
    return ViewerModel()


def edit_card(folder, **changes):
    card = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(card | changes))


def test_every_file_becomes_a_layer_and_evidence_waits_hidden(viewer, result_folder):
    open_results(viewer, result_folder)
    shown = {layer.name: layer.visible for layer in viewer.layers}
    assert shown == {
        "movie": True,
        "masks": True,
        "arrow": False,
        "Grad-CAM": False,
        "probability": True,
        "true events": True,
        "events ±1 frame": True,
        "events": True,
    }
    assert viewer.layers["probability"].colorbar.visible
    assert viewer.layers["probability"].contrast_limits == [0, 1]
    assert viewer.layers["Grad-CAM"].blending == "additive"


def test_all_layers_say_their_units_and_share_them(viewer, result_folder):
    open_results(viewer, result_folder)
    for layer in viewer.layers:
        assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"], layer.name
        assert layer.axis_labels == ("t", "y", "x"), layer.name
    assert viewer.dims.axis_labels == ("t", "y", "x")


@pytest.mark.parametrize("name", ["probability", "arrow", "Grad-CAM"])
def test_the_peak_of_a_map_lies_exactly_over_its_pixel_of_the_movie(viewer, result_folder, peak_px, name):
    open_results(viewer, result_folder)
    stored, movie = viewer.layers[name], viewer.layers["movie"]
    stored.visible = True
    peak = np.unravel_index(np.asarray(stored.data).argmax(), stored.data.shape)
    np.testing.assert_allclose(stored.data_to_world(peak), movie.data_to_world((peak[0], *peak_px)))
    assert stored.get_value(movie.data_to_world((peak[0], *peak_px)), world=True) == np.float16(0.9)


def test_the_likeliest_event_lies_on_the_peak_and_is_gone_to(viewer, result_folder, peak_px):
    open_results(viewer, result_folder)
    events = viewer.layers["events"]
    (best,) = events.selected_data
    np.testing.assert_allclose(events.data[best], (2, *peak_px))
    assert viewer.dims.current_step[0] == 2
    assert viewer.dims.point[0] == 600.0, "seconds, not frames"
    assert viewer.layers.selection.active is events


def test_events_have_a_colour_and_a_symbol_for_their_kind_and_a_table(viewer, result_folder):
    open_results(viewer, result_folder)
    events = viewer.layers["events"]
    assert list(events.features["kind"]) == ["death", "division", "division"]
    assert list(events.features["probability"]) == [0.4, 0.9, 0.6]
    assert [str(symbol) for symbol in events.symbol] == ["diamond", "disc", "disc"]
    assert not np.array_equal(events.border_color[0], events.border_color[1])
    np.testing.assert_array_equal(events.border_color[1], events.border_color[2])


def test_neighbouring_frames_show_an_event_too_but_never_outside_the_movie(viewer, result_folder):
    open_results(viewer, result_folder)
    assert sorted(viewer.layers["events ±1 frame"].data[:, 0]) == [1, 1, 3, 3, 5]
    assert viewer.dims.range[0].start == 0
    assert viewer.dims.nsteps[0] == 6


def test_a_movie_without_scale_opens_in_frames_and_pixels(viewer, result_folder, frames, peak_px):
    import tifffile

    tifffile.imwrite(result_folder / "movie.tif", frames, metadata={"axes": "TYX"})
    edit_card(result_folder, inputs={})
    open_results(viewer, result_folder)
    np.testing.assert_allclose(viewer.layers["probability"].data_to_world((2, 3, 5)), (2, *peak_px))
    assert viewer.dims.current_step[0] == 2


def test_a_movie_beside_the_folder_is_found_when_its_old_path_is_gone(viewer, result_folder):
    shutil.move(result_folder / "movie.tif", result_folder.parent / "movie.tif")
    files = json.loads((result_folder / "result.json").read_text())["files"]
    del files["movie"]
    source = {"path": "/nowhere/now/movie.tif", "pixel_size_um": 0.5, "interval_s": 300.0}
    edit_card(result_folder, files=files, inputs={"movie": source})
    open_results(viewer, result_folder)
    assert "movie" in viewer.layers


def test_a_movie_that_is_gone_gives_one_clear_message_and_no_half_open_result(viewer, result_folder):
    (result_folder / "movie.tif").unlink()
    with pytest.raises(MovieError, match=r"movie\.tif.*put it beside"):
        open_results(viewer, result_folder)
    assert len(viewer.layers) == 0


def test_a_movie_that_has_moved_can_be_pointed_to(viewer, result_folder, tmp_path):
    shutil.move(result_folder / "movie.tif", tmp_path / "elsewhere.tif")
    open_results(viewer, result_folder, tmp_path / "elsewhere.tif")
    np.testing.assert_allclose(viewer.layers["elsewhere"].scale, (300, 0.5, 0.5))


def test_a_result_that_lacks_a_file_opens_without_it_and_says_so(viewer, result_folder):
    shutil.rmtree(result_folder / "arrow.ome.zarr")
    (result_folder / "truth.csv").write_text("nothing,of,use\n")
    open_results(viewer, result_folder)
    assert "arrow" not in viewer.layers
    assert "true events" not in viewer.layers
    said = " ".join(note.message for note in notification_manager.records)
    assert "arrow.ome.zarr" in said
    assert "truth.csv" in said


def test_a_result_without_events_opens_too(viewer, result_folder):
    (result_folder / "events.csv").write_text("id,t,y,x,kind,probability,source,status\n")
    open_results(viewer, result_folder)
    assert len(viewer.layers["events"].data) == 0


def test_a_folder_without_a_result_is_refused_in_one_sentence(viewer, tmp_path):
    with pytest.raises(OutputError, match=r"holds no result: there is no result\.json"):
        open_results(viewer, tmp_path)


def test_a_result_of_a_later_version_is_refused(viewer, result_folder):
    edit_card(result_folder, schema=2)
    with pytest.raises(OutputError, match="schema 2"):
        open_results(viewer, result_folder)


def test_another_movie_in_its_place_is_not_taken_for_it(viewer, result_folder):
    edit_card(result_folder, inputs={"movie": {"path": "movie.tif", "shape": [6, 1, 480, 640]}})
    with pytest.raises(MovieError, match=r"is not the movie of 'result'"):
        open_results(viewer, result_folder)


def test_the_movie_is_opened_as_the_command_opened_it(viewer, result_folder, frames):
    import tifffile

    (result_folder / "movie.tif").unlink()
    outside = result_folder.parent / "raw.tif"
    tifffile.imwrite(outside, np.stack([frames * 0, frames], axis=1), photometric="minisblack")
    files = json.loads((result_folder / "result.json").read_text())["files"]
    del files["movie"]
    source = {"path": str(outside), "axes": "TCYX", "shape": [6, 1, 48, 64], "pixel_size_um": 0.5, "interval_s": 300.0}
    settings = {"movie": {"axes": "TCYX", "channel": 1, "z": None}}
    edit_card(result_folder, files=files, inputs={"movie": source}, settings=settings)
    open_results(viewer, result_folder)
    np.testing.assert_array_equal(np.asarray(viewer.layers["raw"].data), frames)
    np.testing.assert_allclose(viewer.layers["raw"].scale, (300, 0.5, 0.5))


def test_marks_are_as_large_as_the_cells_that_the_command_was_told(viewer, result_folder):
    edit_card(result_folder, settings={"detect": {"radius_px": 8.0}})
    open_results(viewer, result_folder)
    assert set(viewer.layers["events"].size) == {16.0}


def test_inputs_told_as_plain_paths_from_another_working_folder_are_found(viewer, result_folder):
    (result_folder / "synthetic").mkdir()
    for name in ("movie.tif", "masks.tif"):
        (result_folder / name).rename(result_folder / "synthetic" / name)
    files = json.loads((result_folder / "result.json").read_text())["files"]
    del files["movie"], files["masks"]
    inputs = {"movie": {"path": "some/result/synthetic/movie.tif"}, "masks": "result/synthetic/masks.tif", "truth": None}
    edit_card(result_folder, files=files, inputs=inputs)
    open_results(viewer, result_folder)
    assert {"movie", "masks"} <= {layer.name for layer in viewer.layers}
