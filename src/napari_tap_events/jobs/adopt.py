"""The recipe `adopt`: a checkpoint on this disk, and an adapter that the user has written, become an encoder folder.

Nothing is downloaded. Weights are read as plain tensors; the code of the adapter is run, because the user has named it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_tap_events.encoder.adapter import Adapter, fill, named_code, run_adapter
from napari_tap_events.encoder.adopted import AdoptedEncoder
from napari_tap_events.encoder.named_code import CODE, NamedCode, code_in, remember
from napari_tap_events.encoder.unet import Encoder, folded
from napari_tap_events.encoder.weights import ArrowEncoder, Card, is_adopted, load_card, load_encoder, movie_record, save_model
from napari_tap_events.errors import ModelError
from napari_tap_events.jobs.output import Run, describe, finish, start
from napari_tap_events.movies.movie import Movie, single_channel
from napari_tap_events.movies.normalise import normalise
from napari_tap_events.movies.opening import open_movie
from napari_tap_events.reports import Report
from napari_tap_events.settings import AdoptSettings, EncoderSettings

FRAMES = 12
"""Of each movie, by which the projection is fitted."""
MANY = 64
"""Features above which kept maps grow large."""


def adopt(
    checkpoint: Path, adapter: str, movies: Sequence[Path], settings: AdoptSettings, run: Run
) -> Generator[Report, None, Path]:
    """Make an encoder of a network that somebody else has trained; its features stay as they are.

    Parameters
    ----------
    checkpoint : Path
        A state dict on this disk.
    adapter : str
        `FILE.py`, `FILE.py:FUNCTION` or `package.module:FUNCTION`: returns an `Adapter`. This code is run, now and whenever the encoder
        is used.
    movies : sequence of Path
        By which the features that are kept are chosen; without any, all are kept as they are.
    settings : AdoptSettings
    run : Run

    Yields
    ------
    Report

    Returns
    -------
    Path
        The encoder folder: `model.safetensors`, `card.json`, `adapter.py`, `result.json`.

    Raises
    ------
    ModelError
        When the adapter fails, or the checkpoint does not fit.
    """
    code = named_code(adapter)
    made = run_adapter(code)
    fill(made, checkpoint)
    opened = [single_channel(open_movie(path, run.movie)) for path in movies]
    start(run, "adopt", settings, {"checkpoint": [checkpoint], "movies": movies})
    kept = min(settings.keep, made.features) if opened else 0
    encoder = AdoptedEncoder(made, opened[0].n_channels if opened else 1, kept).eval()
    encoder.places(
        torch.zeros(1, encoder.channels, encoder.windows.side_px, encoder.windows.side_px)
    )  # tells what does not fit
    if opened:
        yield Report("adopt", message=f"choosing {kept} of {made.features} features by frames of your movies")
        encoder.fit_projection(_frames(opened))
    model = ArrowEncoder(encoder.channels, EncoderSettings(), arrow=False, encoder=encoder)
    remember(code)
    _keep(model, _card(encoder, code, checkpoint, opened, run), code, run)
    warnings = [] if encoder.features <= MANY else [f"{encoder.features} features make large maps: give --movie to keep fewer."]
    inputs = {"checkpoint": str(checkpoint.resolve()), "movies": [describe(movie) for movie in opened]}
    summary = {"features": encoder.features, "of": made.features, "stride": made.stride}
    finish(run, "adopt", {"adopt": settings}, inputs, {"encoder": "."}, summary, warnings)
    return run.out


def trust(folder: Path) -> str:
    """Let the code of an adopted encoder of somebody else run on this computer from now on; return which code that is.

    Raises
    ------
    ModelError
        When the folder holds no adopted encoder.
    """
    card = load_card(folder, "encoder")
    if not is_adopted(card):
        raise ModelError(f"the encoder '{folder}' was not adopted: it runs no code of its own, and needs no trust.")
    code = code_in(folder, card.details)
    remember(code)
    return str(folder / CODE) if code.text else code.name


def _frames(movies: Sequence[Movie]) -> Iterator[Tensor]:
    for movie in movies:
        for t in np.unique(np.linspace(0, movie.n_frames - 1, FRAMES).astype(int)):
            yield torch.from_numpy(normalise(movie.frame(int(t))))


def _card(encoder: AdoptedEncoder, code: NamedCode, checkpoint: Path, movies: Sequence[Movie], run: Run) -> Card:
    adapter: Adapter = encoder.adapter
    kept = encoder.features if movies else 0
    details = {
        "pretext": "adopted",
        "arrow": False,
        "simulated": False,
        "adapter": code.name,
        "checkpoint": checkpoint.name,
        "kept": kept,
        "stride": adapter.stride,
        "cost": round(_seconds(encoder) / _seconds(folded(Encoder(1, EncoderSettings()))), 2),
    }
    return Card(
        kind="encoder",
        name=run.out.name,
        channels=encoder.channels,
        features=encoder.features,
        movies=[movie_record(movie) for movie in movies],
        details=details,
    )


@torch.no_grad()
def _seconds(network: Callable[[Tensor], Tensor]) -> float:
    """Return the processor time of a frame of 128 x 128 pixels, the shorter of two passes."""
    image, taken = torch.zeros(1, getattr(network, "channels", 1), 128, 128), []
    for _ in range(2):
        began = time.process_time()
        network(image)
        taken.append(time.process_time() - began)
    return max(1e-6, min(taken))


def _keep(model: ArrowEncoder, card: Card, code: NamedCode, run: Run) -> None:
    if code.text:
        (run.out / CODE).write_text(code.text, encoding="utf-8")
    save_model(run.out, {name: value.clone() for name, value in model.state_dict().items()}, card)
    load_encoder(run.out)  # what cannot be read again is no encoder
