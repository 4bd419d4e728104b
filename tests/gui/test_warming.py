"""What napari will need is loaded in a thread: afterwards nothing waits for it."""

from __future__ import annotations

import subprocess
import sys

TOLD = """
import sys
from napari_tap_events.gui.warming import NEEDED, warm_up
print(any(name in sys.modules for name in NEEDED))
warm_up().join()
print(all(name in sys.modules for name in NEEDED))
"""


def test_what_is_needed_is_there_when_the_thread_has_ended():
    told = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
