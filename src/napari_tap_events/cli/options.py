"""Options that several commands share, by the same names and with the same help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_tap_events.follow import Reports

MovieArg = Annotated[Path, typer.Argument(metavar="MOVIE", help="TIFF, OME-TIFF, OME-Zarr, AVI, or a folder of frames.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what the folder holds.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
ReportsOpt = Annotated[
    Reports,
    typer.Option(
        "--reports", help="Progress for people, or one JSON report per line on stdout.", rich_help_panel="For programs"
    ),
]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Only say how long it will take and how much memory, roughly; nothing is started.")
]
Job = Annotated[
    Path | None,
    typer.Option(
        "--job",
        metavar="DIR",
        help="Write reports.jsonl here, and look here for orders to pause and to stop in control.json.",
        rich_help_panel="For programs",
    ),
]
Masks = Annotated[
    Path | None, typer.Option("--masks", metavar="FILE", help="Event masks (T, Y, X): 0 nothing, 1 division, 2 death.")
]
Events = Annotated[
    Path | None, typer.Option("--events", metavar="CSV", help="True events, and what is uncertain; else taken from the mask.")
]
Known = Annotated[
    Path | None,
    typer.Option(
        "--known", metavar="CSV", help="Boxes that were looked at, beside the scope or in place of it; else all of the movie."
    ),
]
