"""What one of several processes does in test_ranks: learn, and write down what came of it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import torch

from napari_tap_events.training.loop import fit
from napari_tap_events.training.ranks import join, leave

spec = importlib.util.spec_from_file_location("test_ranks", Path(__file__).with_name("test_ranks.py"))
told = importlib.util.module_from_spec(spec)
spec.loader.exec_module(told)

if __name__ == "__main__":
    folder, ranks = Path(sys.argv[1]), join()
    learner = told.Noise()
    with torch.no_grad():  # processes that begin with other weights are given those of the first
        learner.module[0].weight += ranks.number
    work = fit(learner, replace(told.PLAN, checkpoint=folder / f"checkpoint-{ranks.number}.pt"), ranks=ranks)
    while True:
        try:
            next(work)
        except StopIteration as end:
            history = end.value
            break
    found = {"state": learner.module.state_dict(), "batches": learner.batches, "history": history}
    torch.save(found, folder / f"{ranks.number}.pt")
    leave()
