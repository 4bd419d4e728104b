"""What all tests share: napari's settings in a folder of their own, dask in this thread, a stand-in for missing OpenGL."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")

_SETTINGS = tempfile.mkdtemp(prefix="napari-config-")
atexit.register(shutil.rmtree, _SETTINGS, ignore_errors=True)
os.environ.setdefault("NAPARI_CONFIG", str(Path(_SETTINGS) / "settings.yaml"))


def has_opengl() -> bool:
    """Say whether windows can draw: Qt's offscreen platform has OpenGL only where there is a display."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything under tests/gui, and leave out tests of drawn pixels where nothing can be drawn."""
    for item in items:
        if "gui" in item.path.parent.parts:
            item.add_marker(pytest.mark.gui)
        if item.get_closest_marker("gl") and not has_opengl():
            item.add_marker(pytest.mark.skip(reason="needs OpenGL: install Xvfb, as `make test` does"))


@pytest.fixture(autouse=True, scope="session")
def _platform_of_qt() -> None:
    """Draw where pytest-xvfb has opened a screen for this process, else nowhere."""
    if sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb" if os.environ.get("DISPLAY") else "offscreen")


@pytest.fixture(autouse=True, scope="session")
def _dask_in_this_thread() -> Iterator[None]:
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(autouse=True)
def _stand_in_for_opengl(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let layers be made without OpenGL: vispy asks the driver for sizes, and there is no driver to answer."""
    if has_opengl() or request.node.get_closest_marker("gui") is None:
        return
    import napari._vispy.layers.image
    import napari._vispy.layers.labels  # noqa: F401

    for name, module in list(sys.modules.items()):
        if name.startswith("napari._vispy"):
            if hasattr(module, "get_gl_extensions"):
                monkeypatch.setattr(module, "get_gl_extensions", lambda: "")
            if hasattr(module, "get_max_texture_sizes"):
                monkeypatch.setattr(module, "get_max_texture_sizes", lambda: (2048, 2048))
