"""Sentences that are there only while there is something to say."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_tap_events.gui.notice import Words


def test_words_take_no_room_while_there_are_none(qtbot):
    around = QWidget()
    qtbot.addWidget(around)
    words = Words()
    QVBoxLayout(around).addWidget(words)
    around.show()
    assert not words.isVisible()
    words.setText("Waits for answers.")
    assert words.isVisible()
    words.setText("")
    assert not words.isVisible()
