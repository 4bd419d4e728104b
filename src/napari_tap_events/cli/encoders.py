"""Commands that make encoders of networks from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_tap_events.cli.app import app
from napari_tap_events.cli.doors import run_of, say_summary, work
from napari_tap_events.cli.options import Out, Overwrite, ReportsOpt
from napari_tap_events.errors import SettingsError
from napari_tap_events.flags import spread
from napari_tap_events.follow import Reports
from napari_tap_events.settings import AdoptSettings, ComputeSettings, MovieSettings

PANEL = "Encoders"


@app.command(rich_help_panel=PANEL)
@spread
def adopt(
    settings: AdoptSettings,
    opening: MovieSettings,
    checkpoint: Annotated[
        Path | None,
        typer.Argument(metavar="[CHECKPOINT]", help="State dict of a trained network, on this disk.", show_default=False),
    ] = None,
    adapter: Annotated[
        str | None,
        typer.Option(
            "--adapter",
            metavar="FILE.py",
            help="Python that makes the network; FILE.py:FUNCTION and package.module:FUNCTION will do, too. This code is run.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder to write to.")] = None,
    movie: Annotated[
        list[Path] | None,
        typer.Option("--movie", metavar="MOVIE", help="Movies that say which features are worth keeping; may be repeated."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", metavar="DIR", help="Instead: let the code in an adopted encoder of somebody else run from now on."
        ),
    ] = None,
    overwrite: Overwrite = False,
    reports: ReportsOpt = Reports.text,
) -> None:
    """Make an encoder of a network that somebody else has trained, from a checkpoint on this disk; nothing is downloaded."""
    from napari_tap_events.jobs.adopt import adopt as recipe
    from napari_tap_events.jobs.adopt import trust as trusted

    if trust is not None:
        typer.echo(f"From now on this computer runs {trusted(trust)}")
        return
    if checkpoint is None or adapter is None or out is None:
        raise SettingsError("give CHECKPOINT, --adapter FILE.py and --out DIR; or --trust DIR alone.")
    run = run_of(out, overwrite, False, ComputeSettings(), opening)
    work(recipe(checkpoint, adapter, movie or [], settings, run), run, reports, None)
    say_summary(out, reports)


@app.command("import-tap", rich_help_panel=PANEL)
def import_tap(
    state: Annotated[Path, typer.Argument(metavar="STATE.pt", help="State dict of the public TAP code: model_state.pt.")],
    out: Out,
) -> None:
    """Turn published TAP weights into an encoder folder; only tensors are read, nothing in the file is run."""
    from napari_tap_events.encoder.import_tap import import_tap as recipe

    if out.exists() and any(out.iterdir()):
        raise SettingsError(f"'{out}' is not empty; choose another --out.")
    card = recipe(state, out)
    typer.echo(f"Wrote an encoder with {card.features} features for {card.channels} channel(s) to {out}")
