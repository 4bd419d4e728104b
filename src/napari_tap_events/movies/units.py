"""Lengths to micrometres, times to seconds, whatever a file calls its units."""

from __future__ import annotations

_UM: dict[str, float] = {
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometre", "\\u00b5m", "\\u03bcm"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("å", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer"), 1e-6),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("inch", "in"), 25400.0),
}

_SECONDS: dict[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}


def to_um(value: object, unit: str | None) -> float | None:
    """Return a length in micrometres, or None where value or unit say nothing."""
    return _converted(value, unit, _UM)


def to_seconds(value: object, unit: str | None) -> float | None:
    """Return a time in seconds, or None where value or unit say nothing."""
    return _converted(value, unit, _SECONDS)


def _converted(value: object, unit: str | None, factors: dict[str, float]) -> float | None:
    factor = factors.get((unit or "").strip().strip('"').lower())
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if factor is None or not 0 < number < float("inf"):
        return None
    return number * factor
