from dataclasses import replace

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from napari_tap_events.errors import OutputError, SettingsError
from napari_tap_events.movies.marked_points import gathered_events, read_marked_points
from napari_tap_events.movies.synthetic import (
    SyntheticMovie,
    SyntheticSettings,
    at_difficulty,
    difficulty,
    noise_movie,
    palindrome,
    random_settings,
    synthesise,
    wallpaper,
    write_synthetic,
)
from napari_tap_events.settings import unit_of

LOOKS = ("nuclei", "phase")


@pytest.fixture(scope="module", params=LOOKS)
def made(request) -> SyntheticMovie:
    return synthesise(SyntheticSettings(look=request.param, frames=40, height=160, width=160, cycle_frames=24, death_rate=0.3))


def small(**values) -> SyntheticSettings:
    return SyntheticSettings.checked(**({"frames": 24, "height": 128, "width": 128, "cells": 14, "cycle_frames": 24} | values))


def n_components(area) -> int:
    return ndimage.label(area, np.ones((3, 3)))[1]


def events_of(made: SyntheticMovie):
    for event_id in sorted({row.event_id for row in made.events}):
        yield [row for row in made.events if row.event_id == event_id]


@pytest.mark.parametrize("look", LOOKS)
def test_the_same_seed_gives_the_same_movie(look):
    one, two = (synthesise(small(look=look, frames=8)) for _ in range(2))
    assert one.movie.content_hash() == two.movie.content_hash()
    assert one.events == two.events
    np.testing.assert_array_equal(one.labels, two.labels)


def test_another_seed_gives_another_movie():
    one, two = (synthesise(small(frames=4, seed=seed)) for seed in (0, 1))
    assert one.movie.content_hash() != two.movie.content_hash()


def test_shapes_types_and_scale_are_those_asked_for(made):
    assert made.movie.shape == (40, 1, 160, 160)
    assert made.movie.dtype == np.uint8
    assert made.labels.shape == (40, 160, 160)
    assert made.labels.dtype == np.uint8
    assert made.movie.pixel_size_um == made.settings.pixel_size_um
    assert made.movie.interval_s == made.settings.interval_s


def test_every_event_has_its_bodies_in_two_successive_frames(made):
    assert {row.kind for row in made.events} == {"division", "death"}
    for rows in events_of(made):
        t = rows[0].t
        roles = ["mother", "daughter", "daughter"] if rows[0].kind == "division" else ["dying", "dead"]
        assert [row.role for row in rows] == roles
        assert [row.t for row in rows] == [t] + [t + 1] * (len(rows) - 1)


def test_every_body_is_marked_near_its_place_with_its_kind(made):
    for row in made.events:
        y, x = np.nonzero(made.labels[row.t] == {"division": 1, "death": 2}[row.kind])
        assert np.hypot(y - row.y, x - row.x).min() < 0.5 * made.settings.cell_px


def test_nothing_but_events_is_marked(made):
    marked = {int(t) for t in np.nonzero(made.labels.any(axis=(1, 2)))[0]}
    assert marked == {row.t for row in made.events}
    for t in marked:
        y, x = np.nonzero(made.labels[t])
        bodies = np.array([(row.y, row.x) for row in made.events if row.t == t])
        distance = np.hypot(y[:, None] - bodies[:, 0], x[:, None] - bodies[:, 1]).min(1)
        assert distance.max() < 1.5 * made.settings.cell_px


def test_what_the_frame_cuts_is_uncertain_and_no_event():
    made = synthesise(SyntheticSettings(frames=60, height=96, width=96, cells=12, cycle_frames=24))
    height, width = made.movie.shape[-2:]
    assert len(made.cut) > 3
    for row in made.cut:
        assert (row.kind, row.certainty) == ("uncertain", "border")
        assert 0 <= row.y < height
        assert 0 <= row.x < width
        assert min(row.y, row.x, height - 1 - row.y, width - 1 - row.x) < 1.2 * made.settings.cell_px
    assert not {row.event_id for row in made.cut} & {row.event_id for row in made.events}


def test_the_table_on_disk_tells_what_counts_neither_way(tmp_path):
    made = synthesise(SyntheticSettings(frames=60, height=96, width=96, cells=12))
    write_synthetic(tmp_path, made)
    points = read_marked_points(tmp_path / "truth.csv")
    assert len([p for p in points if p.kind == "uncertain"]) == len(made.cut)
    assert len(gathered_events(points)) == made.n_events


def test_a_mother_is_one_body_and_daughters_are_two():
    made = synthesise(SyntheticSettings(frames=60, height=200, width=200, cells=10, death_rate=0, debris=0))
    alone = [rows for rows in events_of(made) if rows[0].certainty == "certain" and _is_alone(rows, made)]
    assert len(alone) >= 3
    for mother, first, second in alone:
        assert n_components(_around(made.labels[mother.t], mother, 14)) == 1
        assert n_components(_around(made.labels[first.t], mother, 22)) == 2
        assert np.hypot(first.y - second.y, first.x - second.x) < 1.3 * made.settings.cell_px


