"""Take the pictures of the documentation: the way of the tutorial, on the tutorial's movie, in the real window.

Usage: python docs/screenshots.py [--gallery dark|light]   (on Linux without a screen: under scripts/with-display.sh)

With --gallery the pictures are those of docs/gallery.md: every step at 1280 x 800 and at 1920 x 1080 pixels, in one theme.

All jobs are real, with the settings that the tutorial names. It takes some minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from film import film
from stage import Stage, keep_napari_to

PICTURES = Path(__file__).with_name("images")
GALLERY, SIZES, QUALITY = PICTURES / "gallery", ((1280, 800), (1920, 1080)), 55
CELL_PX = 16
BY_HAND = 4
"""So many events are marked with the mouse; the others come from the file that `synth` wrote."""


def main() -> None:
    """Go the way of the tutorial, and take a picture of every step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", choices=("dark", "light"), help="Take the pictures of the gallery, in this theme.")
    theme = parser.parse_args().gallery
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        keep_napari_to(folder)
        _write_movie(folder / "data")
        stage = Stage(folder, folder, theme, SIZES) if theme else Stage(folder, PICTURES)
        try:
            story(stage, folder / "data")
            if theme is None:
                film(stage, PICTURES / "events.webp")
                stage.viewer.theme = "light"  # last: napari 0.9 leaves a dark square on the picture when the theme goes back
                stage.picture("7-results-light")
            else:
                pack(folder, GALLERY)
        finally:
            stage.close()


def pack(folder: Path, gallery: Path) -> None:
    """Keep the pictures of a folder as WebP, a fifth of the size of a PNG."""
    from PIL import Image

    gallery.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*-*-*.png")):
        Image.open(path).convert("RGB").save(gallery / f"{path.stem}.webp", quality=QUALITY, method=6)


def story(stage: Stage, data: Path) -> None:
    """Do all seven steps."""
    open_movie(stage, data)
    mark(stage, data)
    stage.workbench.project.save_as(data.parent / "divisions.tap")
    stage.until(lambda: not stage.workbench.project.saving.running(), "the project to be saved")
    pretrain(stage)
    train(stage)
    find(stage)
    explain(stage)
    review(stage)
    results(stage)


def open_movie(stage: Stage, data: Path) -> None:
    """Step 1: open the movie, and wait for the pre-check."""
    panel = stage.workbench.movie
    panel.open(data / "movie.tif")
    panel.facts.cell.setValue(CELL_PX)
    stage.until(lambda: bool(panel.findings.text()) and "…" not in panel.findings.text(), "the pre-check")
    stage.go_to_frame(20)
    stage.picture("1-movie")


def mark(stage: Stage, data: Path) -> None:
    """Step 2: mark some events by hand, look at them, then take in the others."""
    from napari_tap_events.movies.masks import open_masks
    from napari_tap_events.project.importing import import_masks

    stage.open_step("mark")
    marks = stage.session.annotations
    events = _divisions(data)[:BY_HAND]
    for t, y, x in events:
        stage.look_at(y, x, 2)
        stage.click(t, y, x)
        stage.hover(y, x)
    stage.until(lambda: len(marks.events) == len(events), "the marks")
    stage.picture("2-mark")
    _picture_of_keys(stage)
    _picture_of_scope(stage)
    marks.do(import_masks(marks, open_masks(data / "masks.tif", stage.session.movie).labels))
    print(f"{len(marks.events)} events are marked")


def _picture_of_keys(stage: Stage) -> None:
    """Show the list of keys over the window."""
    from napari_tap_events.gui.cheat_sheet import CheatSheet

    stage.workbench.mark.show_keys()
    (sheet,) = stage.workbench.mark.findChildren(CheatSheet)
    stage.settle()
    sheet.grab().save(str(stage.pictures / "2-keys.png"))
    sheet.reject()


def _picture_of_scope(stage: Stage) -> None:
    desk = stage.workbench.mark.desk
    stage.press(desk.scope_button)
    stage.press(desk.scope.whole_button)
    stage.picture("2-scope")
    stage.press(desk.scope_button)


