"""A choice among the encoders or heads of the project, the newest first, and what else can stand in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QWidget


@dataclass(frozen=True)
class Model:
    """Something to choose.

    Attributes
    ----------
    words : str
        What a person reads.
    value : str
        What the command line is told: a folder, or the name of a control.
    help : str
        One sentence.
    role : str
        "encoder", "head" or "control".
    """

    words: str
    value: str
    help: str
    role: str


class ModelChoice(QComboBox):
    """A list of models; it keeps what was chosen while models come and go.

    Attributes
    ----------
    valueChanged : Signal(object)
        The `Model` that was chosen, or None.
    """

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._purpose = ""
        self.currentIndexChanged.connect(lambda _: self.valueChanged.emit(self.value()))
        self.valueChanged.connect(self._explain)

    def setToolTip(self, purpose: str | None) -> None:
        """Say what the choice is for; what is chosen is said too, for a narrow list cuts it off."""
        self._purpose = purpose or ""
        self._explain(self.value())

    def value(self) -> Model | None:
        """Return what is chosen, None where there is nothing to choose."""
        chosen: Model | None = self.currentData()
        return chosen

    def setValue(self, value: str) -> None:
        """Choose a model by its value; where it is not offered nothing changes."""
        for row in range(self.count()):
            if self.itemData(row).value == value:
                self.setCurrentIndex(row)

    def offer(self, models: Sequence[Model]) -> None:
        """Offer these models; one that is new and comes first is chosen, else the choice stays."""
        before, known = self.value(), {_name(self.itemData(row)) for row in range(self.count())}
        self.blockSignals(True)
        self.clear()
        for model in models:
            self.addItem(model.words, model)
            self.setItemData(self.count() - 1, model.help, Qt.ItemDataRole.ToolTipRole)
        names = [_name(model) for model in models]
        if before is not None and _name(before) in names and (models[0].role == "control" or names[0] in known):
            self.setCurrentIndex(names.index(_name(before)))
        self.blockSignals(False)
        self.valueChanged.emit(self.value())

    def _explain(self, chosen: Model | None) -> None:
        super().setToolTip(self._purpose if chosen is None else f"{self._purpose}\n{chosen.words}: {chosen.help}")


def _name(model: Model) -> tuple[str, str, str]:
    """Return what a model is known by, also where its project has moved."""
    return model.role, Path(model.value).name, model.words
