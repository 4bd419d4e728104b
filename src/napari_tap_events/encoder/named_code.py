"""The code of an adapter in an encoder folder, and whether a person has named it on this computer: nothing else of it is run.

Nothing here runs it; so the window can ask a person before a job does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from napari_tap_events.errors import ModelError
from napari_tap_events.writing import all_or_nothing

CODE = "adapter.py"
"""Name of the file with the adapter's code in a folder."""


@dataclass(frozen=True)
class NamedCode:
    """Where an adapter stands.

    Attributes
    ----------
    name : str
        Of the function, or `module:function`.
    text : str
        The Python file; empty where a package has it.
    """

    name: str
    text: str = ""

    @property
    def mark(self) -> str:
        """What tells this code from any other, SHA-256."""
        return hashlib.sha256(f"{self.name}\n{self.text}".encode()).hexdigest()


def code_in(folder: Path, details: Mapping[str, Any]) -> NamedCode:
    """Return the code of the adapter of a folder; `details` are those of its card.

    Raises
    ------
    ModelError
        When its file is gone.
    """
    name, own = str(details["adapter"]), folder / CODE
    if ":" in name:
        return NamedCode(name)
    try:
        return NamedCode(name, own.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"the adopted encoder '{folder}' lacks its {CODE}; adopt the checkpoint again.") from None


def named_before() -> Path:
    """Return the file in which the code that was named on this computer is remembered."""
    return Path(platformdirs.user_config_dir("napari-tap-events")) / "adapters.json"


def remember(code: NamedCode) -> None:
    """Remember that a user has named this code: model folders with it may be used from now on.

    Raises
    ------
    ModelError
        When that cannot be written down.
    """
    file, marks = named_before(), _marks()
    if code.mark in marks:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with all_or_nothing(file) as partial:
            partial.write_text(json.dumps([*marks, code.mark], indent=1), encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"that this code may run cannot be written into '{file}': {error.strerror or error}; make room there."
        ) from None


def was_named(code: NamedCode) -> bool:
    """Say whether a user has named this code on this computer."""
    return code.mark in _marks()


def _marks() -> list[str]:
    try:
        marks = json.loads(named_before().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(mark) for mark in marks] if isinstance(marks, list) else []
