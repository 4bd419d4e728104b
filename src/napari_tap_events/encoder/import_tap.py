"""Published TAP weights become an encoder folder: a state dict is read as plain tensors, never as a pickled model.

The public TAP code (Gallusser, Stieber, Weigert 2023) saves `model_state.pt`. Its U-Net with the minimal projection and the symmetric
minimal classification head is the network used here, apart from three things that are converted exactly: convolutions before a
BatchNorm have a bias (taken into the running mean), skip connections come first in a concatenation (channels are reordered), and the
shared part of an equivariant layer has a bias (added to the other one).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from napari_tap_events.encoder.unet import WIDTHS
from napari_tap_events.encoder.weights import ArrowEncoder, Card, save_model
from napari_tap_events.errors import ModelError
from napari_tap_events.settings import EncoderSettings

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
State = dict[str, Tensor]


def import_tap(path: Path, out: Path) -> Card:
    """Write an encoder folder from a published TAP state dict.

    Parameters
    ----------
    path : Path
        `model_state.pt`: a state dict, tensors only.
    out : Path
        Encoder folder to write.

    Returns
    -------
    Card

    Raises
    ------
    ModelError
        When the file is no state dict, or that of another network.
    """
    state = _read(path)
    try:
        channels = state["backbone.l_conv.0.conv_block.0.weight"].shape[1]
        width = state["backbone.head.weight"].shape[0]
        settings = EncoderSettings(preset=_preset(width), padding="replicate")
        model = ArrowEncoder(channels, settings)
        model.load_state_dict(dict(_converted(state, width)))
    except KeyError as error:
        raise ModelError(f"'{path.name}' holds no U-Net with a symmetric head as published: it lacks {error}.") from None
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ModelError(f"the network in '{path.name}' is another one than the published: {reason}") from None
    card = Card(
        kind="encoder",
        name=out.name,
        channels=channels,
        features=width,
        settings=settings.model_dump(mode="json"),
        details={"pretext": "time_arrow", "imported_from": path.name},
    )
    save_model(out, model.state_dict(), card)
    return card


def _read(path: Path) -> State:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"'{path}' cannot be read as plain tensors ({reason}); give the state dict, model_state.pt, not model_full.pt."
        ) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"'{path.name}' is no state dict: it holds more than tensors; give model_state.pt.")
    return state


def _preset(width: int) -> str:
    for name, known in WIDTHS.items():
        if known == width:
            return name
    raise ModelError(f"a U-Net of {width} features is none of {', '.join(f'{n} ({w})' for n, w in WIDTHS.items())}.")


def _converted(state: State, width: int) -> Iterator[tuple[str, Tensor]]:
    """Yield our names and values."""
    levels = 4
    for level in range(levels):
        for part, place in enumerate((0, 3)):
            yield from _block(state, f"backbone.l_conv.{level}.conv_block", place, f"encoder.unet.down.{level}.{part}")
    for level in range(levels - 1):
        ours = f"encoder.unet.up.{levels - 2 - level}"
        skip = width * 2**level
        for part, place in enumerate((0, 3)):
            yield from _block(state, f"backbone.r_conv.{level}.conv_block", place, f"{ours}.{part}", skip if part == 0 else 0)
    for name in ("weight", "bias"):
        yield f"encoder.unet.out.{name}", state[f"backbone.head.{name}"]
    yield from _conv_and_norm(state, "projection_head.layers.0", "projection_head.layers.1", "encoder.projection", 0)
    for layer in (0, 1):
        theirs = f"classification_head.layers.{layer}.layers.0"
        yield from _equivariant(state, theirs, f"arrow.layers.{layer}")
        for name in NORM:
            yield f"arrow.norms.{layer}.{name}", state[f"{theirs}.norm.{name}"]
    yield from _equivariant(state, "classification_head.head.1.layers.0", "arrow.last")


def _block(state: State, theirs: str, place: int, ours: str, skip: int = 0) -> Iterator[tuple[str, Tensor]]:
    yield from _conv_and_norm(state, f"{theirs}.{place}", f"{theirs}.{place + 1}", ours, skip)


def _conv_and_norm(state: State, conv: str, norm: str, ours: str, skip: int) -> Iterator[tuple[str, Tensor]]:
    """Take the convolution's bias into the running mean, and move `skip` leading input channels to the end."""
    weight = state[f"{conv}.weight"]
    yield f"{ours}.0.weight", torch.cat([weight[:, skip:], weight[:, :skip]], dim=1)
    for name in NORM:
        value = state[f"{norm}.{name}"]
        yield f"{ours}.1.{name}", value - state[f"{conv}.bias"] if name == "running_mean" else value


def _equivariant(state: State, theirs: str, ours: str) -> Iterator[tuple[str, Tensor]]:
    """Linear layers become 1 x 1 convolutions; both biases are added for every frame alike."""
    yield f"{ours}.local.weight", state[f"{theirs}.L.weight"][..., None, None]
    yield f"{ours}.local.bias", state[f"{theirs}.L.bias"] + state[f"{theirs}.G.bias"]
    yield f"{ours}.shared.weight", state[f"{theirs}.G.weight"][..., None, None]
