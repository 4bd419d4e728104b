"""Settings: declared once, never changed, refused in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import napari_tap_events.settings as all_settings
from napari_tap_events.errors import SettingsError
from napari_tap_events.settings import (
    DetectSettings,
    HeadSettings,
    PretrainSettings,
    Settings,
    frame_range,
    is_advanced,
    unit_of,
)

KINDS = [
    kind
    for kind in vars(all_settings).values()
    if isinstance(kind, type) and issubclass(kind, Settings) and kind is not Settings
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_has_a_sentence_of_help_and_px_and_frames_have_units(kind):
    for name, field in kind.declared().items():
        assert field.description.endswith(".")
        if name.endswith("_px"):
            assert unit_of(field) in ("px", None) if "area" in name else unit_of(field) == "px"


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_allowed_and_survive_a_round_trip(kind):
    assert kind.checked(**kind().model_dump(mode="json")) == kind()


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        DetectSettings().stride_px = 8


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        (DetectSettings, {"stride": 4}, "there is no setting 'stride'; there are: .*stride_px"),
        (
            DetectSettings,
            {"stride_px": 1},
            "the setting stride_px = 1 will not do: .*greater than or equal to 2; change --stride-px",
        ),
        (DetectSettings, {"threshold": 1.5}, "threshold = 1.5 will not do"),
        (PretrainSettings, {"preset": "unet9"}, "preset = 'unet9' will not do: .*unet32"),
        (PretrainSettings, {"deltas": (0,)}, r"deltas.* = 0 will not do"),
        (PretrainSettings, {"deltas": ()}, r"deltas = \(\) will not do"),
        (HeadSettings, {"folds": 1}, "folds = 1 will not do: one fold holds nothing out, .*; change --folds"),
        (HeadSettings, {"steps": "many"}, "steps = 'many' will not do"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(kind, values, told):
    with pytest.raises(SettingsError, match=told) as error:
        kind.checked(**values)
    assert "\n" not in str(error.value)


def test_a_toml_file_is_read(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("stride_px = 8\nthreshold = 0.25\n")
    assert DetectSettings.from_toml(path) == DetectSettings(stride_px=8, threshold=0.25)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stride = 8", "'s.toml' names 'stride'; there are: .*stride_px"),
        ("stride_px = ", "cannot be read"),
        ("stride_px = 1", "will not do"),
    ],
)
def test_a_wrong_toml_file_is_refused(tmp_path, text, told):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=told):
        DetectSettings.from_toml(path)


@given(n=st.integers(2, 60), start=st.none() | st.integers(-70, 70), stop=st.none() | st.integers(-70, 70))
def test_a_range_of_frames_is_as_in_python(n, start, stop):
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    expected = list(range(n))[slice(start, stop)]
    if any(limit is not None and abs(limit) > n for limit in (start, stop)):
        with pytest.raises(SettingsError, match=f"goes beyond the movie, which has the frames 0:{n}"):
            frame_range(text, n, "frames")
    elif len(expected) < 2:
        with pytest.raises(SettingsError, match="at least 2 are needed"):
            frame_range(text, n, "frames")
    else:
        assert list(frame_range(text, n, "frames")) == expected


@pytest.mark.parametrize("text", ["5", "1:2:3", "a:b", "1-5"])
def test_what_is_no_range_of_frames_is_refused(text):
    with pytest.raises(SettingsError, match="is no range of frames; write it as 0:60, :60 or 60:"):
        frame_range(text, 10, "val_frames")


def test_no_text_is_all_frames():
    assert frame_range("", 7, "frames") == range(7)


def test_advanced_settings_are_told_apart():
    declared = PretrainSettings.declared()
    assert is_advanced(declared["weight_decay"])
    assert not is_advanced(declared["patch_px"])


@pytest.mark.parametrize(
    ("changes", "events", "steps"),
    [
        ({}, 0, 200),
        ({}, 14, 200),
        ({}, 41, 205),
        ({}, 60, 300),
        ({}, 5000, 1000),
        ({"teaching_events": 5}, 195, 200),
        ({"teaching_events": 100}, 195, 500),
        ({"teaching_events": 100}, 60, 300),
        ({"steps": 7}, 195, 7),
    ],
)
def test_the_more_events_teach_the_longer_a_head_learns(changes, events, steps):
    assert HeadSettings(**changes).steps_for(events) == steps
