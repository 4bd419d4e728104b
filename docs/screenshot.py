"""Take the README's picture: the window of a demo's results, with its most probable event in view.

Usage: python docs/screenshot.py RESULT_FOLDER PICTURE.png   (on Linux without a screen: under scripts/with-display.sh)
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

WIDTH, HEIGHT = 1280, 800
SETTLE_S = 1.5


def main(folder: str, picture: str) -> None:
    """Open the results in a real window, let it settle, and save what it shows."""
    with tempfile.TemporaryDirectory() as settings:
        os.environ["NAPARI_CONFIG"] = str(Path(settings) / "settings.yaml")
        from napari_tap_events.gui.results import results_viewer

        viewer = results_viewer(folder, size_px=(WIDTH, HEIGHT))
        _settle()
        Path(picture).parent.mkdir(parents=True, exist_ok=True)
        viewer.window.screenshot(picture, canvas_only=False, flash=False)
        viewer.close()


def _settle() -> None:
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.02)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
