"""A file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def all_or_nothing(path: Path) -> Iterator[Path]:
    """Give the path of a file beside to write to; it takes the place of `path` in the end, and goes where that fails.

    Raises
    ------
    OSError
        When it cannot take that place.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):  # what went wrong before is told
            partial.unlink(missing_ok=True)
        raise
