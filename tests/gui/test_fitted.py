"""Settings that follow the movie until somebody chooses others."""

from __future__ import annotations

import pytest

from napari_tap_events.gui.fitted import Fitted
from napari_tap_events.gui.settings_form import SettingsForm
from napari_tap_events.settings import ComputeSettings, HeadSettings


@pytest.fixture
def form(qtbot):
    made = SettingsForm((HeadSettings, ComputeSettings))
    qtbot.addWidget(made)
    return made


def sizes(form):
    head = form.value()[0]
    return head.crop_px, head.radius_px


def test_what_fits_is_shown_and_replaced_by_what_fits_better(form):
    fitted = Fitted(form, ("crop_px", "radius_px"))
    form.setValue(HeadSettings(folds=4))
    assert fitted.fit({"crop_px": 48, "radius_px": 30.0, "area_px": 7})
    assert sizes(form) == (48, 30.0)
    assert fitted.fit({"crop_px": 32, "radius_px": 20.0})
    assert sizes(form) == (32, 20.0)
    assert not fitted.fit({"crop_px": 32, "radius_px": 20.0})
    assert (form.value()[0].folds, form.value()[0].area_px) == (4, HeadSettings().area_px), "others stay as they are"


def test_what_somebody_has_chosen_stays(form):
    fitted = Fitted(form, ("crop_px", "radius_px"))
    form.plain.fields["radius_px"].setValue(9.0)
    assert not fitted.fit({"crop_px": 48, "radius_px": 30.0})
    assert sizes(form) == (HeadSettings().crop_px, 9.0)
