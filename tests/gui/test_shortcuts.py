"""Keys of marking: no two deeds share one, a user's own are kept, napari and Qt are told the same."""

from __future__ import annotations

import pytest
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtGui import QKeySequence

from napari_tap_events.errors import SettingsError
from napari_tap_events.gui.cheat_sheet import CheatSheet
from napari_tap_events.gui.shortcuts import DEEDS, clash_in, default_keys, load_keys, naparis, save_keys


def test_the_keys_that_come_do_not_clash():
    assert clash_in(default_keys()) == ""


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_napari_and_qt_understand_every_key(deed):
    assert QKeySequence(deed.key).toString(QKeySequence.SequenceFormat.PortableText) == deed.key
    assert str(coerce_keybinding(naparis(deed.key)))


def test_keys_with_a_plus_are_told_to_napari():
    assert naparis("+") == "+"
    assert naparis("Ctrl++", "linux") == "Ctrl++"
    assert naparis("Shift+Del", "linux") == "Shift+Delete"


def test_on_a_mac_control_is_the_command_key():
    assert naparis("Ctrl+Shift+Z", "darwin") == "Meta+Shift+Z"
    assert naparis("Ctrl+Shift+Z", "linux") == "Ctrl+Shift+Z"


def test_own_keys_are_kept_and_the_others_stay_as_they_come(tmp_path):
    path = tmp_path / "folder" / "keys.json"
    save_keys(path, default_keys() | {"stamp": "T"})
    assert load_keys(path) == default_keys() | {"stamp": "T"}
    assert "undo" not in path.read_text()


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"stamp": 3}', '{"stamp": "Ctrl+Z"}', '{"stamp": "1"}'])
def test_a_damaged_file_gives_the_keys_that_come(tmp_path, text):
    path = tmp_path / "keys.json"
    path.write_text(text)
    assert load_keys(path) == default_keys()


def test_a_key_for_two_deeds_is_refused_with_both_named(tmp_path):
    with pytest.raises(SettingsError, match=r"Ctrl\+Z stands for both"):
        save_keys(tmp_path / "keys.json", default_keys() | {"stamp": "Ctrl+Z"})


def test_the_list_of_keys_says_what_clashes_and_cannot_be_accepted_then(qtbot):
    sheet = CheatSheet(default_keys())
    qtbot.addWidget(sheet)
    assert sheet.value() == default_keys()
    sheet.edits["stamp"].setKeySequence(QKeySequence("Ctrl+Z"))
    assert "both" in sheet.trouble.text()
    assert not sheet.ok_button.isEnabled()
    sheet.edits["stamp"].setKeySequence(QKeySequence("T"))
    assert sheet.ok_button.isEnabled()
    assert sheet.value()["stamp"] == "T"
    sheet.reset_button.click()
    assert sheet.value() == default_keys()
