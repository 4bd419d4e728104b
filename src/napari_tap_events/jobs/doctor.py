"""What is installed here, what is missing, and what that means."""

from __future__ import annotations

import importlib.util
import platform
import sys
from typing import Any

import psutil

from napari_tap_events.versions import PACKAGES, installed

EXTRAS = {
    "report": (("matplotlib", "jinja2"), "report.html"),
    "eval": (("sklearn",), "areas under the PR and ROC curves of crops"),
    "video": (("av",), "AVI and MP4 movies"),
    "io": (("imagecodecs",), "TIFFs packed with LZW, JPEG and the like"),
    "plots": (("pyqtgraph",), "live curves in the window"),
}
BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")
GIB = 2**30


def facts(speed: bool = False) -> dict[str, Any]:
    """Return what is known of this computer, for programs: all that JSON can hold.

    Parameters
    ----------
    speed : bool
        Measure how fast it computes, which takes a second or two: "pixels_per_s", pixels per second through the encoder `unet16` by
        number of threads, "0" for a GPU.

    Returns
    -------
    dict
        "python", "platform", "executable": str; "versions": version of each package, None where it is missing; "device": the one
        that will be used, "cpu", "cuda", "mps" or "" (torch cannot be loaded); "device_name": the same in words; "device_free_gib",
        "device_total_gib": its memory, None where that is the computer's; "why": why there is no GPU, or no torch; "cores",
        "threads", "memory_free_gib", "memory_total_gib"; "window": Qt bindings with versions; "missing": purpose and packages of
        each extra that is not complete.
    """
    memory = psutil.virtual_memory()
    device = _device()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "versions": {name: installed(name) for name in PACKAGES},
        "cores": psutil.cpu_count(logical=False),
        "memory_free_gib": memory.available / GIB,
        "memory_total_gib": memory.total / GIB,
        **device,
        **({"pixels_per_s": _speed(device["device"])} if speed else {}),
        "window": {name: installed(name) for name in BINDINGS if importlib.util.find_spec(name) is not None},
        "missing": _missing(),
    }


def _speed(device: str) -> dict[str, float]:
    if not device:
        return {}
    from napari_tap_events.jobs.self_speed import pixels_per_s

    return pixels_per_s(device)


def diagnosis(speed: bool = False) -> str:
    """Return what a person needs to know, and what to send along with a report of a fault."""
    known = facts(speed)
    versions = ", ".join(f"{name} {found or 'missing'}" for name, found in known["versions"].items())
    head = [f"Python {known['python']} on {known['platform']}", f"  {versions}", f"  {known['executable']}"]
    return "\n".join([*head, *_compute(known), *_pace(known), _window(known), *_extras(known)])


def _device() -> dict[str, Any]:
    none = {"device": "", "device_name": "", "device_free_gib": None, "device_total_gib": None, "threads": 0, "why": ""}
    try:
        import torch
    except (ImportError, OSError) as error:
        return none | {"why": str(error)}
    found = none | {"threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return found | {
            "device": "cuda", "device_name": name, "device_free_gib": free / GIB, "device_total_gib": total / GIB
        }  # fmt: skip
    if torch.backends.mps.is_available():
        return found | {"device": "mps", "device_name": "Apple GPU"}
    built = torch.version.cuda
    why = (
        f"torch is built for CUDA {built}, but finds no NVIDIA GPU or driver"
        if built
        else "this build of torch is for CPUs only"
    )
    return found | {"device": "cpu", "device_name": "CPU", "why": why}


def _compute(known: dict[str, Any]) -> list[str]:
    if not known["device"]:
        return [f"torch cannot be loaded ({known['why']}): pretraining, training and detection will not run; install torch."]
    lines = [
        f"CPU: {known['cores']} cores, {known['threads']} threads for torch, "
        f"{known['memory_free_gib']:.1f} of {known['memory_total_gib']:.1f} GiB memory free"
    ]
    if known["device"] == "cuda":
        free = f"{known['device_free_gib']:.1f} of {known['device_total_gib']:.1f} GiB free"
        return [*lines, f"GPU: {known['device_name']}, {free}; it will be used."]
    if known["device"] == "mps":
        return [*lines, "GPU: Apple (MPS); it will be used."]
    return [*lines, f"GPU: none ({known['why']}). Everything runs on the CPU; pretraining takes minutes instead of seconds."]


def _pace(known: dict[str, Any]) -> list[str]:
    told = [
        f"{speed / 1e6:.2f} million pixels per second" + (f" with {threads} thread(s)" if threads != "0" else "")
        for threads, speed in known.get("pixels_per_s", {}).items()
    ]
    return [f"Speed, through the encoder unet16: {', '.join(told)}"] if told else []


def _window(known: dict[str, Any]) -> str:
    if not known["window"]:
        return (
            "Window: no Qt binding is installed; the command line works, napari needs: pip install 'napari-tap-events[pyqt6]'"
        )
    return f"Window: {', '.join(f'{name} {found}' for name, found in known['window'].items())}"


def _missing() -> list[dict[str, Any]]:
    lacking = []
    for extra, (modules, purpose) in EXTRAS.items():
        names = [name for name in modules if importlib.util.find_spec(name) is None]
        if names:
            lacking.append({"extra": extra, "packages": names, "purpose": purpose})
    return lacking


def _extras(known: dict[str, Any]) -> list[str]:
    lines = [
        f"Missing: {', '.join(one['packages'])}, for {one['purpose']}: pip install 'napari-tap-events[{one['extra']}]'"
        for one in known["missing"]
    ]
    return lines or ["All optional parts are installed."]
