"""Write a movie whose labels are a coin's, with its mask: whatever a study promises on it is a leak.

Usage: python -m benchmarks.wallpaper FOLDER; docs/benchmarks/studies.md has the study of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tifffile

from napari_tap_events.movies.masks import save_masks
from napari_tap_events.movies.synthetic import wallpaper


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    movie, labels = wallpaper(0, frames=96, size=48)
    tifffile.imwrite(folder / "movie.tif", movie.as_array()[:, 0], metadata={"axes": "TYX"})
    save_masks(folder / "masks.tif", labels)
    print(f"Wrote movie.tif and masks.tif to {folder}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
