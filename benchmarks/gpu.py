"""Everything that has to be measured on a GPU, in one command of less than nine minutes.

    python -m benchmarks.gpu [--out docs/benchmarks/gpu.md] [--only SECTION ...] [--shipped DIR]
    python -m benchmarks.gpu --device cpu --quick      the same, small, where there is no GPU: it shows that the command works

A GPU's answers are held against the CPU's first (features, loss, gradient). Then: training pairs per second, the share of data in a step
and the same step on random tensors that lie on the device already; features and dense maps per second; memory; a long movie detected; a
stroke of the brush to the new map of its frame. Every section has a budget of time and is written down as soon as it is done, so that
nothing is lost where a later one fails. `--shipped DIR` trains the encoder that comes with the program, as benchmarks/shipped.py does.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks import gpu_sections as sections
from benchmarks.machine import Machine
from napari_tap_events import __version__

NO_GPU = 2
"""Exit code where there is no GPU."""


@dataclass
class Report:
    """What was measured so far; on disk after every row.

    Attributes
    ----------
    out : Path or None
        Markdown file; JSON is written beside it.
    about : dict
        Device, versions, date.
    rows : list of dict
        `section`, `what`, `measured`, and where there is one `beside` and `ratio`.
    """

    out: Path | None
    about: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, section: str, row: dict[str, Any]) -> None:
        """Take a row, print it, and write all rows down."""
        self.rows.append({"section": section, **row})
        print(as_line(self.rows[-1]), flush=True)
        if self.out:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self.out.with_suffix(".json").write_text(json.dumps({"about": self.about, "rows": self.rows}, indent=1))
            self.out.write_text(self.text())

    def text(self) -> str:
        """Return the page."""
        head = "# On a GPU\n\n`python -m benchmarks.gpu`, in one run"
        told = ", ".join(f"{name}: {value}" for name, value in self.about.items())
        table = ["| what | measured | beside | ratio |", "|---|---|---|---|", *map(as_line, self.rows)]
        return f"{head}. {told}.\n\n" + "\n".join(table) + "\n"


def as_line(row: dict[str, Any]) -> str:
    ratio = f"{row['ratio']:.2f}" if row.get("ratio") is not None else ""
    return f"| {row['what']} | {row['measured']} | {row.get('beside', '')} | {ratio} |"


SECTIONS: dict[str, tuple[Callable[[Machine], Iterator[dict[str, Any]]], float]] = {
    "correct": (sections.correct, 40),
    "training": (sections.training, 180),
    "features": (sections.features, 60),
    "detect": (sections.detected, 90),
    "overlay": (sections.stroke_to_overlay, 60),
}
"""What is measured, and seconds that it may take: together less than nine minutes, with what starting takes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="Small sizes: to see that it works, not to measure.")
    parser.add_argument("--shipped", type=Path, metavar="DIR", help="Train the encoder that comes with the program, too.")
    parser.add_argument("--steps", type=int, default=2000, help="Steps of that training.")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print(
            "There is no GPU here that torch can use, so nothing was measured; --device cpu --quick shows that the command works."
        )
        return NO_GPU
    torch.manual_seed(0)
    report = Report(given.out, about(torch.device(given.device), given.quick))
    for name in given.only:
        measure, budget = SECTIONS[name]
        machine = Machine(torch.device(given.device), given.quick, time.monotonic() + budget)
        try:
            for row in measure(machine):
                report.add(name, row)
        except (RuntimeError, AssertionError) as error:  # the other sections are worth having
            report.add(name, {"what": f"section {name}", "measured": f"failed: {str(error).splitlines()[0][:160]}"})
    if given.shipped:
        shipped(given, report)
    return int(any(row["measured"].startswith(("failed", "WRONG")) for row in report.rows))


def about(device: torch.device, quick: bool) -> dict[str, Any]:
    """Return what the numbers belong to."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} CPU"
    told = {"device": name, "napari-tap-events": __version__, "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}
    return told | ({"quick": "sizes are small, the numbers mean nothing"} if quick else {})


def shipped(given: argparse.Namespace, report: Report) -> None:
    """Train the encoder that comes with the program, in a process of its own."""
    steps = 4 if given.quick else given.steps
    words = ["--out", str(given.shipped), "--steps", str(steps), "--device", given.device]
    began = time.monotonic()
    subprocess.run([sys.executable, str(Path(__file__).with_name("shipped.py")), "train", *words], check=True)
    seconds = time.monotonic() - began
    report.add("shipped", {"what": f"the shipped encoder trained, {steps} steps", "measured": f"{seconds / 60:.1f} min"})


if __name__ == "__main__":
    sys.exit(main())
