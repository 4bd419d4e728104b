"""Encoders and heads from elsewhere, a colleague's or another project's: a copy of what they need lies in the project."""

from __future__ import annotations

import filecmp
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from napari_tap_events.encoder.named_code import CODE, NamedCode, code_in
from napari_tap_events.encoder.shipped import CARD, WEIGHTS
from napari_tap_events.errors import ModelError, ProjectError
from napari_tap_events.project.results_inside import BROUGHT, Shelf, new_folder

Kind = Literal["encoder", "head"]
SHELVES: dict[Kind, Shelf] = {"encoder": "encoders", "head": "heads"}
PARTS = (WEIGHTS, CODE, "result.json", CARD)
"""Files of a model that are copied, the card last: with it the copy is complete."""


@dataclass(frozen=True)
class Found:
    """A model folder, as its card tells of it.

    Attributes
    ----------
    folder : Path
    kind : "encoder" or "head"
    details : dict
        What only this model needs: `arrow`, `simulated`, `adapter`, ...
    settings : dict
        By which it was made.
    """

    folder: Path
    kind: Kind
    details: dict[str, Any]
    settings: dict[str, Any]

    def codes(self) -> tuple[NamedCode, ...]:
        """Return the code of other people that it runs: of an adopted encoder, or of one inside a head.

        Raises
        ------
        ModelError
            When a file is gone.
        """
        own = (code_in(self.folder, self.details),) if "adapter" in self.details else ()
        return own + tuple(code for part in _inside(self.folder) for code in look(part).codes())


def look(folder: Path) -> Found:
    """Say what a folder holds; weights are not read.

    Raises
    ------
    ModelError
        When it is no complete model.
    """
    if not (folder / CARD).is_file():
        raise ModelError(_no_model(folder))
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        said, details, settings = str(card["kind"]), dict(card.get("details") or {}), dict(card.get("settings") or {})
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"the card '{folder / CARD}' cannot be read; the model is damaged: copy it again.") from None
    kind = next((known for known in SHELVES if known == said), None)
    if kind is None:
        raise ModelError(f"the card '{folder / CARD}' is of '{said}'; choose the folder of an encoder or a head.")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"the model '{folder}' has no {WEIGHTS}; copy the whole folder, not its {CARD} alone.")
    return Found(folder, kind, details, settings)


def bring(project: Path, found: Found) -> Path:
    """Copy a model into a project, and return its folder there; one that is there already is not copied again.

    Raises
    ------
    ProjectError
        When it cannot be copied; then nothing is left of it.
    """
    shelf = SHELVES[found.kind]
    if found.folder.resolve().parent == (project / shelf).resolve():
        return project / shelf / found.folder.resolve().name
    for there in brought(project, found.kind):
        if all(filecmp.cmp(there / name, found.folder / name, shallow=False) for name in (WEIGHTS, CARD)):
            return there
    target = new_folder(project, shelf, found.folder.name)
    try:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        (target / BROUGHT).write_text(json.dumps({"from": str(found.folder.absolute()), "on": now}, indent=1), encoding="utf-8")
        _copy(found.folder, target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise ProjectError(
            f"'{found.folder}' cannot be copied into the project: {error.strerror or error}; make room, or save the project elsewhere."
        ) from None
    return target


def brought(project: Path, kind: Kind) -> tuple[Path, ...]:
    """Return the models of a project that came from elsewhere, by name."""
    return tuple(
        sorted(path.parent for path in (project / SHELVES[kind]).glob(f"*/{BROUGHT}") if (path.parent / CARD).is_file())
    )


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for part in _inside(source):
        _copy(part, target / part.name)
    for name in PARTS:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _inside(folder: Path) -> tuple[Path, ...]:
    """Return the models in a model, such as the encoder of a head."""
    return tuple(sorted(path.parent for path in folder.glob(f"*/{CARD}")))


def _no_model(folder: Path) -> str:
    for shelf in SHELVES.values():
        if (folder / shelf).is_dir():
            return f"'{folder}' is a project; choose a folder inside of its 'encoders' or 'heads'."
        if folder.name == shelf:
            return f"'{folder}' holds several; choose one of the folders inside."
    return f"there is no encoder or head in '{folder}': no {CARD}; choose a folder that pretrain, adopt or train has written."
