"""Events tables come back as they were written, and a bad one is refused in a sentence that says where it is bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_tap_events.errors import MaskError, OutputError
from napari_tap_events.events.table import COLUMNS, EventRow, events_table, name_for_all, read_events, with_scale, write_events

TRUTH = """event_id,kind,role,t,y,x,radius,certainty,note
1,division,mother,3,74,108,8,certain,
1,division,daughter,4,71,109,6,certain,
1,division,daughter,4,83,102,6,certain,
4,uncertain,dying,13,365,400,32,uncertain,"round, blebs: failed"
2,death,dead,10,20,30,8,probable,
2,death,dying,9,22,34,8,probable,
"""

event_rows = st.builds(
    EventRow,
    t=st.integers(0, 10_000),
    y=st.floats(-0.5, 4096, allow_nan=False),
    x=st.floats(-0.5, 4096, allow_nan=False),
    kind=st.sampled_from(["event", "division", "death", "uncertain"]),
    probability=st.none() | st.floats(0, 1),
    source=st.sampled_from(["", "person", "head, first"]),
    status=st.sampled_from(["proposed", "confirmed", "rejected", "added"]),
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_the_documented_ones_and_units_come_with_the_scale() -> None:
    frame = events_table([EventRow(4, 10.0, 20.004, "division", 0.9, "head")], interval_s=600.0, pixel_size_um=0.5)
    assert list(frame.columns) == [*COLUMNS, "t_s", "y_um", "x_um"]
    assert frame.loc[0, ["id", "t", "y", "x", "t_s", "y_um", "x_um"]].tolist() == [1, 4, 10.0, 20.0, 2400.0, 5.0, 10.0]
    assert list(events_table([]).columns) == list(COLUMNS)


def test_ids_are_kept_and_new_ones_follow() -> None:
    rows = [EventRow(0, 0, 0), EventRow(1, 0, 0, id=7), EventRow(2, 0, 0)]
    assert events_table(rows)["id"].tolist() == [8, 7, 9]


@given(st.lists(event_rows, max_size=8), st.booleans())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list[EventRow], scaled: bool) -> None:
    frame = events_table(rows, *((300.0, 0.65) if scaled else (None, None)))
    path = tmp_path_factory.mktemp("round") / "events.csv"
    pd.testing.assert_frame_equal(read_events(write_events(path, frame)), frame)


def test_rows_of_one_true_event_become_one_event(tmp_path: Path) -> None:
    frame = read_events(written(tmp_path, TRUTH))
    assert frame["id"].tolist() == [1, 4, 2]
    assert frame["t"].tolist() == [3, 13, 9]
    assert frame["kind"].tolist() == ["division", "uncertain", "death"]
    assert frame["certainty"].tolist() == ["certain", "uncertain", "probable"]
    np.testing.assert_allclose(frame["y"], [76, 365, 21])
    np.testing.assert_allclose(frame["x"], [319 / 3, 400, 32])
    assert set(frame["source"]) == {"truth"}
    assert frame["probability"].isna().all()


def test_only_the_place_is_needed(tmp_path: Path) -> None:
    frame = read_events(written(tmp_path, "\ufefft, y, x\n3, 1.5, 2\n"))
    assert frame.loc[0].to_dict() | {"probability": None} == {
        "id": 1, "t": 3, "y": 1.5, "x": 2.0, "kind": "event", "probability": None, "source": "", "status": "proposed"
    }  # fmt: skip


def test_columns_of_others_are_kept_behind_ours(tmp_path: Path) -> None:
    frame = read_events(written(tmp_path, "note,t,y,x\nodd,1,2,3\n"))
    assert list(frame.columns) == [*COLUMNS, "note"]
    frame = with_scale(frame, None, 2.0)
    assert frame["x_um"].tolist() == [6.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("frame,y,x\n1,2,3\n", "it lacks t; its columns are frame, y, x"),
        ("t;y;x\n1;2;3\n", "it lacks t, y, x; its columns are t;y;x"),
        ("t,y,x\n1,2,3\n1,two,3\n", "row 2 below the header: y is 'two'"),
        ("t,y,x\n1,2,\n", "row 1 below the header: x is ''"),
        ("t,y,x\n1,inf,3\n", "y is 'inf'"),
        ("t,y,x\n1,2,3\nnan,2,3\n", "row 2 below the header: t is 'nan'"),
        ("t,y,x\n1e30,2,3\n", "t is 1e+30; it must be a frame"),
        ("t,y,x\n1.5,2,3\n", "t is 1.5; it must be a frame"),
        ("t,y,x\n-1,2,3\n", "t is -1"),
        ("id,t,y,x\n1,1,2,3\n1,1,2,3\n", "id 1 more than once"),
        ("t,y,x,probability\n1,2,3,1.2\n", "probability is 1.2, not within 0 to 1"),
        ("t,y,x,probability\n1,2,3,-0.1\n", "probability is -0.1, not within 0 to 1"),
        ("t,y,x,probability\n1,2,3,nan\n", "row 1 below the header: probability is 'nan', which is no number"),
        ("t,y,x,status\n1,2,3,maybe\n", "status is 'maybe'; it can be proposed, confirmed, rejected, added"),
        ("event_id,t,y,x\n,2,3,1\n", "event_id is empty"),
        ("t,y,x\n1,2,3,4,5\n", "cannot be read as CSV"),
        ("t,y,x\n1,2,3\n1,2,3,4,5\n", "cannot be read as CSV"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(MaskError) as caught:
        read_events(written(tmp_path, text))
    assert sentence in str(caught.value)
    assert "events.csv" in str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match=r"nowhere\.csv"):
        read_events(tmp_path / "nowhere.csv")
    with pytest.raises(OutputError, match="cannot be written"):
        write_events(tmp_path / "no" / "events.csv", events_table([]))


def test_an_empty_table_is_read_as_no_events(tmp_path: Path) -> None:
    assert len(read_events(written(tmp_path, "t,y,x\n"))) == 0
    assert len(read_events(written(tmp_path, "event_id,t,y,x\n"))) == 0


@pytest.mark.parametrize(
    ("kinds", "name"),
    [
        (["division", "division"], "division"),
        (["death", "uncertain"], "death"),
        (["division", "death"], "event"),
        ([], "event"),
    ],
)
def test_events_of_one_kind_are_called_so(kinds, name):
    assert name_for_all(kinds) == name
