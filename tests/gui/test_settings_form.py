"""Forms from declarations: every kind of setting has its input, and what will not do is said in place."""

from __future__ import annotations

from typing import Literal

import pytest
import typer
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel
from typer.testing import CliRunner

from napari_tap_events.errors import SettingsError
from napari_tap_events.flags import spread
from napari_tap_events.gui.setting_fields import Declared, label_of
from napari_tap_events.gui.settings_form import SettingsForm
from napari_tap_events.settings import (
    ComputeSettings,
    DemoSettings,
    DetectSettings,
    ExplainSettings,
    HeadSettings,
    MovieSettings,
    PretrainSettings,
    ScoreSettings,
    Settings,
    SyntheticSettings,
    setting,
)

ALL = [
    ComputeSettings, DemoSettings, DetectSettings, ExplainSettings, HeadSettings, MovieSettings, PretrainSettings, ScoreSettings,
    SyntheticSettings,
]  # fmt: skip
DOCK_PX = 340


class Every(Settings):
    """One setting of every kind."""

    whole: int = setting(8, "A whole number.", unit="px", low=2, high=64)
    count_or_auto: int | None = setting(None, "A number, or left to the program.", low=1)
    small: float = setting(1e-3, "A small number.", low=1e-7, high=1)
    share_or_auto: float | None = setting(None, "A share, or left to the program.", low=0, high=1)
    choice: Literal["one", "other"] = setting("one", "One of two words.")
    bits: Literal[8, 16] = setting(8, "One of two numbers.")
    yes: bool = setting(False, "Yes or no.")
    words: str = setting("", "Some words.")
    axes: str | None = setting(None, "Letters, or left to the program.")
    deltas: tuple[int, ...] = setting((1,), "Distances.", unit="frames", least=1)
    deep_px: float = setting(4.0, "Something for experts.", unit="px", low=0, advanced=True)


@pytest.fixture
def form(qtbot):
    form = SettingsForm(Every)
    qtbot.addWidget(form)
    return form


def field(form, name):
    return (form.plain.fields | form.advanced.fields)[name]


@pytest.mark.parametrize("kind", ALL)
def test_every_form_starts_with_the_defaults_and_fits_into_a_dock(kind, qtbot):
    form = SettingsForm(kind)
    qtbot.addWidget(form)
    form.fold.setValue(True)
    assert form.value() == (kind(),)
    assert form.flags() == []
    assert form.problem() == ""
    assert form.minimumSizeHint().width() <= DOCK_PX - 30


@pytest.mark.parametrize("kind", ALL)
def test_every_row_has_words_help_and_a_name_for_those_who_hear_it(kind, qtbot):
    form = SettingsForm(kind)
    qtbot.addWidget(form)
    labels = []
    for rows in (form.plain, form.advanced):
        for name, one in rows.fields.items():
            assert one.whatsThis() == rows.labels[name].whatsThis() == kind.declared()[name].description
            assert one.toolTip()
            assert one.accessibleName() == rows.labels[name].text()
            labels.append(one.accessibleName())
    assert len(set(labels)) == len(labels), "two rows of one name cannot be told apart"


WRITTEN = {
    "whole": 48, "count_or_auto": 12, "small": 2e-4, "share_or_auto": 0.35, "choice": "other", "bits": 16, "yes": True,
    "words": "a:b", "axes": "TYX", "deltas": (1, 2), "deep_px": 2.5,
}  # fmt: skip


def test_what_is_shown_comes_back(form):
    form.setValue(Every(**WRITTEN))
    assert form.value() == (Every(**WRITTEN),)
    form.reset()
    assert form.value() == (Every(),)


def test_flags_say_what_is_not_as_by_default_and_the_command_line_reads_the_same(form):
    taken, app = [], typer.Typer()

    def command(settings: Every) -> None:
        taken.append(settings)

    command.__annotations__["settings"] = Every
    app.command()(spread(command))
    form.setValue(Every(**WRITTEN))
    assert CliRunner().invoke(app, form.flags()).exit_code == 0
    assert taken == [Every(**WRITTEN)]
    form.setValue(Every(whole=9))
    assert form.flags() == ["--whole", "9"]


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("whole", "16", 16),
        ("whole", "999", 64),
        ("whole", "x", 8),
        ("small", "1e-05", 1e-5),
        ("small", "0,5", 0.5),
        ("count_or_auto", "7", 7),
        ("share_or_auto", "0.25", 0.25),
        ("words", " 0:60 ", "0:60"),
        ("axes", "TYX", "TYX"),
    ],
)
def test_what_is_typed_is_taken(form, qtbot, name, typed, value):
    one = field(form, name)
    form.show()
    one.setFocus()
    one.selectAll()
    qtbot.keyClicks(one, typed)
    qtbot.keyClick(one, Qt.Key.Key_Return)
    assert one.value() == value


@pytest.mark.parametrize("name", ["count_or_auto", "share_or_auto", "axes"])
def test_an_emptied_field_is_left_to_the_program(form, qtbot, name):
    one = field(form, name)
    form.show()
    one.setValue("TYX" if name == "axes" else 1)
    one.setFocus()
    one.selectAll()
    qtbot.keyClick(one, Qt.Key.Key_Delete)
    qtbot.keyClick(one, Qt.Key.Key_Return)
    assert one.value() is None
    assert form.value() == (Every(),)


