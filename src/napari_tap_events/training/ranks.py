"""Several processes that learn one network together, each on its own batches: `torchrun` starts them, gradients are averaged.

What a process draws follows from its rank: with N processes, step s learns from the batches N s, N s + 1, ... as one process would that
adds up N batches a step (`Plan.accumulate`), so both learn the same. The first process alone judges, decides and writes; the others are
told. Gradients are averaged as one block after the way back: these networks are small, a few megabytes, and so any learner can be taught,
whichever parts of its network it calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is.

    Attributes
    ----------
    number, of : int
        0 is the first process.
    """

    number: int = 0
    of: int = 1

    @property
    def first(self) -> bool:
        """Whether this process judges and writes."""
        return self.number == 0

    def draw(self, batch: int) -> int:
        """Return the number, among those of all processes, of this one's batch."""
        return batch * self.of + self.number

    def begin_alike(self, module: nn.Module) -> None:
        """Give every process the weights of the first."""
        if self.of > 1:
            for value in module.state_dict().values():
                dist.broadcast(value, 0)

    def average_gradients(self, module: nn.Module) -> None:
        """Average the gradients of all processes."""
        if self.of > 1:
            self._average([p.grad for p in module.parameters() if p.grad is not None])

    def average_buffers(self, module: nn.Module) -> None:
        """Average the running means of norms, which each process has of its own batches."""
        if self.of > 1:
            self._average([b for b in module.buffers() if b.is_floating_point()])

    def decide(self, what: bool) -> bool:
        """Return what the first process says."""
        return bool(self.tell({"what": what})["what"]) if self.of > 1 else what

    def tell(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the first process."""
        if self.of == 1:
            return dict(values)
        told: list[Any] = [dict(values)]
        dist.broadcast_object_list(told, 0, device=torch.device("cpu"))
        return dict(told[0])

    def _average(self, tensors: Iterable[Tensor]) -> None:
        parts = list(tensors)
        if not parts:
            return
        block = _flatten_dense_tensors(parts)
        dist.all_reduce(block)
        for part, mean in zip(parts, _unflatten_dense_tensors(block / self.of, parts), strict=True):
            part.copy_(mean)


ALONE = Ranks()


def announced() -> Ranks:
    """Return what `torchrun` says in the environment; one process where it says nothing."""
    return Ranks(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def local_number() -> int:
    """Return the number of this process on its computer, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def join() -> Ranks:
    """Join the other processes that `torchrun` has started, and return which of them this is."""
    ranks = announced()
    if ranks.of > 1 and not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    return ranks


def leave() -> None:
    """Part from the others, at the end of what was done together."""
    if dist.is_initialized():
        dist.destroy_process_group()
