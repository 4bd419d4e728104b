"""The encoders and heads of a project in words, for a person to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.model_choice import Model
from napari_tap_events.project.folder import Project
from napari_tap_events.study.result_folder import read_result_folder

INTENSITY = Model(
    "image only, no pretraining",
    "intensity",
    "The head learns from the image itself; strong where events are bright.",
    "control",
)
RANDOM = Model("random encoder (control)", "random", "What an untrained encoder is worth; for comparison only.", "control")


def encoders(project: Project | None) -> list[Model]:
    """Return the pretrained encoders, the newest first, then what needs no pretraining."""
    found = [] if project is None else [_encoder(folder) for folder in project.encoders()]
    return [*found, INTENSITY, RANDOM]


def finders(project: Project | None) -> list[Model]:
    """Return what can find events: heads, the newest first, then encoders, whose arrow of time needs no label."""
    if project is None:
        return []
    arrows = [
        Model(f"no labels: arrow of time of {folder.name}", str(folder), "Ranks places that cannot run backwards.", "encoder")
        for folder in project.encoders()
    ]
    return [*(_head(folder) for folder in project.heads()), *arrows]


def in_a_word(folder: Path) -> str:
    """Return what matters most of a result: the accuracy of an encoder, the F1 of a head, the number of events."""
    summary = _summary(folder)
    for name, words in (("f1", "F1 {:.2f}"), ("val_accuracy_motion", "accuracy {:.2f}"), ("events", "{} events")):
        if isinstance(summary.get(name), int | float):
            return words.format(summary[name])
    return "done"


def _encoder(folder: Path) -> Model:
    return Model(f"{folder.name}, {in_a_word(folder)}", str(folder), f"Pretrained on the arrow of time: {folder}", "encoder")


def _head(folder: Path) -> Model:
    return Model(f"{folder.name}, {in_a_word(folder)}", str(folder), f"An event head: {folder}", "head")


def _summary(folder: Path) -> dict[str, Any]:
    try:
        return dict(read_result_folder(folder).card.get("summary") or {})
    except TapEventsError:
        return {}
