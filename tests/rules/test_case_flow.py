"""Case flow: every pair of status and action, the sentences, and the page that is written from the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import case_flow
from rules.case_flow import Action, IllegalMove, Status, move

PAGE = Path(__file__).parents[2] / "docs" / "case-flow.md"
OPEN = [status for status in Status if status.open]


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("assign outreach cause plan monitor close", Status.CLOSED),
        ("outreach outreach assign plan", Status.PLANNED),
        ("assign plan monitor plan monitor", Status.MONITORING),
        ("assign outreach refer change_tier add_reason", Status.CONTACTING),
        ("assign pause outreach", Status.PAUSED),
        ("close reopen assign", Status.ASSIGNED),
    ],
)
def test_a_case_lives(path: str, end: Status):
    status = Status.NEW
    for action in path.split():
        status = move(status, Action(action))
    assert status is end


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
def test_every_pair_is_either_a_move_or_a_sentence(status: Status, action: Action):
    if case_flow.can_move(status, action):
        assert move(status, action) in Status
    else:
        with pytest.raises(IllegalMove, match=f"This case is {status}.*Now you can "):
            move(status, action)


@pytest.mark.parametrize("before", [s for s in OPEN if s is not Status.PAUSED])
def test_a_pause_ends_where_it_began(before: Status):
    assert move(before, Action.PAUSE) is Status.PAUSED
    assert move(Status.PAUSED, Action.RESUME, before=before) is before


def test_a_pause_with_no_memory_goes_on_as_assigned():
    assert move(Status.PAUSED, Action.RESUME) is Status.ASSIGNED


@pytest.mark.parametrize("status", OPEN)
def test_every_open_case_takes_new_reasons_and_can_be_closed(status: Status):
    assert move(status, Action.ADD_REASON) is status
    assert move(status, Action.CLOSE) is Status.CLOSED


def test_a_closed_case_can_only_be_reopened():
    assert case_flow.actions(Status.CLOSED) == (Action.REOPEN,)
    with pytest.raises(
        IllegalMove,
        match="cannot agree a plan any more. Now you can reopen it.$",
    ):
        move(Status.CLOSED, Action.PLAN)


def test_the_refusal_offers_what_is_possible():
    with pytest.raises(
        IllegalMove,
        match="is paused, so you cannot agree a plan yet.*, add a reason or close it.$",
    ):
        move(Status.PAUSED, Action.PLAN)


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == case_flow.page(), "python -m rules.case_flow > docs/case-flow.md"
