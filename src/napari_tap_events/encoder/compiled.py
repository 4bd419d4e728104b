"""A network compiled for this computer, where that can be done; where it cannot, it stays as it is and learns the same.

Compiling takes up to a minute. It is tried on a copy, forward and backward, before the job begins: what is missing (most often a C++
compiler) is then told in a sentence, and nothing of the network itself has changed.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from napari_tap_events.encoder.compute import Compute


def compile_where_possible(network: nn.Module, example: Tensor, compute: Compute) -> str:
    """Compile a network in place: its weights keep their names, and calls to it run what was compiled.

    Parameters
    ----------
    network : nn.Module
        Maps a tensor to a tensor.
    example : tensor
        As it will be given: other shapes are compiled anew.
    compute : Compute
        With the number format that it will be called in.

    Returns
    -------
    str
        Empty, or why it was left as it is.
    """
    trial = copy.deepcopy(network)
    try:
        trial.compile()
        with compute.autocast():
            answer = trial(example)
        answer.float().sum().backward()
    except torch.OutOfMemoryError:
        raise
    except (
        RuntimeError,
        ImportError,
        OSError,
    ) as error:  # what the compiler raises, all kinds of `TorchDynamoException` included
        torch.compiler.reset()
        return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    network.compile()
    return ""
