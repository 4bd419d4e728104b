"""Commands that tell of the program: the games it knows, and what is installed here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from napari_tap_events.cli.app import app

PANEL = "This program"


@app.command(rich_help_panel=PANEL)
def games(
    name: Annotated[
        str | None, typer.Argument(metavar="[GAME]", help="One game, with its settings.", show_default=False)
    ] = None,
) -> None:
    """List the games by which pretrain can teach an encoder: what each learns, and when it misleads."""
    from napari_tap_events.jobs.games import games_text

    typer.echo(games_text(name))


@app.command(rich_help_panel=PANEL)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    speed: Annotated[bool, typer.Option("--speed", help="Measure how fast this computer is; takes a second or two.")] = False,
) -> None:
    """Say what is installed here, what is missing, and what that means."""
    from napari_tap_events.jobs.doctor import diagnosis, facts

    typer.echo(json.dumps(facts(speed), indent=2) if as_json else diagnosis(speed))
