"""A model is a folder: `model.safetensors` and `card.json`; never a pickle.

The card says what the weights are, how they were made and what they fit: schema, settings, normalisation, data, seeds, versions,
metrics. Anything that does not fit fails loudly.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from napari_tap_events.encoder.adopted import adopted_encoder
from napari_tap_events.encoder.arrow import ArrowHead
from napari_tap_events.encoder.named_code import CODE
from napari_tap_events.encoder.pair_head import PairHead
from napari_tap_events.encoder.scale import scale_for
from napari_tap_events.encoder.shipped import CARD, WEIGHTS
from napari_tap_events.encoder.unet import Encoder
from napari_tap_events.errors import ModelError, SettingsError
from napari_tap_events.movies.movie import Movie
from napari_tap_events.movies.normalise import NORMALISATION
from napari_tap_events.settings import EncoderSettings
from napari_tap_events.versions import versions
from napari_tap_events.writing import all_or_nothing

SCHEMA = 2
"""2: an encoder may have a pair head; cards of schema 1 are read as having none."""


class MovieRecord(BaseModel):
    """A movie that a model has seen: its name, size and content hash, and which of its frames."""

    name: str
    shape: tuple[int, int, int, int]
    content_hash: str
    frames: str = ""


class Card(BaseModel):
    """What `card.json` holds.

    Attributes
    ----------
    kind : "encoder" or "head"
    channels, features : int
        Image channels C that the model reads; feature channels F.
    settings : dict
        All settings that it was made with.
    metrics : dict
        Measured numbers.
    details : dict
        What only this kind of model needs, e.g. calibration and threshold of a head.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA
    kind: Literal["encoder", "head"]
    name: str
    channels: int
    features: int
    normalisation: dict[str, Any] = Field(default_factory=lambda: dict(NORMALISATION))
    settings: dict[str, Any] = Field(default_factory=dict)
    movies: list[MovieRecord] = Field(default_factory=list)
    metrics: dict[str, Any] = Field(default_factory=dict)
    details: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=versions)
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def movie_record(movie: Movie, frames: range | None = None) -> MovieRecord:
    """Return the record of a movie, reading it once for its hash."""
    text = "" if frames is None else f"{frames.start}:{frames.stop}"
    return MovieRecord(name=movie.name, shape=movie.shape, content_hash=movie.content_hash(), frames=text)


