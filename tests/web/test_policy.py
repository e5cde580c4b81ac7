"""S18: the policy read, changed in a form or by a file, looked at by a second person, and put in force."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.kernel import today
from ew_app.services.measuring import policies
from models.base import db
from models.policies import PolicyChange
from tests.web.conftest import Browser, SignInAs, let_in, ready
from tests.web.conftest import close as close_app

FEBRUARY = "2027-02-01"
EIGHT = {"starts": FEBRUARY, "note": "Agreed on in November", "t.bands.tier_2.at_least": "8"}


@pytest.fixture
def editor(sign_in: SignInAs) -> Browser:
    return sign_in("policy_editor")


def words(page: Any) -> str:
    """What stands on a page, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def begun(editor: Browser, **more: str) -> str:
    """A change of a threshold; the address of its page."""
    answer = editor.send("/policy/changes/new", EIGHT | more)
    assert answer.status_code == 302, words(answer)
    return str(answer.location)


def revision(app: Flask, address: str) -> int:
    with app.app_context():
        return db.session.get_one(PolicyChange, int(address.rpartition("/")[2])).revision


def test_everybody_who_may_read_it_reads_it_in_plain_words(sign_in: SignInAs) -> None:
    page = words(sign_in("counselor").get("/policy"))
    assert "Tier 2 when absent 10% or more of this year&#39;s days" in page
    assert "School counselor : first contact within 3 school days, plan within 10 school days" in page
    assert "Never met so far, because nobody sends last year&#39;s days of each student" in page
    assert "It waits for data: no file that is read here yet tells the marks of each course." in page
    assert "Change a threshold" not in page and "Being worked on" not in words(
        sign_in("counselor").get("/policy/versions")
    )
    assert "Call every contact today" in words(sign_in("counselor").get("/policy/people"))


def test_a_threshold_is_changed_in_a_form_and_told_as_a_sentence(editor: Browser) -> None:
    page = words(editor.get(begun(editor)))
    assert "Tier 2 starts at 10% → 8% from 1 Feb 2027" in page and "being written" in page


def test_what_cannot_be_stands_beside_its_field_and_nothing_typed_is_lost(editor: Browser) -> None:
    answer = editor.send("/policy/changes/new", EIGHT | {"t.bands.tier_2.at_least": "150", "t.rules.R03.at_least": "4"})
    assert answer.status_code == 422
    field = answer.text.split('name="t.bands.tier_2.at_least"')[0][-700:]
    assert "Expected a share between 0 and 1, which is 0% to 100%; ten percent is 0.10" in field
    assert 'value="150"' in answer.text and re.search(r'name="t.rules.R03.at_least"[^>]*value="4"', answer.text)
    together = editor.send("/policy/changes/new", EIGHT | {"t.bands.tier_2.at_least": "30"})
    assert "On 2027-02-01 the bands do not rise" in words(together)
    assert "Choose the first day on which it holds" in words(editor.send("/policy/changes/new", {"starts": "soon"}))


def test_two_editors_at_once_overwrite_nothing(app: Flask, editor: Browser) -> None:
    address = begun(editor)
    assert editor.send(f"{address}/edit", EIGHT | {"t.bands.tier_2.at_least": "9", "revision": "1"}).status_code == 302
    answer = editor.send(f"{address}/edit", EIGHT | {"t.bands.tier_2.at_least": "7", "revision": "1"})
    assert answer.status_code == 422 and "saved this change while you wrote" in words(answer)
    assert (
        "Saved meanwhile: 9." in words(answer)
        and 'value="7"' in answer.text
        and 'name="revision" value="2"' in answer.text
    )
    assert editor.send(f"{address}/edit", EIGHT | {"t.bands.tier_2.at_least": "7", "revision": "2"}).status_code == 302
    assert revision(app, address) == 3


def test_a_wrong_file_is_refused_with_its_line_and_a_right_one_comes_back_as_it_was(editor: Browser) -> None:
    def hand_in(text: bytes) -> Any:
        form = {"file": (io.BytesIO(text), "board.yaml"), "starts": FEBRUARY, "note": "By the board"}
        return editor.send("/policy/changes/upload", form, content_type="multipart/form-data")

    wrong = hand_in(b"extends: default\nname: ours\nlabel: Ours\nmoves: sideways\n")
    assert wrong.status_code == 422
    assert "board.yaml, line 4, moves: sideways is not known here; allowed: replay, bands" in words(wrong)
    assert "This file is not text" in words(hand_in(b"\xff\xfe\x00"[:2]))
    assert "Choose a file first" in words(editor.send("/policy/changes/upload", {"starts": FEBRUARY}))
    text = b"# by hand\nextends: default\nname: ours\nlabel: Ours\n"
    page = editor.get(hand_in(text).location)
    file = re.search(r'href="(/policy/versions/\w+/file)"', page.text)
    assert file and editor.get(file[1]).data == text
    assert 'filename="ours-' in editor.get(file[1]).headers["Content-Disposition"]


