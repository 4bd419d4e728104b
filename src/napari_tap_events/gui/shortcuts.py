"""The keys of marking: what they do, where they hold, and the file in which a user's own are kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_tap_events.errors import SettingsError

FILE = "mark_keys.json"


@dataclass(frozen=True)
class Deed:
    """Something that a key does.

    Attributes
    ----------
    name : str
        Under which a user's own key is kept.
    words : str
        What it does.
    key : str
        As Qt writes it: "Ctrl+Z".
    """

    name: str
    words: str
    key: str


DEEDS = (
    Deed("stamp", "Tool: stamp an event into this frame and the next", "S"),
    Deed("brush", "Tool: paint this frame", "B"),
    Deed("fill", "Tool: fill the cell under the mouse", "F"),
    Deed("erase", "Tool: erase", "E"),
    Deed("pan", "Tool: move the picture", "Z"),
    Deed("smaller", "Smaller radius", "["),
    Deed("larger", "Larger radius", "]"),
    Deed("earlier", "Picked mark one frame earlier", ","),
    Deed("later", "Picked mark one frame later", "."),
    Deed("delete", "Delete the picked mark", "Del"),
    Deed("next", "Next mark in the list", "N"),
    Deed("previous", "Previous mark in the list", "Shift+N"),
    Deed("nothing", "Nothing happens at the mouse", "X"),
    Deed("uncertain", "Nobody can tell at the mouse", "U"),
    Deed("undo", "Undo", "Ctrl+Z"),
    Deed("redo", "Redo", "Ctrl+Shift+Z"),
    Deed("help", "This list of keys", "H"),
)
FIXED = (
    ("1 to 9", "Kind of event to mark"),
    ("Click", "Stamp (or fill, erase) at the mouse; on an event: pick it"),
    ("Drag", "Paint"),
    ("Right click", "Nothing happens here; on a mark: what to do with it"),
    ("Shift + right click", "Nobody can tell what happens here"),
    ("Shift + drag a mark", "Move it"),
    ("Hold Space", "Move the picture"),
    ("Left, Right", "Previous, next frame"),
)
"""What cannot be changed, for the list of keys."""
DIGITS = "123456789"
NAPARIS_OWN = ("M", "-", "=")
"""Keys of napari's Labels layer that change the value that is painted: a value without a kind would mean nothing."""


def default_keys() -> dict[str, str]:
    """Return the key of every deed as it comes."""
    return {deed.name: deed.key for deed in DEEDS}


def keys_file() -> Path:
    """Return where a user's own keys are kept."""
    return Path(platformdirs.user_config_dir("napari-tap-events")) / FILE


def load_keys(path: Path) -> dict[str, str]:
    """Return the keys in a file, for deeds that it does not name those that come; a file that is not there or damaged has none."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    own = {name: key for name, key in kept.items() if isinstance(key, str)} if isinstance(kept, dict) else {}
    keys = {name: own.get(name, key) for name, key in default_keys().items()}
    return keys if not clash_in(keys) else default_keys()


def save_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Keep the keys that differ from those that come.

    Raises
    ------
    SettingsError
        When two deeds share a key, or the file cannot be written.
    """
    clash = clash_in(keys)
    if clash:
        raise SettingsError(clash)
    own = {name: key for name, key in keys.items() if key != default_keys()[name]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(own, indent=1), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the keys cannot be kept in '{path}': {error.strerror or error}; they hold until napari ends."
        ) from None


def clash_in(keys: Mapping[str, str]) -> str:
    """Return a sentence that names two deeds with one key, or a key that is taken; empty where all is well."""
    words = {deed.name: deed.words for deed in DEEDS}
    seen: dict[str, str] = {}
    for name, key in keys.items():
        if not key:
            continue
        if key in DIGITS:
            return f"the key {key} chooses a kind of event; give '{words[name]}' another."
        if key in seen:
            return f"the key {key} stands for both '{words[seen[key]]}' and '{words[name]}'; give one of them another."
        seen[key] = name
    return ""


def bind_to_layer(layer: Labels, keys: Mapping[str, str], deeds: Mapping[str, Callable[[], object]]) -> None:
    """Let keys hold while a layer is active and the picture has the focus; there they come before napari's own.

    Parameters
    ----------
    layer : Labels
        Its own keymap, which no other layer shares, is replaced.
    keys : mapping
        Key by name of the deed, as Qt writes it.
    deeds : mapping
        What is done, by the same name; digits choose kinds, and digits without a kind do nothing rather than change the tool.
    """
    layer.keymap = {}
    for key in (*DIGITS, *NAPARIS_OWN):
        layer.bind_key(key, _nothing, overwrite=True)
    for key, deed in _bound(keys, deeds):
        layer.bind_key(naparis(key), _without_layer(deed), overwrite=True)


def bind_to_widget(widget: QWidget, keys: Mapping[str, str], deeds: Mapping[str, Callable[[], object]]) -> list[QShortcut]:
    """Let keys hold while a widget, or one in it, has the focus; return them, so that they can be taken away."""
    shortcuts = []
    for key, deed in _bound(keys, deeds):
        shortcut = QShortcut(QKeySequence(key), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(deed)
        shortcuts.append(shortcut)
    return shortcuts


def _bound(keys: Mapping[str, str], deeds: Mapping[str, Callable[[], object]]) -> list[tuple[str, Callable[[], object]]]:
    """Return every key with its deed; Backspace deletes too, for small keyboards have no other."""
    named = [(key, name) for name, key in keys.items()] + [(digit, digit) for digit in DIGITS]
    if "Del" in keys.values() and "Backspace" not in keys.values():
        named += [("Backspace", name) for name, key in keys.items() if key == "Del"]
    return [(key, deeds[name]) for key, name in named if key and name in deeds]


def _nothing(_layer: Labels) -> None:
    """Stand in the way of napari's own deed; its blocker `...` makes napari 0.9 fail at every key."""


def _without_layer(deed: Callable[[], object]) -> Callable[[Labels], None]:
    """Return a deed as napari calls it: with the layer, which it does not need."""

    def bound(_layer: Labels) -> None:
        deed()

    return bound


def help_line(keys: Mapping[str, str]) -> str:
    """Return the most needed keys in one line, for napari's status bar."""
    wanted = ("stamp", "brush", "fill", "erase", "undo")
    return ", ".join([*(f"{keys[name]}: {name}" for name in wanted), f"{keys['help']}: all keys"])


def naparis(key: str, system: str = sys.platform) -> str:
    """Return a key as napari writes it; on macOS, Qt's Ctrl is the command key and its Meta the control key."""
    words = {"Del": "Delete", "Ins": "Insert", "Esc": "Escape", "Return": "Enter", "PgUp": "PageUp", "PgDown": "PageDown"}
    if system == "darwin":
        words |= {"Ctrl": "Meta", "Meta": "Ctrl"}
    modifiers, _, last = key.rpartition("+")
    if not last:  # the key is "+" itself
        modifiers, last = modifiers.rstrip("+"), "+"
    parts = [*modifiers.split("+"), last] if modifiers else [last]
    return "+".join(words.get(part, part) for part in parts)
