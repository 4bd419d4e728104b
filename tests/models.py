"""Model folders as far as one that looks at them without torch can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CODE = "def adapter(): ..."
"""Of an adopted encoder."""


def write_model(folder: Path, kind: str, **details: Any) -> Path:
    """Write the files of a model, and an output that it does not need; return its folder."""
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"schema_version": 2, "kind": kind, "details": details}))
    (folder / "model.safetensors").write_bytes(str(folder).encode())
    (folder / "result.json").write_text("{}")
    (folder / "masks.tif").write_bytes(b"large")
    if "adapter" in details:
        (folder / "adapter.py").write_text(CODE)
    return folder