def _is_alone(rows, made) -> bool:
    others = [row for row in made.events if row.event_id != rows[0].event_id and abs(row.t - rows[0].t) <= 1]
    return all(np.hypot(row.y - rows[0].y, row.x - rows[0].x) > 45 for row in others)


def _around(frame, row, reach):
    y, x = np.ogrid[: frame.shape[0], : frame.shape[1]]
    return frame * (np.hypot(y - row.y, x - row.x) < reach)


def test_a_plate_is_brighter_than_the_nucleus_it_came_from():
    made = synthesise(SyntheticSettings(frames=60, bleaching=0, noise=0, expression_spread=0, debris=0))
    pixels = made.movie.as_array()[:, 0]
    mothers = [row for row in made.events if row.role == "mother" and row.certainty == "certain" and row.t >= 14]
    brighter = [_around(pixels[row.t], row, 8).max() > 1.4 * _around(pixels[row.t - 14], row, 8).max() for row in mothers]
    assert np.mean(brighter) > 0.8


@pytest.mark.parametrize("look", LOOKS)
def test_the_dead_leave_pieces_that_stay(look):
    calm = {"noise": 0.0, "unevenness": 0.0, "speed_px": 0.1, "drift_px": 0.0, "debris": 0, "cells": 8, "halo": 0.0}
    made = synthesise(small(look=look, frames=40, death_rate=1, cycle_frames=40, bleaching=0, **calm))
    pixels, empty = made.movie.as_array()[:, 0].astype(float), np.median(made.movie.frame(0))
    deaths = [row for row in made.events if row.role == "dead" and row.t < 30 and row.certainty == "certain"]
    assert deaths
    for row in deaths:
        for t in (row.t + 3, row.t + 9):
            assert _around(pixels[t], row, made.settings.cell_px).max() > empty + 3


def test_slender_cells_lie_longer_and_live_the_same_lives():
    alike = {"look": "phase", "cells": 6, "cell_px": 14, "halo": 0.0, "noise": 0.0, "debris": 0, "death_rate": 0.0}
    compact, slender = (synthesise(small(**alike, slenderness=slenderness)) for slenderness in (0, 1))
    assert [(row.t, row.y, row.x) for row in compact.events] == [(row.t, row.y, row.x) for row in slender.events] != []
    assert _longest(slender) > 1.5 * _longest(compact)


def _longest(made: SyntheticMovie) -> float:
    """Return how long the longest body of a frame lies, in pixels; the median of all frames."""
    lengths = []
    for frame in made.movie.as_array()[:, 0].astype(float):
        bodies, _ = ndimage.label(frame > np.median(frame) + 0.1 * np.ptp(frame))
        lengths.append(max(region.axis_major_length for region in regionprops(bodies)))
    return float(np.median(lengths))


def test_more_deaths_and_faster_cycles_give_more_events():
    def counts(**values):
        rows = synthesise(small(frames=40, **values)).events
        return sum(row.role == "dying" for row in rows), sum(row.role == "mother" for row in rows)

    assert counts(death_rate=0.0)[0] == 0
    assert counts(death_rate=0.9)[0] > counts(death_rate=0.1)[0]
    assert counts(cycle_frames=20)[1] > counts(cycle_frames=80)[1] > 0


def test_arrested_mitoses_are_no_events():
    assert not synthesise(small(death_rate=0, arrest_rate=1)).events


def test_an_empty_dish_has_no_events():
    made = synthesise(small(cells=0, debris=3, frames=3))
    assert made.n_events == 0
    assert not made.labels.any()


def test_the_default_movie_holds_a_few_dozen_events():
    assert 25 <= synthesise(SyntheticSettings()).n_events <= 60


def test_medium_gives_about_two_hundred_events():
    assert 140 <= synthesise(difficulty("medium", 1, size=512)).n_events <= 280


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
@pytest.mark.parametrize("look", LOOKS)
def test_every_difficulty_makes_a_movie(level, look):
    made = synthesise(difficulty(level, 3, look=look, frames=6, size=96))
    assert made.settings.look == look
    assert made.movie.shape == (6, 1, 96, 96)


def test_harder_is_noisier():
    noise = [difficulty(level, 0).noise / difficulty(level, 0).contrast for level in ("easy", "medium", "hard")]
    assert noise == sorted(noise)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_random_scenes_are_valid_and_repeatable(seed):
    scene = random_settings(seed, frames=4, size=64)
    assert scene == random_settings(seed, frames=4, size=64)
    assert synthesise(scene).movie.shape == (4, 1, 64, 64)


def test_random_scenes_differ_and_keep_to_the_look_asked_for():
    assert {random_settings(seed).look for seed in range(20)} == set(LOOKS)
    assert {random_settings(seed, look="phase").look for seed in range(5)} == {"phase"}
    assert len({random_settings(seed).cell_px for seed in range(20)}) == 20


