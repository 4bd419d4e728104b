"""What is installed here, what is missing, and what that means."""

from __future__ import annotations

import importlib.util
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import psutil

EXTRAS = {
    "report": (("matplotlib", "jinja2"), "report.html"),
    "eval": (("sklearn",), "areas under the PR and ROC curves of crops"),
    "video": (("av",), "AVI and MP4 movies"),
    "io": (("imagecodecs",), "TIFFs packed with LZW, JPEG and the like"),
}
BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def diagnosis() -> str:
    """Return what a person needs to know, and what to send along with a report of a fault."""
    return "\n".join([*_versions(), *_compute(), *_window(), *_extras()])


def _versions() -> list[str]:
    names = ("napari-tap-events", "napari", "torch", "numpy", "scikit-image", "tifffile", "zarr")
    known = [f"{name} {_version(name)}" for name in names]
    return [f"Python {platform.python_version()} on {platform.platform()}", "  " + ", ".join(known), f"  {sys.executable}"]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _compute() -> list[str]:
    try:
        import torch
    except (ImportError, OSError) as error:
        return [f"torch cannot be loaded ({error}): pretraining, training and detection will not run; install torch."]
    memory = psutil.virtual_memory()
    lines = [
        f"CPU: {psutil.cpu_count(logical=False)} cores, {torch.get_num_threads()} threads for torch, "
        f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB memory free"
    ]
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return [*lines, f"GPU: {name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free; it will be used."]
    if torch.backends.mps.is_available():
        return [*lines, "GPU: Apple (MPS); it will be used."]
    built = torch.version.cuda
    why = (
        f"torch is built for CUDA {built}, but finds no NVIDIA GPU or driver"
        if built
        else "this build of torch is for CPUs only"
    )
    return [*lines, f"GPU: none ({why}). Everything runs on the CPU; pretraining takes minutes instead of seconds."]


def _window() -> list[str]:
    found = [name for name in BINDINGS if importlib.util.find_spec(name) is not None]
    if not found:
        return [
            "Window: no Qt binding is installed; the command line works, napari needs: pip install 'napari-tap-events[pyqt6]'"
        ]
    return [f"Window: {', '.join(f'{name} {_version(name)}' for name in found)}"]


def _extras() -> list[str]:
    lines = []
    for extra, (modules, purpose) in EXTRAS.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            lines.append(f"Missing: {', '.join(missing)}, for {purpose}: pip install 'napari-tap-events[{extra}]'")
    return lines or ["All optional parts are installed."]