def test_a_plan_says_what_it_does_and_can_be_taken_back(app: Flask, editor: Browser) -> None:
    address = begun(editor)
    page = words(editor.get(f"{address}/activate"))
    assert (
        "Days from Mon 1 Feb 2027 on are decided by it." in page or "Days from Mon 1 Feb on are decided by it." in page
    )
    assert "It holds until" in page  # the plan of the named world
    done = editor.send(f"{address}/activate", {"starts": FEBRUARY, "revision": "1"})
    assert done.location.startswith("/policy/versions?planned=")
    page = editor.get(done.location)
    assert "Tier 2 starts at 10% → 8% from 1 Feb 2027" in words(page) and "It is planned from 1 Feb 2027 on." in words(
        page
    )
    action = re.findall(r'action="(/policy/planned/\d+/withdraw)"', page.text)[0]
    assert editor.send(action).status_code == 302
    assert "taken back by Person policy_editor" in words(editor.get("/policy/versions"))


def test_a_day_that_is_over_is_looked_at_first_and_needs_its_reason(app: Flask, editor: Browser) -> None:
    with app.app_context():
        day = today() - timedelta(days=5)
    past = str(day)
    address = begun(editor, starts=past)
    assert f"Tier 2 starts at 10% → 8% from {day.day} {day:%b %Y}" in words(editor.get(address))
    first = editor.send(f"{address}/activate", {"starts": past, "revision": "1"})
    assert first.status_code == 422 and "Look first at what would be decided again" in words(first)
    second = editor.send(f"{address}/activate", {"starts": past, "shown": past, "revision": "1"})
    assert second.status_code == 422 and "Say why" in words(second)
    third = {"starts": past, "shown": past, "revision": "1", "reason": "The board named this day"}
    assert editor.send(f"{address}/activate", third).status_code == 302
    assert "Why: The board named this day" in words(editor.get("/policy/versions"))


def test_a_second_person_is_needed_where_the_district_says_so(settings: Settings, world: dict[str, int]) -> None:
    app = ready(replace(settings, policy_approval="two"))
    try:
        editor, lead = let_in(app, "policy_editor"), let_in(app, "network_lead")
        address = begun(editor)
        alone = editor.send(f"{address}/activate", {"starts": FEBRUARY, "revision": "1"})
        assert alone.status_code == 422 and "A second person has to approve a policy here" in words(alone)
        editor.send(f"{address}/send", {"revision": "1"})
        assert "Somebody who did not write it has to look at it now" in words(editor.get(address))
        assert "A change waits for a second person" in words(lead.get("/policy"))
        assert "Write down what should be different" in words(lead.send(f"{address}/return", {"revision": "1"}))
        assert lead.send(f"{address}/approve", {"revision": "1", "note": "Fits our staff"}).status_code == 302
        assert "Fits our staff" in words(editor.get(address))
        assert editor.send(f"{address}/activate", {"starts": FEBRUARY, "revision": "1"}).status_code == 302
        assert "approved by Person network_lead" in words(editor.get("/policy/versions"))
    finally:
        close_app(app)


def test_any_two_versions_are_compared(app: Flask, editor: Browser, world: dict[str, Any]) -> None:
    address = begun(editor)
    with app.app_context():
        change = db.session.get_one(PolicyChange, int(address.rpartition("/")[2]))
        version, held = change.version, policies.timeline().on(today()).version
    page = words(editor.get(f"/policy/compare?one={held}&other={version}"))
    assert "1 thing differs" in page and "Tier 2 starts at 10% → 8% from 1 Feb 2027." in page
    assert "They say the same" in words(editor.get(f"/policy/compare?one={held}&other={held}"))
    assert "Choose two versions" in words(editor.get("/policy/compare?one=x&other=y"))
    assert "It was never put in force" in words(editor.get(f"/policy/versions/{version[:12]}"))


def test_a_change_is_let_go_and_taken_up(editor: Browser) -> None:
    address = begun(editor)
    editor.send(f"{address}/drop")
    assert "This change was let go" in words(editor.get(address))
    editor.send(f"{address}/take-up")
    assert "being written" in words(editor.get(address))