def save_model(folder: Path, state: Mapping[str, Tensor], card: Card) -> None:
    """Write weights and card; the card last, so that a folder with a card is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    with all_or_nothing(folder / WEIGHTS) as partial:
        save_file({name: value.detach().contiguous().cpu() for name, value in state.items()}, partial)
    with all_or_nothing(folder / CARD) as partial:
        partial.write_text(card.model_dump_json(indent=2), encoding="utf-8")


def _no_model(folder: Path) -> str:
    """Say why a folder without a card is no model."""
    if not folder.exists():
        return f"there is no folder '{folder}'; give the folder that pretrain or train wrote."
    if (folder / "started.json").exists():
        return f"'{folder}' is not finished; give the command that makes it once more, with --resume."
    return f"'{folder}' is no model folder: it has no {CARD}; give the folder that pretrain or train wrote."


def load_card(folder: Path, kind: Literal["encoder", "head"]) -> Card:
    """Read and check the card of a model folder.

    Raises
    ------
    ModelError
        When there is no such model, it is of another kind, newer than this software, or normalised in another way.
    """
    path = folder / CARD
    if not path.is_file():
        raise ModelError(_no_model(folder))
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = int(raw["schema_version"])
    except (ValueError, KeyError, TypeError, OSError):
        raise ModelError(f"the card '{path}' cannot be read; the model is damaged: make it again.") from None
    if found > SCHEMA:
        raise ModelError(f"the model '{folder.name}' has schema {found}, this software knows up to {SCHEMA}: update it.")
    try:
        card = Card(**raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ModelError(f"the card '{path}' is damaged at '{where}': make the model again.") from None
    if card.kind != kind:
        raise ModelError(f"'{folder}' holds {_a(card.kind)}, but {_a(kind)} is needed here.")
    if card.normalisation != NORMALISATION:
        raise ModelError(f"the model '{folder.name}' was made for another normalisation, {card.normalisation}; make it again.")
    return card


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "encoder" else f"a {kind}"


def load_weights(folder: Path, module: nn.Module) -> None:
    """Put the weights of a model folder into a module.

    Raises
    ------
    ModelError
        When they are missing, damaged, or do not fit.
    """
    try:
        module.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"the weights in '{folder}' cannot be read ({error}): make the model again.") from None
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ModelError(f"the weights in '{folder}' do not fit its card: {reason}") from None


def is_adopted(card: Card) -> bool:
    """Say whether an encoder is a network that somebody else has trained: its features are frozen."""
    return "adapter" in card.details


def copy_encoder(source: Path, target: Path, linked: bool = False) -> None:
    """Copy all that an encoder needs into another folder, as links where that is wanted and possible."""
    target.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, CARD, CODE):
        if name != CODE or (source / name).is_file():
            _put(source / name, target / name, linked)


def _put(source: Path, target: Path, linked: bool) -> None:
    target.unlink(missing_ok=True)
    if linked:
        try:
            os.link(source.resolve(), target)
            return
        except OSError:  # another disk, or one that knows no links
            pass
    shutil.copyfile(source, target)


class ArrowEncoder(nn.Module):
    """Encoder and the heads of the games that taught it, together, as they are trained and kept.

    Parameters
    ----------
    channels : int
        Image channels C.
    settings : EncoderSettings
    arrow : bool
        Whether there is an arrow head; controls that were never taught the arrow of time have none.
    simulated : bool
        Whether there is a pair head, taught by simulated movies.
    encoder : Encoder, optional
        In place of an untaught one.
    """

    arrow: ArrowHead | None
    simulated: PairHead | None

    def __init__(
        self,
        channels: int,
        settings: EncoderSettings,
        arrow: bool = True,
        simulated: bool = False,
        encoder: Encoder | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder or Encoder(channels, settings)
        self.arrow = ArrowHead(self.encoder.features) if arrow else None
        self.simulated = PairHead(self.encoder.features) if simulated else None

    def scale_for(self, radius_px: float | None, wanted: float | None = None) -> float:
        """Return the scale at which frames are shown to it: what is wanted, else 1, but by the radius of events for simulated ones."""
        if wanted is not None:
            return wanted
        if radius_px is None or self.simulated is None or self.arrow is not None:
            return 1.0
        return scale_for(radius_px)

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Map crop pairs (B, 2, C, P, P) to arrow logits (B, P, P) and features z (B, 2, F, P, P)."""
        z = self.encoder(pairs.flatten(0, 1)).unflatten(0, pairs.shape[:2])
        if self.arrow is None:
            raise ModelError("this encoder has no arrow head: it was never taught the arrow of time.")
        return self.arrow.arrow(z), z


def load_encoder(folder: Path, channels: int | None = None) -> tuple[ArrowEncoder, Card]:
    """Load an encoder with its heads, on the CPU, in eval mode.

    Parameters
    ----------
    folder : Path
    channels : int, optional
        Channels of the movie it is meant for.

    Raises
    ------
    ModelError
        When it cannot be loaded, or reads another number of channels.
    """
    card = load_card(folder, "encoder")
    if channels is not None and card.channels != channels:
        raise ModelError(f"the encoder '{folder.name}' reads {card.channels} channel(s), the movie has {channels}.")
    names = EncoderSettings.model_fields
    try:
        settings = EncoderSettings.checked(**{name: card.settings[name] for name in names if name in card.settings})
    except SettingsError as error:
        raise ModelError(f"the card '{folder / CARD}' is damaged at 'settings': {error}") from None
    with torch.random.fork_rng(devices=[]):
        given = adopted_encoder(folder, card.details, card.channels) if is_adopted(card) else None
        heads = {"arrow": bool(card.details.get("arrow", True)), "simulated": bool(card.details.get("simulated", False))}
        model = ArrowEncoder(card.channels, settings, **heads, encoder=given)
    load_weights(folder, model)
    return model.eval(), card
