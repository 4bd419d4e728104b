"""Output folders: never mixed, never lost; each says what made it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_tap_events.errors import OutputError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.reports import Control
from napari_tap_events.settings import ComputeSettings, MovieSettings, Settings
from napari_tap_events.versions import versions
from napari_tap_events.writing import all_or_nothing

RESUMED = ("pretrain", "train", "demo", "study")
"""Commands that can go on where they were stopped; the others begin again."""
STARTED, RESULT = "started.json", "result.json"
MARKS = "marks"
"""Where a run writes down the hash of the marks that it began with."""


@dataclass(frozen=True)
class Run:
    """What every recipe is told beside its own settings.

    Attributes
    ----------
    out : Path
        Folder to write to.
    overwrite, resume : bool
        What to do where the folder is not empty: start anew, or go on.
    compute, movie : ComputeSettings, MovieSettings
    control : Control
        Through which the run is paused and stopped.
    """

    out: Path
    overwrite: bool = False
    resume: bool = False
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    movie: MovieSettings = field(default_factory=MovieSettings)
    control: Control = field(default_factory=Control)

    def within(self, name: str) -> Run:
        """Return the same for a part of a larger run, in a folder of its own."""
        return Run(self.out / name, self.overwrite, self.resume, self.compute, self.movie, self.control)


def start(
    run: Run, command: str, settings: Settings, inputs: Mapping[str, Sequence[Path | None]], marks: str | None = None
) -> None:
    """Prepare the output folder and write down what is about to happen.

    Parameters
    ----------
    run, command
    settings : Settings
        As they were asked for: what follows from the marks is left out, so that nobody is told of a setting that they never made.
    inputs : mapping of name to paths
        What will be read: it must not lie in a folder that is to be cleared, and be the same when a run goes on.
    marks : str, optional
        Hash of the marks that are taught and asked; a run goes on with the very same ones only.

    Raises
    ------
    OutputError
        When the folder is in use by something else, or cannot be written, or what is to go on has changed.
    """
    paths = {name: [str(path.resolve()) for path in group if path is not None] for name, group in inputs.items()}
    chosen = {**settings.model_dump(mode="json"), **run.movie.model_dump(mode="json"), **paths}
    chosen |= {MARKS: marks} if marks else {}
    started = {"schema": 1, "command": command, "out": str(run.out.resolve()), "settings": chosen, "versions": versions()}
    try:
        if run.out.exists() and any(run.out.iterdir()):
            _clear(run, command, chosen, [path for group in paths.values() for path in group])
            if run.resume:
                return
        run.out.mkdir(parents=True, exist_ok=True)
        write_json(run.out / STARTED, started)
    except OSError as error:
        raise OutputError(f"cannot write to '{run.out}': {error.strerror or error}; choose another --out.") from None


def finished(run: Run) -> bool:
    """Say whether the run that is to go on had come to its end."""
    return run.resume and (run.out / RESULT).exists()


def _clear(run: Run, command: str, settings: Mapping[str, Any], inputs: Sequence[str]) -> None:
    before = read_json(run.out / STARTED)
    if before is None:
        raise OutputError(f"'{run.out}' is not empty, and not made by this software; choose another --out.")
    if run.overwrite:
        inside = [path for path in inputs if Path(path).is_relative_to(run.out.resolve())]
        if inside:
            raise OutputError(f"'{run.out}' holds '{inside[0]}', which is to be read: it is not cleared; choose another --out.")
        shutil.rmtree(run.out)
        return
    if not run.resume:
        go_on = ", --resume to go on" if command.split()[0] in RESUMED else ""
        what = "results" if (run.out / RESULT).exists() else f"a '{before['command']}' that has not ended"
        raise OutputError(f"'{run.out}' already holds {what}; add --overwrite to replace it{go_on}, or change --out.")
    if before["command"] != command:
        raise OutputError(f"'{run.out}' was made by '{before['command']}', not by '{command}'; choose another --out.")
    was_at = Path(before.get("out", run.out.resolve()))
    changed = [
        name for name, value in settings.items() if not _same(before["settings"].get(name), was_at, value, run.out.resolve())
    ]
    if changed == [MARKS]:
        raise OutputError(
            f"the marks have changed since the run in '{run.out}' began, so it has to start anew; "
            "start again with --overwrite, or with another --out."
        )
    if changed:
        name = changed[0]
        raise OutputError(
            f"cannot resume with {name} = {settings[name]!r}: it was {before['settings'].get(name)!r}; keep it, or add --overwrite."
        )


def _same(before: Any, was_at: Path, now: Any, out: Path) -> bool:
    """Say whether two settings are the same; paths also are where they lie as before as seen from the results, which may have moved."""
    return bool(before == now or _seen_from(was_at, before) == _seen_from(out, now))


def _seen_from(out: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_seen_from(out, part) for part in value]
    if isinstance(value, str) and Path(value).is_absolute():
        with suppress(ValueError):  # on another drive
            return os.path.relpath(value, out)
    return value


def finish(
    run: Run,
    command: str,
    settings: Mapping[str, Settings],
    inputs: Mapping[str, Any],
    files: Mapping[str, str],
    summary: Mapping[str, Any],
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Write `result.json`: with it a folder is complete, and `report`, `open` and napari can read it.

    Parameters
    ----------
    settings : mapping of section to Settings
    inputs : mapping
        What went in: "movie" from `describe`, "masks", ...
    files : mapping of role to path
        What came out, relative to the folder.
    summary : mapping
        The main numbers.
    warnings : sequence of str
        What a reader must know before believing them.
    """
    sections = {"movie": run.movie, "compute": run.compute, **settings}
    result = {
        "schema": 1,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings": {section: value.model_dump(mode="json") for section, value in sections.items()},
        "inputs": dict(inputs),
        "files": dict(files),
        "summary": dict(summary),
        "warnings": list(warnings),
    }
    write_json(run.out / RESULT, result)
    return result


def describe(movie: Movie, content_hash: str | None = None) -> dict[str, Any]:
    """Return what `result.json` says about a movie."""
    return {
        "path": str(Path(movie.source).resolve()) if movie.source else "",
        "name": movie.name,
        "shape": list(movie.shape),
        "dtype": str(movie.dtype),
        "axes": movie.file_axes,
        "pixel_size_um": movie.pixel_size_um,
        "interval_s": movie.interval_s,
        "content_hash": content_hash or movie.content_hash(),
    }


def probability_maps(kinds: Sequence[str]) -> list[str]:
    """Return the names of the maps of a head that finds these kinds: that of any event and, where they are told apart, one for each.

    What cannot stand in the name of a file becomes "_".
    """
    safe = [re.sub(r"[^\w .-]", "_", kind) for kind in kinds]
    return ["probability", *(f"probability_{kind}" for kind in safe if len(safe) > 1)]


def write_json(path: Path, values: Any) -> None:
    """Write JSON: all of it or nothing."""
    with all_or_nothing(path) as partial:
        partial.write_text(json.dumps(values, indent=2, default=str), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write rows of metrics as CSV; a column for every name that occurs."""
    names = list(dict.fromkeys(name for row in history for name in row))
    lines = [",".join(names), *(",".join(f"{row[name]:.6g}" if name in row else "" for name in names) for row in history)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
