"""Writes a synthetic movie with its masks and its truth."""

from __future__ import annotations

from pathlib import Path

from napari_tap_events.errors import OutputError
from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic

FILES = ("movie.tif", "masks.tif", "truth.csv")


def synth(out: Path, settings: SyntheticSettings, overwrite: bool = False) -> str:
    """Write movie.tif, masks.tif and truth.csv into a folder, and say so.

    Raises
    ------
    OutputError
        When the folder already holds one of these files and `overwrite` is not given.
    """
    there = [name for name in FILES if (out / name).exists()]
    if there and not overwrite:
        raise OutputError(
            f"'{out}' already holds {', '.join(there)}; add --overwrite to replace them, or choose another folder."
        )
    made = synthesise(settings)
    write_synthetic(out, made)
    events = {row.event_id: row.kind for row in made.events}
    counts = {kind: list(events.values()).count(kind) for kind in dict.fromkeys(events.values())}
    told = ", ".join(f"{count} {kind}(s)" for kind, count in counts.items()) or "no event"
    return f"Wrote {', '.join(FILES)} to {out}: {made.movie.n_frames} frames with {told}."
