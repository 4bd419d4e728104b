"""Find cell events in time-lapse microscopy with few labels: time arrow prediction, calibrated maps, review.

The names below are the public ones. Each is loaded when it is first used: importing the package costs nothing, neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_tap_events.encoder.adapter import Adapter
    from napari_tap_events.errors import JobStopped, TapEventsError
    from napari_tap_events.events.exports import export_events
    from napari_tap_events.events.exports.facts import MovieFacts
    from napari_tap_events.events.over_time import Smoothing, events_over_time
    from napari_tap_events.events.scoring import score_events
    from napari_tap_events.events.table import read_events, write_events
    from napari_tap_events.jobs.adopt import adopt
    from napari_tap_events.jobs.arrow import detect_arrow
    from napari_tap_events.jobs.demo import demo
    from napari_tap_events.jobs.detect import detect
    from napari_tap_events.jobs.explain import explain
    from napari_tap_events.jobs.labelled import Labelled
    from napari_tap_events.jobs.output import Run
    from napari_tap_events.jobs.pretrain import pretrain
    from napari_tap_events.jobs.register import register
    from napari_tap_events.jobs.review import simulate_review
    from napari_tap_events.jobs.study import run_study
    from napari_tap_events.jobs.train import train
    from napari_tap_events.jobs.without_labels import detect_without_labels
    from napari_tap_events.movies.masks import open_masks, save_masks
    from napari_tap_events.movies.movie import Movie, movie_from_array
    from napari_tap_events.movies.ome_zarr import open_map
    from napari_tap_events.movies.opening import open_movie
    from napari_tap_events.movies.synthetic import synthesise, write_synthetic
    from napari_tap_events.reports import Control, Report
    from napari_tap_events.settings import (
        AdoptSettings,
        ComputeSettings,
        DemoSettings,
        DetectSettings,
        ExplainSettings,
        HeadSettings,
        MovieSettings,
        PretrainSettings,
        RegisterSettings,
        ReviewSettings,
        ScoreSettings,
        SimulationSettings,
        StudySettings,
        SyntheticSettings,
    )
    from napari_tap_events.study.report import write_report

__version__ = "0.1.0"

__all__ = [
    "Adapter",
    "AdoptSettings",
    "ComputeSettings",
    "Control",
    "DemoSettings",
    "DetectSettings",
    "ExplainSettings",
    "HeadSettings",
    "JobStopped",
    "Labelled",
    "Movie",
    "MovieFacts",
    "MovieSettings",
    "PretrainSettings",
    "RegisterSettings",
    "Report",
    "ReviewSettings",
    "Run",
    "ScoreSettings",
    "SimulationSettings",
    "Smoothing",
    "StudySettings",
    "SyntheticSettings",
    "TapEventsError",
    "adopt",
    "demo",
    "detect",
    "detect_arrow",
    "detect_without_labels",
    "events_over_time",
    "explain",
    "export_events",
    "movie_from_array",
    "open_map",
    "open_masks",
    "open_movie",
    "pretrain",
    "read_events",
    "register",
    "run_study",
    "save_masks",
    "score_events",
    "simulate_review",
    "synthesise",
    "train",
    "write_events",
    "write_report",
    "write_synthetic",
]

_ROOMS = {
    "encoder.adapter": ("Adapter",),
    "errors": ("JobStopped", "TapEventsError"),
    "events.exports": ("export_events",),
    "events.exports.facts": ("MovieFacts",),
    "events.over_time": ("Smoothing", "events_over_time"),
    "events.scoring": ("score_events",),
    "events.table": ("read_events", "write_events"),
    "jobs.adopt": ("adopt",),
    "jobs.arrow": ("detect_arrow",),
    "jobs.demo": ("demo",),
    "jobs.detect": ("detect",),
    "jobs.explain": ("explain",),
    "jobs.output": ("Run",),
    "jobs.pretrain": ("pretrain",),
    "jobs.labelled": ("Labelled",),
    "jobs.register": ("register",),
    "jobs.review": ("simulate_review",),
    "jobs.study": ("run_study",),
    "jobs.train": ("train",),
    "jobs.without_labels": ("detect_without_labels",),
    "movies.masks": ("open_masks", "save_masks"),
    "movies.movie": ("Movie", "movie_from_array"),
    "movies.ome_zarr": ("open_map",),
    "movies.opening": ("open_movie",),
    "movies.synthetic": ("synthesise", "write_synthetic"),
    "reports": ("Control", "Report"),
    "study.report": ("write_report",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from its room; what is in no room's list is one of the settings."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_ROOM_OF.get(name, 'settings')}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
