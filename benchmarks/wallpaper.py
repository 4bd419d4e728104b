r"""Write a movie whose labels are a coin's, with its mask: whatever a study promises on it is a leak.

python -m benchmarks.wallpaper FOLDER
napari-tap-events study splits FOLDER/movie.tif --masks FOLDER/masks.tif --out DIR --encoder random --preset unet8 --head linear \\
        --rows random --crop-px 32 --guard-frames 4 --batch 4 --tile-px 64 --learning-rate 0.01
"""

from __future__ import annotations

import sys
from pathlib import Path

import tifffile

from napari_tap_events.movies.masks import save_masks
from napari_tap_events.movies.synthetic import wallpaper


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    movie, labels = wallpaper(0, frames=96, size=64)
    tifffile.imwrite(folder / "movie.tif", movie.as_array()[:, 0], metadata={"axes": "TYX"})
    save_masks(folder / "masks.tif", labels)
    print(f"Wrote movie.tif and masks.tif to {folder}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