def test_numbers_are_written_as_people_do(form):
    assert field(form, "small").text() == "0.001"
    assert field(form, "whole").text() == "8 px"
    assert field(form, "count_or_auto").text() == "auto"
    assert field(form, "words").placeholderText() == "auto"


def test_a_step_from_the_least_number_leaves_the_program_free(form):
    one = field(form, "count_or_auto")
    one.setValue(1)
    one.stepDown()
    assert one.value() is None
    one.stepUp()
    assert one.value() == 1


def test_a_wrong_value_is_said_under_its_row_and_nowhere_else(form, qtbot):
    told = []
    form.valueChanged.connect(lambda: told.append(form.problem()))
    field(form, "deltas").setText("1,two")
    wrong = [label for label in form.plain.problems.values() if not label.isHidden()]
    assert [label.text() for label in wrong] == [form.plain.problems["deltas"].text()]
    assert "'two' will not do" in wrong[0].text()
    assert "--" not in wrong[0].text(), "no advice on flags in a window"
    assert "deltas" in told[-1]
    with pytest.raises(SettingsError, match="deltas"):
        form.value()
    field(form, "deltas").setText("1,2")
    assert all(label.isHidden() for label in form.plain.problems.values())
    assert told[-1] == ""


def test_an_advanced_setting_is_folded_away_until_it_is_wrong(form):
    assert form.advanced.isHidden()
    assert "deep_px" in form.advanced.fields
    field(form, "deep_px").setMinimum(-5)
    field(form, "deep_px").setValue(-1.0)
    assert not form.advanced.isHidden()
    assert "will not do" in form.advanced.problems["deep_px"].text()


def test_the_fold_opens_with_the_keyboard(form, qtbot):
    form.show()
    form.fold.button.setFocus()
    qtbot.keyClick(form.fold.button, Qt.Key.Key_Space)
    assert form.advanced.isVisible()
    assert form.fold.button.text().startswith("▾")


def test_a_changed_row_offers_the_way_back(form, qtbot):
    reset = form.plain.resets["whole"]
    assert reset.isHidden()
    field(form, "whole").setValue(9)
    assert not reset.isHidden()
    assert reset.toolTip() == "Back to 8 px"
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert field(form, "whole").value() == 8
    assert reset.isHidden()


def test_the_row_with_the_focus_or_under_the_mouse_is_explained(form):
    QApplication.sendEvent(field(form, "whole"), QEvent(QEvent.Type.Enter))
    assert form.plain.help.text() == "A whole number."
    QApplication.sendEvent(field(form, "choice"), QEvent(QEvent.Type.FocusIn))
    assert form.plain.help.text() == "One of two words."


@pytest.mark.parametrize("name", ["whole", "choice"])
def test_the_wheel_scrolls_the_form_and_changes_no_number_on_its_way(form, name):
    one, here = field(form, name), QPointF(5, 5)
    before = one.value()
    wheel = QWheelEvent(
        here, here, QPoint(0, 0), QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(one, wheel)
    assert one.value() == before
    assert not wheel.isAccepted()


def test_settings_that_are_not_shown_keep_what_they_were_given(qtbot):
    form = SettingsForm(Every, hidden=("words", "deep_px"))
    qtbot.addWidget(form)
    assert "words" not in form.plain.fields
    form.setValue(Every(words="kept", deep_px=1.0, whole=9))
    form.reset()
    assert form.value() == (Every(words="kept", deep_px=1.0),)
    only = SettingsForm(Every, only=("whole",))
    qtbot.addWidget(only)
    assert list(only.plain.fields) == ["whole"]
    assert only.fold.isHidden()


def test_two_kinds_share_one_form(qtbot):
    form = SettingsForm((PretrainSettings, ComputeSettings))
    qtbot.addWidget(form)
    form.setValue(ComputeSettings(device="cpu"))
    pretrain, compute = form.value()
    assert (pretrain, compute) == (PretrainSettings(), ComputeSettings(device="cpu"))
    assert form.flags() == ["--device", "cpu"]
    assert len(form.findChildren(type(form.fold))) == 1, "one fold for all that is advanced"


def test_a_name_becomes_words_without_its_unit():
    assert label_of("motion_blur_px", "px") == "Motion blur"
    assert label_of("val_frames", None) == "Validation frames"
    assert label_of("frames", "frames") == "Frames"
    assert Declared.of("x_um", Every.model_fields["whole"]).unit == "px"


def test_rows_stand_in_the_order_of_the_declaration(qtbot):
    form = SettingsForm(HeadSettings)
    qtbot.addWidget(form)
    names = list(form.plain.fields)
    assert names.index("criterion") < names.index("split") < names.index("radius_px") < names.index("head")
    assert {*names, *form.advanced.fields} == set(HeadSettings.declared())


def test_labels_point_at_their_fields(form):
    labels = [label for label in form.findChildren(QLabel) if label.buddy() is not None]
    assert {label.buddy().objectName() for label in labels} == set(Every.declared())
