"""An adapter: a few lines of Python by which a network that somebody else has trained becomes an encoder.

The user writes them, in a file or in a package, and names them: `file.py`, `file.py:function` or `package.module:function`. The function
takes nothing and returns an `Adapter`. That is code, and it is run; weights are not, they are read as plain tensors. So code that comes
inside a model folder is run only where its very text was named on this computer before.
"""

from __future__ import annotations

import importlib
import pickle
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from napari_tap_events.encoder.named_code import NamedCode
from napari_tap_events.errors import ModelError

FUNCTION = "adapter"
"""What is called in a file where no function is named."""
FAILURES = (ImportError, AttributeError, NameError, SyntaxError, TypeError, ValueError, LookupError, RuntimeError, OSError)
"""What code that does not work raises."""
MOST_NAMES = 3
"""Names of weights that a message lists."""


@dataclass(frozen=True)
class Adapter:
    """What must be known of a network to read features from it.

    Attributes
    ----------
    network : nn.Module
        Without weights; a checkpoint fills it.
    features : int
        Channels of the map that comes out.
    stride : int
        Pixels of a frame, in rows and columns, for each place of that map.
    channels : int
        Image channels that go in. A movie with one channel is repeated.
    mean, sd : tuples of float
        Of each of these channels, or one for all: what goes in is (frame - mean) / sd, where a frame lies between 0 (its 1st percentile)
        and 1 (its 99.8th).
    block_px, margin_px : int
        The network is given windows of `block_px + 2 * margin_px`, and the inner block of its answer is kept; both are multiples of the
        stride. The margin is as far as is looked around a block.
    dense : callable, optional
        Takes the network and windows (N, channels, h, w), returns the map (N, features, h / stride, w / stride); by default what the
        network itself returns.
    key : str
        Under which the weights lie in the checkpoint, "teacher" or "state_dict", where it holds more than them.
    prefix : str
        To be cut off their names, "module." or "backbone."; weights with other names are left out.
    unused : tuple of str
        Beginnings of the names of weights that are not needed, "head."
    """

    network: nn.Module
    features: int
    stride: int
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    sd: tuple[float, ...] = (1.0,)
    block_px: int = 64
    margin_px: int = 32
    dense: Callable[[nn.Module, Tensor], Tensor] | None = None
    key: str = ""
    prefix: str = ""
    unused: tuple[str, ...] = ()

    def checked(self) -> Adapter:
        """Return it as it is.

        Raises
        ------
        ModelError
            When its numbers contradict each other.
        """
        for name in ("features", "stride", "channels", "block_px"):
            if getattr(self, name) < 1:
                raise ModelError(f"the adapter says {name} = {getattr(self, name)}; it must be 1 or more.")
        for name in ("block_px", "margin_px"):
            if getattr(self, name) % self.stride:
                raise ModelError(
                    f"the adapter says {name} = {getattr(self, name)}, which is no multiple of its stride {self.stride}."
                )
        for name in ("mean", "sd"):
            if len(getattr(self, name)) not in (1, self.channels):
                raise ModelError(f"the adapter gives {len(getattr(self, name))} values as {name}; give 1 or {self.channels}.")
        if min(self.sd) <= 0:
            raise ModelError(f"the adapter says sd = {self.sd}; each must be more than 0.")
        return self


def run_adapter(code: NamedCode) -> Adapter:
    """Run the code of an adapter, and return what it makes.

    Raises
    ------
    ModelError
        When it fails, or makes something else.
    """
    try:
        made = _function(code)()
    except ModelError:
        raise
    except FAILURES as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(line.filename).name}, line {line.lineno}"
        raise ModelError(f"the adapter '{code.name}' fails: {type(error).__name__}: {error} ({where}); repair it.") from error
    if not isinstance(made, Adapter):
        raise ModelError(f"the adapter '{code.name}' returns {type(made).__name__}; it must return napari_tap_events.Adapter.")
    return made.checked()


