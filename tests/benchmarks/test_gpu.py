"""The measurement for a GPU: it says where there is none, and run small on a CPU it comes to its end with every section."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measured(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "benchmarks.gpu", *words]
    told = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, check=False, cwd=ROOT, env=told, capture_output=True, text=True, timeout=250)


def test_without_a_gpu_it_says_so_in_one_sentence(tmp_path):
    done = measured("--out", str(tmp_path / "gpu.md"), CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert done.stdout.startswith("There is no GPU here that torch can use")
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_small_on_a_cpu_every_section_comes_to_its_end(tmp_path):
    done = measured("--device", "cpu", "--quick", "--out", str(tmp_path / "gpu.md"))
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert {row["section"] for row in written["rows"]} == {"correct", "training", "features", "detect", "overlay"}
    assert "the numbers mean nothing" in (tmp_path / "gpu.md").read_text()
    assert all(row["what"] in done.stdout for row in written["rows"])
