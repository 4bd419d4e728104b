"""Which projects were open last: a list in the user's own data folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from napari_tap_events.project.card import NAME
from napari_tap_events.writing import all_or_nothing

FILE = "recent.json"
MOST = 8


def recent_projects(home: Path) -> tuple[tuple[Path, datetime], ...]:
    """Return the saved projects that were open and are still there, with the time when they were opened, the last first.

    Parameters
    ----------
    home : Path
        Folder in which the list is kept; where there is none, or it cannot be read, nothing was open.
    """
    try:
        told = [(Path(path), datetime.fromisoformat(at)) for path, at in json.loads((home / FILE).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return ()
    return tuple((path, at) for path, at in told if (path / NAME).exists())


def tell_recent(home: Path, folder: Path) -> None:
    """Put a project first; where the list cannot be written it does not matter."""
    others = [(str(path), at.isoformat()) for path, at in recent_projects(home) if path != folder]
    rows = [(str(folder), datetime.now(UTC).isoformat()), *others][:MOST]
    try:
        home.mkdir(parents=True, exist_ok=True)
        with all_or_nothing(home / FILE) as partial:
            partial.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    except OSError:
        return