@st.composite
def scenes(draw):
    """Any settings within their limits, but small ones."""
    small_limits = {"frames": 5, "height": 64, "width": 64, "cells": 12, "debris": 6, "seed": 1000, "cell_px": 40}
    values = {}
    for name, field in SyntheticSettings.declared().items():
        if field.annotation in (int, float):
            low = next(item.ge for item in field.metadata if hasattr(item, "ge"))
            high = small_limits.get(name) or next((item.le for item in field.metadata if hasattr(item, "le")), low + 1000)
            numbers = st.integers if field.annotation is int else st.floats
            values[name] = draw(numbers(low, high))
    return SyntheticSettings.checked(look=draw(st.sampled_from(LOOKS)), bits=draw(st.sampled_from([8, 12, 16])), **values)


@given(scene=scenes())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_settings_within_limits_make_a_valid_movie(scene):
    made = synthesise(scene)
    assert made.movie.shape == (scene.frames, 1, scene.height, scene.width)
    assert made.movie.dtype == (np.uint8 if scene.bits == 8 else np.uint16)
    assert made.movie.as_array().max() < 1 << scene.bits
    assert set(np.unique(made.labels)) <= {0, 1, 2}
    for row in made.events:
        assert 0 <= row.y < scene.height
        assert 0 <= row.x < scene.width


def test_settings_outside_their_limits_are_refused():
    with pytest.raises(SettingsError, match="frames"):
        SyntheticSettings.checked(frames=1)


def test_every_number_in_pixels_or_frames_says_so():
    for name, field in SyntheticSettings.declared().items():
        assert field.description
        if name.endswith(("_px", "_frames", "_um", "_s")):
            assert unit_of(field) in ("px", "frames", "um", "s")


def test_files_come_back_as_they_were_written(tmp_path, made):
    write_synthetic(tmp_path / "new" / "folder", made)
    with tifffile.TiffFile(tmp_path / "new" / "folder" / "movie.tif") as file:
        assert file.series[0].axes == "TYX"
        assert file.imagej_metadata["finterval"] == made.settings.interval_s
        pixels, unit = file.pages[0].tags["XResolution"].value
        assert unit / pixels == pytest.approx(made.settings.pixel_size_um, rel=1e-3)
        np.testing.assert_array_equal(file.asarray(), made.movie.as_array()[:, 0])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "new" / "folder" / "masks.tif"), made.labels)


def test_the_truth_table_has_the_shared_columns_and_a_row_for_each_body(tmp_path, made):
    write_synthetic(tmp_path, made)
    lines = (tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "event_id,kind,role,t,y,x,radius,certainty,note"
    assert len(lines) == 1 + len(made.events) + len(made.cut)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path, made):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="choose another folder"):
        write_synthetic(tmp_path / "file", made)


def test_sixteen_bit_movies_can_be_written(tmp_path):
    made = synthesise(small(frames=3, bits=16))
    write_synthetic(tmp_path, made)
    assert tifffile.imread(tmp_path / "movie.tif").dtype == np.uint16


def test_noise_has_no_memory():
    movie = noise_movie(3, frames=6, height=64, width=64)
    now, later = movie.frame(0)[0].astype(float), movie.frame(1)[0].astype(float)
    assert abs(np.corrcoef(now.ravel(), later.ravel())[0, 1]) < 0.05
    assert movie.content_hash() == noise_movie(3, frames=6, height=64, width=64).content_hash()


def test_a_palindrome_reads_the_same_backwards(made):
    both = palindrome(made.movie).as_array()
    assert len(both) == 2 * made.movie.n_frames
    np.testing.assert_array_equal(both, both[::-1])


def test_truth_is_frozen(made):
    assert replace(made.events[0], note="x") != made.events[0]
    with pytest.raises(AttributeError):
        made.events[0].note = "x"


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_what_was_set_on_purpose_comes_before_the_difficulty(level):
    plain = at_difficulty(level, SyntheticSettings(seed=3, height=128, width=512))
    assert plain == difficulty(level, 3).model_copy(update={"height": 128, "width": 512})
    mine = at_difficulty(level, SyntheticSettings(seed=3, look="phase", cells=5, noise=0.5))
    assert (mine.cells, mine.noise, mine.cell_px) == (5, 0.5, 20.0)


def test_wallpaper_stays_for_some_frames_and_its_events_are_a_coin():
    movie, labels = wallpaper(0, frames=40, size=64, hold_frames=4)
    frames = movie.as_array()[:, 0].astype(float)
    assert labels.shape == frames.shape
    step = np.abs(np.diff(frames, axis=0)).mean((1, 2))
    changes = np.arange(1, 40) % 4 == 0
    assert step[changes].min() > 4 * step[~changes].max()
    assert all((labels[t] == labels[t - 1]).all() for t in range(1, 40) if t % 4)
    # events look like the others
    assert abs(frames[labels == 1].mean() - frames[labels == 0].mean()) < 5
    assert 0.05 < labels.mean() < 0.2
