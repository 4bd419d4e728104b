"""The encoders and heads of a project in words, for a person to choose from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_tap_events.encoder.shipped import CARD, SHIPPED, encoder_folder
from napari_tap_events.errors import TapEventsError
from napari_tap_events.gui.made_of import results_of_open_movie
from napari_tap_events.gui.model_choice import Model
from napari_tap_events.project.brought import Kind
from napari_tap_events.project.folder import Project
from napari_tap_events.project.session import Session
from napari_tap_events.review.gate import read_history
from napari_tap_events.study.result_folder import read_result_folder

INTENSITY = Model(
    "image only, no pretraining",
    "intensity",
    "The head learns from the image itself; strong where events are bright.",
    "control",
)
RANDOM = Model("random encoder (control)", "random", "What an untrained encoder is worth; for comparison only.", "control")
SIMULATED_HELP = "Ranks places that look like a division or death of simulated movies; not one mark is needed."
SHIPPED_ENCODER = Model(
    "shipped encoder",
    SHIPPED,
    "Comes with the program; it has learned from simulated movies to find events.",
    "encoder",
)
SHIPPED_FINDER = Model("no labels: shipped encoder", SHIPPED, SIMULATED_HELP, "encoder")


def encoders(project: Project | None) -> list[Model]:
    """Return the pretrained encoders, the newest first, the shipped one, those from elsewhere, then what needs no pretraining."""
    if project is None:
        return [*_shipped(SHIPPED_ENCODER), INTENSITY, RANDOM]
    return [
        *map(_encoder, project.encoders()),
        *_shipped(SHIPPED_ENCODER),
        *_brought(project, "encoder"),
        INTENSITY,
        RANDOM,
    ]


def finders(project: Project | None) -> list[Model]:
    """Return what can find events: heads, the newest first, then encoders, whose own maps need no label; those from elsewhere last."""
    if project is None:
        return []
    return [
        *_of_reviews(project),
        *map(_head, project.heads()),
        *_alone(project.encoders()),
        *_shipped(SHIPPED_FINDER),
        *_brought(project, "head"),
        *_alone(project.brought("encoder")),
    ]


def heads(project: Project | None, but: str = "") -> list[Model]:
    """Return the heads that a review can begin with: those of other movies' reviews, those of the project, those from elsewhere.

    Parameters
    ----------
    project : Project, optional
    but : str
        Name of the movie whose own review is left out.
    """
    if project is None:
        return []
    return [*_of_reviews(project, but), *map(_head, project.heads()), *_brought(project, "head")]


def found_last(session: Session) -> Path | None:
    """Return the newest result of a search through the open movie, None where there is none."""
    found = results_of_open_movie(session, "result.json")
    return next((folder for folder in found if read_result_folder(folder).command == "detect"), None)


def _of_reviews(project: Project, but: str = "") -> list[Model]:
    paths = (path for path in sorted(project.path.glob("review/*/heads.json")) if path.parent.name != but)
    reviewed = (_reviewed(path, project.path) for path in paths)
    return [model for model in reviewed if model is not None]


def _reviewed(path: Path, project: Path) -> Model | None:
    """Return the head that is in use in the review of a movie."""
    history = read_history(path)
    record = history.record
    if record is None or (record.elsewhere and not record.answers):  # the latter is offered as what it is
        return None
    folder = project / record.folder
    words = f"review of {path.parent.name}, {record.answers} answers"
    return Model(words, str(folder), f"The head of the review: {folder}", "head")


def _shipped(model: Model) -> list[Model]:
    return [model] if (encoder_folder(SHIPPED) / CARD).exists() else []


def finds_alone(details: Mapping[str, Any]) -> bool:
    """Say whether an encoder can rank places by itself: by the arrow of time, or by what simulated movies have taught."""
    return bool(details.get("arrow", True) or details.get("simulated"))


def _alone(folders: Iterable[Path]) -> list[Model]:
    return [_without_labels(folder) for folder in folders if finds_alone(_details(folder))]


def _without_labels(folder: Path) -> Model:
    if _details(folder).get("simulated"):
        return Model(f"no labels: {folder.name}, as simulated", str(folder), SIMULATED_HELP, "encoder")
    return Model(
        f"no labels: arrow of time of {folder.name}", str(folder), "Ranks places that cannot run backwards.", "encoder"
    )


def in_a_word(folder: Path) -> str:
    """Return what matters most of a result: the accuracy of an encoder, the F1 of a head, the number of events."""
    summary = _summary(folder)
    for name, words in (
        ("f1", "F1 {:.2f}"),
        ("val_accuracy_motion", "accuracy {:.2f}"),
        ("val_ap_simulated", "AP {:.2f} on simulated"),
        ("events", "{} events"),
    ):
        if isinstance(summary.get(name), int | float):
            return words.format(summary[name])
    return "done"


def _encoder(folder: Path) -> Model:
    if "adapter" in _details(folder):
        return Model(f"{folder.name}, adopted", str(folder), f"Features of a checkpoint that you brought: {folder}", "encoder")
    return Model(f"{folder.name}, {in_a_word(folder)}", str(folder), f"Pretrained without labels: {folder}", "encoder")


def _brought(project: Project, kind: Kind) -> list[Model]:
    what = f"An {'event ' * (kind == 'head')}{kind} that was made elsewhere"
    return [Model(f"{folder.name}, brought", str(folder), f"{what}: {folder}", kind) for folder in project.brought(kind)]


def _head(folder: Path) -> Model:
    return Model(f"{folder.name}, {in_a_word(folder)}", str(folder), f"An event head: {folder}", "head")


def _details(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / CARD).read_text(encoding="utf-8"))["details"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _summary(folder: Path) -> dict[str, Any]:
    try:
        return dict(read_result_folder(folder).card.get("summary") or {})
    except TapEventsError:
        return {}
