"""The manifest names nothing that does not exist: napari itself would pass over a wrong name in silence."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from app_model.types import SubmenuItem
from npe2 import PluginManifest
from npe2.manifest.contributions import ContributionPoints
from npe2.manifest.utils import import_python_name

import napari_tap_events

PACKAGE = Path(napari_tap_events.__file__).parent
MANIFEST = PACKAGE / "napari.yaml"
NAPARI_HONOURS = {"commands", "readers", "writers", "widgets", "sample_data", "menus", "submenus", "themes", "configurations"}
READERS_MUST_TAKE = {"*.tif", "*.tiff", "*.ome.tif", "*.zarr", "*.avi"}


@pytest.fixture(scope="module")
def raw():
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(MANIFEST)


def test_the_plugin_is_found_where_it_is_installed():
    found = PluginManifest.from_distribution("napari-tap-events")
    assert found.display_name == "TAP Events"


def test_the_manifest_at_the_top_of_the_repository_is_the_one_in_the_package():
    top = PACKAGE.parent.parent / "napari.yaml"
    assert top.is_symlink()
    assert top.resolve() == MANIFEST.resolve()


def test_npe2_finds_it_valid():
    npe2 = Path(sys.executable).with_name("npe2")
    done = subprocess.run([npe2, "validate", MANIFEST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_is_one_that_napari_honours(raw):
    assert set(raw) <= {"name", "display_name", "contributions", "schema_version", "icon", "categories"}
    assert set(raw["contributions"]) <= NAPARI_HONOURS
    for kind, entries in raw["contributions"].items():
        model = ContributionPoints.model_fields[kind].annotation
        allowed = _field_names(model)
        for entry in entries if isinstance(entries, list) else []:
            assert set(entry) <= allowed, f"{kind}: {entry}"


def test_every_command_can_be_imported_and_called(manifest):
    for command in manifest.contributions.commands:
        assert command.id.startswith("napari-tap-events.")
        assert callable(import_python_name(command.python_name)), command.id


def test_every_command_that_is_referred_to_exists_and_none_is_idle(raw):
    contributions = raw["contributions"]
    known = {command["id"] for command in contributions["commands"]}
    used = {entry["command"] for kind in ("readers", "widgets", "sample_data") for entry in contributions[kind]}
    used |= {item["command"] for items in contributions["menus"].values() for item in items}
    for_the_palette = {command["id"] for command in contributions["commands"] if ".palette" in command["python_name"]}
    assert used | for_the_palette == known
    assert not used & for_the_palette


def test_every_menu_is_one_that_takes_contributions(raw):
    from napari._app_model.constants import MenuId
    from napari._app_model.constants._menus import is_menu_contributable

    for menu in raw["contributions"]["menus"]:
        assert is_menu_contributable(menu), menu
        assert menu in {str(known.value) for known in MenuId}, menu


def test_sample_keys_are_unique_and_the_promised_samples_are_there(raw):
    samples = raw["contributions"]["sample_data"]
    assert len({sample["key"] for sample in samples}) == len(samples)
    names = [sample["display_name"] for sample in samples]
    assert names == ["Dividing nuclei (synthetic)", "Dividing cells, phase contrast (synthetic)"]


def test_the_reader_takes_what_movies_come_in(raw):
    (reader,) = raw["contributions"]["readers"]
    assert set(reader["filename_patterns"]) >= READERS_MUST_TAKE
    assert reader["accepts_directories"] is True


def test_widgets_get_the_viewer(manifest):
    for widget in manifest.contributions.widgets:
        made = import_python_name(next(c.python_name for c in manifest.contributions.commands if c.id == widget.command))
        assert "napari_viewer" in inspect.signature(made).parameters


@pytest.fixture
def viewer(npe2pm, make_napari_viewer_proxy):
    npe2pm.register(PluginManifest.from_file(MANIFEST))
    return make_napari_viewer_proxy()


def test_napari_offers_the_dock_the_samples_and_the_command_in_its_menus(viewer):
    from napari._app_model import get_app_model

    app = get_app_model()
    assert {"napari-tap-events.results_panel", "napari-tap-events.open_results"} <= set(app.commands._commands)
    (submenu,) = (
        item for item in app.menus.get_menu("napari/plugins") if isinstance(item, SubmenuItem) and item.title == "TAP Events"
    )
    offered = [item.command.title for item in app.menus.get_menu(submenu.submenu)]
    assert offered == ["Workbench (TAP Events)", "Results (TAP Events)"]
    samples = [item.command.title for item in app.menus.get_menu("napari/file/samples/napari-tap-events")]
    assert len(samples) == 2


def test_napari_opens_a_movie_and_a_sample_through_the_plugin(viewer, result_folder):
    viewer.open(result_folder / "movie.tif", plugin="napari-tap-events")
    assert viewer.layers["movie"].source.reader_plugin == "napari-tap-events"
    viewer.open_sample("napari-tap-events", "nuclei")
    assert [layer.name for layer in viewer.layers] == ["movie", "dividing nuclei", "masks", "true events"]


def test_the_command_palette_gives_the_command_the_viewer(viewer, monkeypatch, result_folder):
    from napari._app_model import get_app_model
    from qtpy.QtWidgets import QFileDialog

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(result_folder))
    get_app_model().commands.execute_command("napari-tap-events.open_results").result()
    assert "probability" in viewer.layers


def _field_names(annotation) -> set[str]:
    """Collect the field names of every model inside of a type annotation, aliases included."""
    names: set[str] = set()
    for part in [annotation, *getattr(annotation, "__args__", ())]:
        if hasattr(part, "model_fields"):
            names |= set(part.model_fields) | {field.alias for field in part.model_fields.values() if field.alias}
        elif part is not annotation:
            names |= _field_names(part)
    return names