def _function(code: NamedCode) -> Callable[[], object]:
    module_name, _, name = code.name.rpartition(":")
    if code.text:
        module = ModuleType("napari_tap_events_adapter")
        exec(compile(code.text, "adapter.py", "exec"), module.__dict__)  # noqa: S102
    else:
        module = importlib.import_module(module_name)
    found = getattr(module, name, None)
    if not callable(found):
        raise ModelError(f"there is no function '{name}' in the adapter; name it as FILE.py:FUNCTION.")
    return found  # type: ignore[no-any-return]


def named_code(named: str) -> NamedCode:
    """Return the code that a user names: `file.py`, `file.py:function` or `package.module:function`.

    Raises
    ------
    ModelError
        When there is no such file.
    """
    path, _, function = named.rpartition(":") if ".py:" in named else (named, "", FUNCTION)
    if not path.endswith(".py"):
        if ":" not in named:
            raise ModelError(f"'{named}' is no adapter; give FILE.py, FILE.py:FUNCTION or package.module:FUNCTION.")
        return NamedCode(named)
    try:
        return NamedCode(function, Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the adapter '{path}' cannot be read: {error}.") from None


def fill(adapter: Adapter, checkpoint: Path) -> None:
    """Put the weights of a checkpoint into the network of an adapter.

    Parameters
    ----------
    adapter : Adapter
    checkpoint : Path
        A state dict: `.safetensors`, or a file of `torch.save` that holds tensors and containers of tensors.

    Raises
    ------
    ModelError
        When it holds more than tensors, or its weights do not fit.
    """
    weights = _wanted(_tensors(checkpoint, adapter.key), adapter, checkpoint.name)
    own = adapter.network.state_dict()
    missing, more = [name for name in own if name not in weights], [name for name in weights if name not in own]
    other = [name for name in own if name in weights and own[name].shape != weights[name].shape]
    if missing:
        hint = f"; it holds {_listed(more)}: say prefix in the adapter" if more else ""
        raise ModelError(f"'{checkpoint.name}' lacks weights of the adapter's network: {_listed(missing)}{hint}.")
    if more:
        told = f"'{checkpoint.name}' holds weights that the adapter's network has no place for: {_listed(more)}"
        raise ModelError(f"{told}; name their beginnings as unused in the adapter.")
    if other:
        name = other[0]
        shapes = f"{tuple(weights[name].shape)}, the network wants {tuple(own[name].shape)}"
        raise ModelError(f"'{name}' in '{checkpoint.name}' has the shape {shapes}: the adapter makes another network.")
    adapter.network.load_state_dict(weights)


def _wanted(weights: Mapping[str, Tensor], adapter: Adapter, name: str) -> dict[str, Tensor]:
    """Return the weights under the names that the network has for them."""
    cut = {key.removeprefix(adapter.prefix): value for key, value in weights.items() if key.startswith(adapter.prefix)}
    if not cut:
        raise ModelError(f"no weight in '{name}' begins with '{adapter.prefix}'; it holds {_listed(list(weights))}.")
    return {key: value for key, value in cut.items() if not (adapter.unused and key.startswith(adapter.unused))}


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _tensors(path: Path, key: str) -> dict[str, Tensor]:
    try:
        read = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"'{path}' cannot be read as plain tensors ({reason}); give a state dict, not a whole model."
        ) from None
    if key:
        if not isinstance(read, dict) or key not in read:
            raise ModelError(f"'{path.name}' holds nothing under '{key}'; it holds {_listed(_keys(read))}.")
        read = read[key]
    if not isinstance(read, dict) or not all(isinstance(value, Tensor) for value in read.values()):
        told = f"'{path.name}' is no state dict; it holds {_listed(_keys(read))}"
        raise ModelError(f"{told}: say in the adapter under which key its weights lie.")
    return dict(read)


def _keys(read: object) -> list[str]:
    return [str(key) for key in read] if isinstance(read, dict) else [type(read).__name__]
