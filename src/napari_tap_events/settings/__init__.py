"""Settings: each one declared once; files, flags and forms come from the declarations."""

from napari_tap_events.settings.declare import FrameRange, Settings, frame_range, is_advanced, read_toml, setting, unit_of
from napari_tap_events.settings.recipes import (
    ComputeSettings,
    Criterion,
    DemoSettings,
    DetectSettings,
    Device,
    EncoderSettings,
    EventSettings,
    ExplainSettings,
    HeadKind,
    HeadSettings,
    LabelSettings,
    MovieSettings,
    Preset,
    PretrainSettings,
    ScoreSettings,
    SplitSettings,
)
from napari_tap_events.settings.review import QueueSettings, ReviewSettings, SimulationSettings
from napari_tap_events.settings.synthetic import Look, SyntheticSettings

__all__ = [
    "ComputeSettings",
    "Criterion",
    "DemoSettings",
    "DetectSettings",
    "Device",
    "EncoderSettings",
    "EventSettings",
    "ExplainSettings",
    "FrameRange",
    "HeadKind",
    "HeadSettings",
    "LabelSettings",
    "Look",
    "MovieSettings",
    "Preset",
    "PretrainSettings",
    "QueueSettings",
    "ReviewSettings",
    "ScoreSettings",
    "Settings",
    "SimulationSettings",
    "SplitSettings",
    "SyntheticSettings",
    "frame_range",
    "is_advanced",
    "read_toml",
    "setting",
    "unit_of",
]
