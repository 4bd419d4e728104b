"""The program itself, to which every other file here adds its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_tap_events import __version__

app = typer.Typer(
    name="napari-tap-events",
    help="Find cell divisions and deaths in time-lapse movies with few labels. The usual order: info, pretrain, train, detect, open.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
