"""The figure of scores against labels: rows are found by name, and one that is not there is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


def drawn(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.labels_figure", *words]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=100)


@pytest.fixture
def study(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"summary": {"n_true": 14}, "settings": {"study": {"folds": 4}}}))
    rows = [("tap, 1 labelled", 0.4), ("tap, 10 labelled", 0.7), ("tap, all labelled", 0.8), ("image, 1 labelled", 0.1)]
    table = pd.DataFrame([{"row": row, "average_precision": ap, "average_precision_sd": 0.1} for row, ap in rows])
    table.to_csv(tmp_path / "summary.csv", index=False)
    return tmp_path


def test_rows_are_drawn_under_the_names_that_were_given(study, tmp_path):
    done = drawn(str(tmp_path / "out.svg"), f"the arrow={study}:tap", f"the image={study}:image")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out.svg").read_text()
    assert "the arrow" in page
    assert "the image" in page


def test_a_row_that_is_not_there_is_refused(study, tmp_path):
    done = drawn(str(tmp_path / "out.svg"), f"x={study}:nothing")
    assert done.returncode
    assert "is called 'nothing'" in done.stderr
    assert not (tmp_path / "out.svg").exists()
