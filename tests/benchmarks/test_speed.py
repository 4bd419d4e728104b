"""The table of speeds: a section can be measured alone, and is written down as it is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    told = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, timeout=200, check=True)


def test_one_section_is_measured_and_written_as_a_page_and_as_json(tmp_path):
    done = run("-m", "benchmarks", "--only", "machine", "--repeats", "1", "--out", str(tmp_path / "speed.md"))
    rows = json.loads((tmp_path / "speed.json").read_text())
    assert [row["section"] for row in rows] == ["machine", "machine"]
    page = (tmp_path / "speed.md").read_text()
    assert all(row["what"] in page and row["what"] in done.stdout for row in rows)


def test_a_point_of_a_curve_tells_time_and_memory():
    point = json.loads(run("-m", "benchmarks.growth", "detect-frames", "3").stdout)
    assert point["seconds"] > 0
    assert point["mb"] >= 1


def test_slopes_are_exponents():
    told = run("-c", "from benchmarks.timing import slope; print(round(slope([1, 2, 8], [3, 9, 192]), 6))")
    assert told.stdout == "2.0\n"