def pretrain(stage: Stage) -> None:
    """Step 3: learn the arrow of time; a picture before it, and one on the way."""
    from napari_tap_events.settings import ComputeSettings, PretrainSettings

    stage.open_step("pretrain")
    panel = stage.workbench.pretrain
    panel.recipe.setValue(PretrainSettings(preset="unet8", steps=200, val_every=50), ComputeSettings())
    stage.until(lambda: "Runs on" in panel.recipe.device.text(), "the device")
    stage.picture("3-pretrain-settings")
    with stage.job(panel.recipe, panel.pretrained):
        stage.until(lambda: panel.recipe.watch.job.pace.done > 155, "three quarters of the steps")
        stage.picture("3-pretrain")


def train(stage: Stage) -> None:
    """Step 4: teach a head, and look at its score."""
    from napari_tap_events.settings import ComputeSettings

    stage.open_step("train")
    panel = stage.workbench.train
    stage.until(lambda: "fit your marks" in panel.counts.text(), "the counts")
    fitting = panel.recipe.value()[0].model_copy(update={"folds": 3, "steps": 200})
    panel.recipe.setValue(fitting, ComputeSettings())
    panel.recipe.valueChanged.emit()
    stage.picture("4-train")
    with stage.job(panel.recipe, panel.trained):
        pass
    stage.scroll_to(panel.score)
    stage.picture("4-score")
    panel.score.pages.setCurrentIndex(2)
    stage.scroll_to(panel.score.pages)
    stage.picture("4-calibration")
    print(panel.score.words.text())


def find(stage: Stage) -> None:
    """Step 5: map the movie."""
    stage.open_step("find")
    panel = stage.workbench.finding
    with stage.job(panel.recipe, panel.found):
        pass
    stage.scroll_to(panel.threshold)
    stage.picture("5-find")


def explain(stage: Stage) -> None:
    """Step 5, unfolded: ask where the network looks."""
    panel = stage.workbench.finding
    panel.why.setValue(True)
    with stage.job(panel.explain, panel.explain.finished):
        pass
    panel.maps.setCurrentIndex(panel.maps.findData("evidence"))
    panel.layers.show_only("evidence")
    stage.scroll_to(panel.maps)
    stage.picture("5-explain")


def review(stage: Stage) -> None:
    """Step 6: look at the first card, held at the pair that is asked about."""
    from napari_tap_events.settings import ComputeSettings

    stage.open_step("review")
    panel = stage.workbench.review
    panel.start.form.setValue(ComputeSettings())
    stage.press(panel.start.button)
    stage.until(lambda: panel.desk.reviewer.card is not None and "Waits" in panel.desk.state.text(), "the first card")
    panel.desk.card.picture.pause(3)
    stage.picture("6-review")
    stage.press(panel.start.button)


def results(stage: Stage) -> None:
    """Step 7: list and count the events."""
    stage.workbench.finding.layers.show_only("probability")
    stage.open_step("results")
    stage.workbench.results.step(1)
    stage.picture("7-results")
    stage.scroll_to(stage.workbench.results.over_time)
    stage.picture("7-export")


def _write_movie(folder: Path) -> None:
    from napari_tap_events.movies.synthetic import SyntheticSettings, synthesise, write_synthetic

    write_synthetic(folder, synthesise(SyntheticSettings(cells=20, cycle_frames=30)))


def _divisions(data: Path) -> list[tuple[int, float, float]]:
    """Return where mothers are in their last frame, (t, y, x) in frames and pixels, those far from the border."""
    import pandas as pd

    rows = pd.read_csv(data / "truth.csv")
    mothers = rows[(rows["role"] == "mother") & rows["y"].between(40, 216) & rows["x"].between(40, 216)]
    return [(int(t), float(y), float(x)) for t, y, x in mothers[["t", "y", "x"]].itertuples(index=False)]


if __name__ == "__main__":
    main()
