"""What is marked reaches `train` as it was meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_tap_events.errors import ProjectError
from napari_tap_events.movies.marked_points import read_marked_points
from napari_tap_events.movies.masks import Scope, UncertainZone, open_masks
from napari_tap_events.project import marking
from napari_tap_events.project.annotations import Annotations
from napari_tap_events.project.corrections import Say, SetKinds
from napari_tap_events.project.folder import Project
from napari_tap_events.project.kinds import Kind
from napari_tap_events.project.verdicts import Verdict
from napari_tap_events.settings import HeadSettings, frame_range


@pytest.fixture
def marks(project: Project) -> Annotations:
    """Return marks with one division at frame 1."""
    a = project.annotations("film")
    a.do(marking.stamp(a, a.kinds[0], 1, 20, 20, 4))
    return a


def test_train_reads_the_mask_the_uncertain_places_and_the_scope(project: Project, marks: Annotations) -> None:
    marks.do(marking.mark_point(marks, "uncertain", 2, 10.25, 30, 6))
    marks.do(marking.set_scope(marks, range(5), (5, 40, 0, 45)))
    files = project.export_for_training("film")
    settings = HeadSettings(scope_frames=files.scope_frames, scope_region=files.scope_region)
    assert (settings.scope_region, frame_range(settings.scope_frames, 6, "scope")) == ("5:40,0:45", range(5))
    scope = Scope(range(5), 5, 40, 0, 45)
    read = open_masks(files.masks, project.movie("film"), files.events, scope)
    np.testing.assert_array_equal(read.labels, marks.labels)
    assert read.uncertain == (UncertainZone(2, 10.25, 30, 6),)
    assert files.remarks == ()


def test_without_uncertain_places_a_table_of_an_earlier_run_says_so(project: Project, marks: Annotations) -> None:
    assert project.export_for_training("film").events is None
    assert not list(project.path.rglob("*.uncertain.csv"))
    marks.do(marking.mark_point(marks, "uncertain", 2, 10, 30, 6))
    table = project.export_for_training("film").events
    assert table is not None
    marks.undo()
    assert project.export_for_training("film").events is None
    assert read_marked_points(table) == ()


def test_training_needs_an_event(project: Project) -> None:
    with pytest.raises(ProjectError, match="no event is marked in 'film' yet; mark some before training"):
        project.export_for_training("film")


def test_a_missing_scope_is_remarked(project: Project, marks: Annotations) -> None:
    files = project.export_for_training("film")
    assert (files.scope_frames, files.scope_region) == ("", "")
    assert files.remarks == (
        "No scope is set, so the whole movie counts as marked: an event that is not marked teaches 'no event'.",
    )


def test_what_lies_outside_of_the_scope_is_remarked(project: Project, marks: Annotations) -> None:
    marks.do(marking.stamp(marks, marks.kinds[0], 4, 20, 20, 4))
    marks.do(marking.mark_point(marks, "nothing", 5, 10, 30, 6))
    marks.do(marking.mark_point(marks, "nothing", 1, 10, 30, 6))
    marks.do(marking.set_scope(marks, range(4), (0, 40, 0, 50)))
    assert project.export_for_training("film").remarks == (
        "1 of 2 events lie outside of the scope and are not used.",
        "1 points 'nothing here' lie outside of the scope and are not used.",
    )


def test_what_a_review_has_seen_outside_of_the_scope_teaches(project: Project, marks: Annotations) -> None:
    marks.do(marking.set_scope(marks, range(1), (0, 40, 0, 50)))
    assert project.export_for_training("film").remarks == ("1 of 1 events lie outside of the scope and are not used.",)
    marks.do(Say(None, Verdict(1, "no", "uncertain", 4, 30, 30, "division", side_px=10, reach_frames=1)))
    files = project.export_for_training("film")
    assert files.known is not None
    assert files.remarks == ()


def test_training_calls_kinds_by_the_names_that_a_person_gave_them(project: Project, marks: Annotations) -> None:
    marks.do(marking.set_scope(marks, range(6), (0, 40, 0, 50)))
    marks.do(SetKinds(marks.kinds, (Kind("budding", 1), Kind("death", 2), Kind("fusion", 3))))
    marks.do(marking.stamp(marks, marks.kinds[2], 3, 20, 20, 4))
    files = project.export_for_training("film")
    assert files.remarks == ()
    assert open_masks(files.masks, project.movie("film")).kinds == ("budding", "death", "fusion")


def test_a_folder_that_cannot_be_written_is_told(project: Project, marks: Annotations) -> None:
    Path(project.path / "masks").write_text("in the way")
    with pytest.raises(ProjectError, match="the mask cannot be written to"):
        project.export_for_training("film")


def test_in_a_second_window_nothing_is_written_for_training(project: Project, marks: Annotations) -> None:
    project.export_for_training("film")
    second = Project.open(project.path)
    before = {path: path.stat().st_mtime_ns for path in project.path.rglob("*")}
    a = second.annotations("film")
    a.do(marking.stamp(a, a.kinds[0], 4, 20, 20, 4))
    with pytest.raises(ProjectError, match=r"cannot be written for training: the project 'marks\.tap' is open in another"):
        second.export_for_training("film")
    assert {path: path.stat().st_mtime_ns for path in project.path.rglob("*")} == before
