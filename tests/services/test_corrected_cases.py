"""Marks are corrected, rules come and go: work that rested on them is taken back, and what people began stays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ew_app.kernel import OPERATOR, Refused, told_as_of
from ew_app.services.casework import cases, closing, letters, tasks
from ew_app.services.casework import moves as casework
from models.queries import letters as letter_rows
from models.queries import worklists
from rules import access
from rules.access import Permission
from tests.services.one_case import NEXT, TASKS, comes, follow, not_seen_since, the_case
from tests.services.world import TODAY, rows

# -- corrections ---------------------------------------------------------------------------------------------


def test_a_corrected_mark_makes_no_second_task(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07", date(2026, 11, 9))
    follow(world)
    tasks = rows("SELECT id, kind, due, status FROM task ORDER BY id")
    world.corrects(finding, again_since=date(2026, 11, 10))
    follow(world)
    assert rows("SELECT id, kind, due, status FROM task ORDER BY id") == tasks
    assert rows("SELECT day, sentence, withdrawn_at FROM case_reason") == [
        (date(2026, 11, 10), "R07 since 2026-11-10.", None)
    ]


def test_a_case_that_rested_on_corrected_marks_stays_with_its_people(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    world.stands("ana", 0)
    world.corrects(finding)
    follow(world)
    assert the_case("status", "next_step") == ("new", cases.LOOK_AGAIN)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NOT NULL") == [(1,)]
    assert set(rows("SELECT status FROM task")) == {("withdrawn",)}
    kinds = [kind for (kind,) in rows("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]
    assert kinds[0] == "case_opened"
    assert kinds[-3:] == ["reason_withdrawn", "rested_on_corrected_marks", "tier_lowered"]


def test_a_reason_that_was_over_before_it_was_added_never_spoke_for_the_case(world):
    """As after an undo: the wrong marks made R07 stand today, the right ones had ended it in October."""
    world.stands("ana", 2)
    wrong = world.finds("ana", "R07", date(2026, 9, 21))
    follow(world)
    world.stands("ana", 0)
    world.corrects(wrong, again_since=date(2026, 10, 1), until=date(2026, 10, 20))
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(0,)]


def test_a_rule_that_is_met_while_the_tier_rests_holds_no_case_by_itself(world):
    world.stands("ana", 2)
    wrong = world.finds("ana", "R16", date(2026, 9, 21))
    follow(world)
    world.stands("ana", 0)
    world.corrects(wrong, again_since=date(2026, 11, 13))
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(0,)]


def test_a_reason_that_ended_since_still_spoke_for_the_case(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07", date(2026, 9, 21))
    follow(world)
    comes(finding)
    follow(world)
    assert rows("SELECT count(*) FROM case_reason WHERE withdrawn_at IS NULL") == [(1,)]


def test_cases_that_nothing_holds_and_nobody_worked_on_close_with_one_press(world):
    for name in ("ana", "ben"):
        world.stands(name, 2)
        finding = world.finds(name, "R07")
        follow(world, name)
        world.stands(name, 0)
        world.corrects(finding)
        follow(world, name)
    first, second = (number for (number,) in rows("SELECT number FROM support_case ORDER BY 1"))
    casework.assign(second, by=world.actor("paul"))
    paul = world.actor("paul")
    reach = access.scope_of(world.actor("cora").grants, Permission.WORK_CASE)
    listed = worklists.held_by_nothing(reach, world.people["cora"], TODAY)
    assert listed == [first]
    with pytest.raises(Refused, match="somebody works on it"):
        closing.close_held_by_nothing([first, second], by=paul)
    assert closing.close_held_by_nothing([first], by=paul) == 1
    assert rows("SELECT close_reason FROM support_case WHERE closed_on IS NOT NULL") == [("corrected",)]


def test_another_policy_is_never_told_as_a_correction(world):
    world.stands("ana", 2)
    former = world.finds("ana", "R16", policy="the policy before")
    follow(world)
    world.stands("ana", 0)
    world.corrects(former)
    follow(world)
    kinds = [kind for (kind,) in rows("SELECT kind FROM event WHERE case_id IS NOT NULL ORDER BY id")]
    assert kinds[-3:] == ["reason_outdated", "rested_on_former_policy", "tier_lowered"]
    assert the_case("next_step") == (cases.READ_AGAIN,)
    assert set(rows("SELECT data ->> 'why' FROM event WHERE kind = 'task_withdrawn'")) == {(cases.OUTDATED,)}
    assert not rows("SELECT FROM event WHERE kind LIKE '%correct%'")


def test_nobody_is_told_of_an_arrival_that_is_not_known(world):
    finding = not_seen_since(world, date(2026, 11, 10))
    world.stands("ana", 0, absent=4_000, enrolled=4_000)
    follow(world)
    comes(finding)  # a day is unknown, so the rule is met no longer
    follow(world)
    assert rows(TASKS) == [("locate", "attendance_clerk", "open", True)]
    assert not rows("SELECT FROM event WHERE kind = 'arrived'")


def evening_of(day):
    """What is done inside is done at six in the evening of that day."""
    return told_as_of(datetime(day.year, day.month, day.day, 18, tzinfo=ZoneInfo("America/Chicago")))


ASKED = "SELECT id, kind, status FROM task ORDER BY id"


@pytest.mark.parametrize("done", [False, True])
def test_five_back_to_three_and_five_again_asks_nobody_twice(world, done):
    """R16 from five days without an excuse on, say: a note takes two away, and two other days come to it."""
    world.stands("ana", 2)
    five = world.finds("ana", "R16", date(2026, 11, 10))
    follow(world)
    if done:
        for number, *_ in rows(ASKED):
            tasks.finish(number, by=world.actor("paul"))
    asked = rows(ASKED)
    world.corrects(five)
    follow(world)
    assert rows(ASKED) == (asked if done else [(number, kind, "withdrawn") for number, kind, _ in asked])
    world.finds("ana", "R16", date(2026, 11, 13))
    follow(world)
    assert rows(ASKED) == asked
    assert rows("SELECT count(*) FROM support_case WHERE closed_on IS NULL") == [(1,)]


def test_a_task_that_was_withdrawn_says_why(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    world.corrects(finding)
    follow(world)
    assert set(rows("SELECT status, note, done_by FROM task")) == {("withdrawn", cases.CORRECTED, None)}


def test_a_correction_of_an_earlier_time_leaves_the_task_of_the_present_one(world):
    """The second time becomes the first when the first is taken back; what is met now is still asked for."""
    world.stands("ana", 2, data_through=date(2026, 9, 21))
    first = world.finds("ana", "R16", date(2026, 9, 21))
    follow(world)
    comes(first, date(2026, 10, 5))
    ((task, *_),) = rows(ASKED)
    tasks.finish(task, by=world.actor("paul"))
    world.stands("ana", 2)
    world.finds("ana", "R16", NEXT)
    follow(world)
    asked = rows(ASKED)
    assert [status for *_, status in asked] == ["done", "open"]
    world.corrects(first)
    follow(world)
    assert rows(ASKED) == asked


@pytest.mark.parametrize("rule", ["R02", "R12", "R21"])
def test_a_correction_of_an_earlier_time_answers_no_later_one(world, rule):
    """Two times were asked about and answered; the first was a mistake of the file. The third is asked for like any."""
    found = []
    for number, day in enumerate([date(2026, 9, 14), date(2026, 10, 12), date(2026, 11, 9)]):
        with evening_of(day):
            world.stands("ana", 0, data_through=day)
            found.append(world.finds("ana", rule, day))
            follow(world)
            assert [status for *_, status in rows(ASKED)] == ["done"] * number + ["open"]
            if number < 2:
                tasks.finish(rows(ASKED)[-1][0], by=OPERATOR)
                comes(found[-1], day + timedelta(days=3))
            if number == 1:
                world.corrects(found[0])
                follow(world)
                assert [status for *_, status in rows(ASKED)] == ["done", "done"]


def test_a_note_for_the_day_before_does_not_answer_the_next_day_without_a_reason(world):
    with evening_of(date(2026, 11, 9)):
        world.stands("ana", 0, data_through=date(2026, 11, 9))
        monday = world.finds("ana", "R01", date(2026, 11, 9))
        follow(world)
        tasks.finish(rows(ASKED)[0][0], by=OPERATOR)
        world.corrects(monday)
    with evening_of(date(2026, 11, 12)):
        world.stands("ana", 0, data_through=date(2026, 11, 12))
        world.finds("ana", "R01", date(2026, 11, 12))
        follow(world)
        assert [status for *_, status in rows(ASKED)] == ["done", "open"]


def test_a_task_whose_rule_was_over_before_it_was_asked_is_taken_back(world):
    """As after a correction: the right marks had ended R16 in October, so nobody would have been asked in November."""
    world.stands("ana", 2)
    wrong = world.finds("ana", "R16", date(2026, 9, 21))
    follow(world)
    world.corrects(wrong, again_since=date(2026, 9, 21), until=date(2026, 10, 20))
    follow(world)
    assert [status for *_, status in rows(ASKED)] == ["withdrawn"]


def test_a_mark_corrected_back_takes_the_same_work_up_again(world):
    world.stands("ana", 2)
    finding = world.finds("ana", "R07")
    follow(world)
    before = rows("SELECT id, kind, status FROM task ORDER BY id")
    world.corrects(finding)
    follow(world)
    world.finds("ana", "R07")
    follow(world)
    assert rows("SELECT id, kind, status FROM task ORDER BY id") == before
    assert rows("SELECT withdrawn_at FROM case_reason") == [(None,)]


# -- letters -------------------------------------------------------------------------------------------------

LETTERS = "SELECT id, template, rule, status, note, corrected_at IS NOT NULL, settled_as FROM letter ORDER BY id"


def drafted(world, since=date(2026, 11, 10)):
    """Ana has a case with a draft of a letter; returns the finding, the case's number and the letter's."""
    world.stands("ana", 2, absent=9_000, enrolled=60_000)
    finding = world.finds("ana", "R16", since)
    follow(world)
    ((letter, *_),) = rows(LETTERS)
    return finding, *the_case("number"), letter


def test_a_draft_is_taken_back_with_its_marks_and_with_them_it_comes_back(world):
    finding, case, letter = drafted(world)
    assert rows(LETTERS) == [(letter, "invitation", "R16", "draft", "", False, None)]
    world.corrects(finding)
    follow(world)
    assert rows(LETTERS) == [(letter, "invitation", "R16", "withdrawn", cases.CORRECTED, False, None)]
    with pytest.raises(Refused, match="do not send it"):
        letters.sent(case, letter, by=world.actor("wanda"))
    world.finds("ana", "R16", date(2026, 11, 13))
    follow(world)
    assert rows(LETTERS) == [(letter, "invitation", "R16", "draft", "", False, None)]


def test_a_letter_that_was_sent_is_listed_for_whoever_sent_it_until_the_family_is_told(world):
    finding, case, letter = drafted(world)
    wanda = world.actor("wanda")
    read = letters.read(case, letter, by=wanda)
    assert "Ana has missed 9 of 60 school days" in read.text and len(read.text.split()) <= 150
    letters.sent(case, letter, by=wanda)
    with pytest.raises(Refused, match="Nothing behind this letter"):
        letters.settle(case, letter, by=wanda, told=True)
    world.corrects(finding)
    world.stands("ana", 0, absent=2_000)
    follow(world)
    follow(world)
    assert rows(LETTERS) == [(letter, "invitation", "R16", "sent", "", True, None)]
    assert [row.Letter.id for row in to_tell(world, "wanda")] == [letter]
    assert to_tell(world, "paul") == [], "whoever sent it is asked"
    assert "9 of 60" in letters.read(case, letter, by=wanda).text, "what was sent stays as it was sent"
    letters.settle(case, letter, by=wanda, told=True)
    follow(world)
    assert (to_tell(world, "wanda"), rows(LETTERS)[0][-1]) == ([], "told")
    said = [kind for (kind,) in rows("SELECT kind FROM event WHERE kind LIKE 'letter%' ORDER BY id")]
    assert said == ["letter_drafted", "letter_sent", "letter_was_wrong", "letter_told_again"]


def test_a_sent_letter_that_stands_after_all_waits_for_nobody(world):
    finding, case, letter = drafted(world)
    letters.sent(case, letter, by=world.actor("wanda"))
    for _ in range(2):
        world.corrects(finding)
        follow(world)
        assert len(to_tell(world, "wanda")) == 1
        finding = world.finds("ana", "R16", date(2026, 11, 10))
        follow(world)
        assert to_tell(world, "wanda") == []
    assert len(rows(LETTERS)) == 1, "and is drafted no second time"


def test_another_policy_is_no_mistake_in_a_letter(world):
    world.stands("ana", 2)
    former = world.finds("ana", "R16", policy="the policy before")
    follow(world)
    ((letter, *_),) = rows(LETTERS)
    letters.sent(*the_case("number"), letter, by=world.actor("wanda"))
    world.corrects(former)
    follow(world)
    assert to_tell(world, "wanda") == []


def test_closing_a_case_takes_its_drafts_back(world):
    _, case, letter = drafted(world)
    closing.close(case, by=world.actor("paul"), reason="other_team", useful={"R16": "yes"})
    assert rows(LETTERS) == [(letter, "invitation", "R16", "withdrawn", "The case was closed.", False, None)]


def to_tell(world, login):
    reach = access.scope_of(world.actor(login).grants, Permission.SEE_CASE)
    return letter_rows.to_tell_again(login, reach, world.people[login], TODAY)
