"""Commands for what others have written: show it, tell of it, hand it on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_tap_events.cli.app import app

PANEL = "Results"


@app.command("open", rich_help_panel=PANEL)
def open_results(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a command wrote.")]) -> None:
    """Show a result folder in napari: movie, masks, maps, events."""
    from napari_tap_events.gui.results import show

    show(folder)


@app.command(rich_help_panel=PANEL)
def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a command wrote.")]) -> None:
    """Write report.html for a result folder."""
    from napari_tap_events.study.report import write_report

    typer.echo(f"Wrote {write_report(folder)}")


@app.command(rich_help_panel=PANEL)
def export(
    source: Annotated[Path, typer.Argument(metavar="EVENTS.csv|DIR", help="Events table, or folder that a command wrote.")],
    form: Annotated[
        Literal["csv", "geff", "trackmate"],
        typer.Option("--format", metavar="FORMAT", help="csv (spreadsheets), geff (libraries for tracks) or trackmate (Fiji)."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; for geff a folder, usually NAME.geff.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Write events for other programs: as CSV, GEFF or TrackMate XML."""
    from napari_tap_events.study.exporting import export_from

    many = export_from(source, out, form, overwrite=overwrite)
    typer.echo(f"Wrote {many} event{'' if many == 1 else 's'} to {out}")
