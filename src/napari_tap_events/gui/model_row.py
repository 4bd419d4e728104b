"""A list of models with a button beside it, which brings an encoder or a head from another folder into the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_tap_events.encoder.named_code import NamedCode, remember, was_named
from napari_tap_events.errors import ModelError, TapEventsError
from napari_tap_events.gui.model_choice import ModelChoice
from napari_tap_events.gui.notice import Words
from napari_tap_events.gui.project_models import finds_alone
from napari_tap_events.project.brought import Found, Kind, look
from napari_tap_events.project.session import Session

BRING = "Other..."
NO_PROJECT = "No movie is open, so there is no project that could take a model: open one in step 1."
TRUST = "Run this code"
DANGER = (
    "It runs each time that the model is used, and can do on this computer whatever you can do. Read it (Show Details) and go on only "
    "if you trust who wrote it."
)


class ModelRow(QWidget):
    """A list and a button in one line, and below them a sentence where something is in the way.

    Parameters
    ----------
    choice : ModelChoice
    session : Session
        Its project takes the model.
    *kinds : "encoder" or "head"
        What the list is of.
    alone : bool
        Whether an encoder must find events by itself.

    Attributes
    ----------
    button : QPushButton
    problem : Words
    """

    def __init__(self, choice: ModelChoice, session: Session, *kinds: Kind, alone: bool = False) -> None:
        super().__init__()
        self.choice, self.button, self.problem = choice, QPushButton(BRING), Words()
        self._session, self._kinds, self._alone = session, kinds, alone
        self._words = " or ".join(f"an {kind}" if kind == "encoder" else f"a {kind}" for kind in self._kinds)
        self.button.setToolTip(f"Brings {self._words} from another folder: your own of another project, or a colleague's.")
        self.button.setAccessibleName(f"Other: {self.button.toolTip()}")
        row = QHBoxLayout()
        row.addWidget(choice, stretch=1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.problem)
        choice.valueChanged.connect(lambda _: self.problem.setText(""))
        self.button.clicked.connect(self._ask_folder)

    def bring(self, folder: Path) -> None:
        """Copy a model into the project, and choose it, unless the person does not trust its code.

        Raises
        ------
        TapEventsError
            When the folder holds nothing that the list could offer, or it cannot be copied.
        """
        found = look(folder)
        if found.kind not in self._kinds:
            raise ModelError(f"'{folder}' holds a {found.kind}; {self._words} is needed here: {self._instead(found)}.")
        if self._alone and found.kind == "encoder" and not finds_alone(found.details):
            raise ModelError(
                f"the encoder '{folder.name}' finds nothing by itself: bring it in step 4, and train a head on it."
            )
        strange = [code for code in found.codes() if not was_named(code)]
        if strange and not self.trusts(found, strange):
            return
        for code in strange:
            remember(code)
        self.choice.setValue(str(self._session.bring(found)))

    def trusts(self, found: Found, codes: Sequence[NamedCode]) -> bool:
        """Ask whether code of somebody else may run."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setText(f"The {found.kind} '{found.folder.name}' runs Python code of whoever made it.")
        box.setInformativeText(DANGER)
        box.setDetailedText("\n\n".join(code.text or f"of an installed package: {code.name}" for code in codes))
        trust = box.addButton(TRUST, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return bool(box.clickedButton() is trust)

    def _instead(self, found: Found) -> str:
        if found.kind == "encoder":
            return "choose the folder of a head"
        return (
            f"the one of this head is in '{found.folder / 'encoder'}'" if (found.folder / "encoder").is_dir() else "it has none"
        )

    def _ask_folder(self) -> None:
        if self._session.project is None:
            self.problem.setText(f"⚠ {NO_PROJECT}")
            return
        folder = QFileDialog.getExistingDirectory(self, f"Choose the folder of {self._words}")
        if not folder:
            return
        self.problem.setText("")
        try:
            self.bring(Path(folder))
        except TapEventsError as error:
            self.problem.setText(f"⚠ {str(error)[0].upper()}{str(error)[1:]}")
