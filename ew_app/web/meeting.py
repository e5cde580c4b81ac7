"""S14: Which students do we decide on now? The team's agenda, the walk through the list, decisions, minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, today
from ew_app.services.meetings import agenda, holding
from ew_app.services.meetings.holding import Changed, Decided, There
from ew_app.web import asked, freshness, meeting_words
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires, scope
from ew_app.web.meeting_words import View
from models.meetings import Meeting
from models.queries import boards
from models.queries import case_page as people
from models.queries import meetings as rows
from rules import roles
from rules.access import Area, Permission
from rules.counting import are, many
from rules.meetings import AT_ONCE, PARTS

screen = Blueprint("meeting", __name__)

RUN = Permission.RUN_MEETING
Act = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Sitting:
    """A meeting with its school, and the students on its agenda that this reader may see."""

    meeting: Meeting
    school: Any
    items: Sequence[Any]
    students: int
    decided: int

    @property
    def hidden(self) -> int:
        """Students on the agenda whose cases this reader does not reach."""
        return self.students - len(self.items)


def _sitting(meeting_id: int) -> Sitting:
    meeting = holding.meeting_at_hand(meeting_id, actor())
    school = next(one for one in boards.schools_in(Area(district=True)) if one.id == meeting.school_id)
    items = rows.items(meeting.id, scope(Permission.SEE_CASE), actor().person_id, today())
    return Sitting(meeting, school, items, *rows.how_many(meeting.id))


@screen.get("/meeting")
@requires(RUN)
def choose() -> ResponseReturnValue:
    """Which school's team? With one school, its page."""
    reach = scope(RUN)
    inside = {one.key: one.name for area in (reach.whole, reach.caseload) if area for one in boards.schools_in(area)}
    if len(inside) == 1:
        return redirect(url_for("meeting.prepare", key=next(iter(inside))))
    return render_template("meeting_choose.html", schools=sorted(inside.items(), key=lambda one: one[1]))


@screen.get("/meeting/schools/<key>")
@requires(RUN)
def prepare(key: str) -> str:
    """What the agenda would be now, and the meetings before."""
    school = holding.school_at_hand(key, actor())
    made, held = agenda.of_today(school), rows.held(school.id)
    running = next((one for one in held if one.day == today()), None)
    seen = rows.names_of_cases([one.case_id for one in made.entries], *_reach())
    return render_template(
        "meeting_prepare.html",
        school=school,
        running=running,
        held=[(one, day_text(one.day)) for one in held],
        parts=PARTS,
        answer=_answer(len(made.entries), running),
        fresh=freshness.of_schools(Area(schools=frozenset({school.key}))),
        lines=[meeting_words.ahead(one, *seen[one.case_id]) for one in made.entries if one.case_id in seen],
        hidden=len(made.entries) - len(seen),
        at_once=AT_ONCE,
        told=meeting_words.school_told(made.numbers),
    )


def _reach() -> tuple[Any, int | None, Any]:
    return scope(Permission.SEE_CASE), actor().person_id, today()


def _answer(students: int, running: Meeting | None) -> str:
    if running and running.ended_at:
        return "Today's meeting is over"
    if running:
        return "Today's meeting has begun"
    return (
        f"{many(students, 'student')} {are(students)} ready for the team"
        if students
        else "No student waits for the team"
    )


@screen.post("/meeting/schools/<key>/begin")
@requires(RUN)
def begin(key: str) -> ResponseReturnValue:
    return redirect(url_for("meeting.show", meeting_id=holding.begin(key, by=actor())))


@screen.get("/meeting/<int:meeting_id>")
@requires(RUN)
def show(meeting_id: int) -> str:
    return _page(meeting_id)


def _page(meeting_id: int, errors: Mapping[str, str] | None = None, theirs: str = "") -> str:
    """Agenda and minutes: the same page before, during and after, and on paper."""
    sitting, view = _sitting(meeting_id), View.asked()
    numbers = sitting.meeting.numbers
    tasks = rows.tasks([item.task_id for item, *_ in sitting.items if item.task_id])
    agreed = rows.actions(sitting.meeting.school_id, sitting.meeting.day, sitting.meeting.day)
    cases = {case_id for _, case_id, _ in agreed} | set(numbers.get("improved", ()))
    given = [*tasks.values(), *(task for task, *_ in agreed)]
    owners = people.names({task.owner_id for task in given if task.owner_id}, today())
    named, members = rows.names_of_cases(cases, *_reach()), rows.members(meeting_id)
    return render_template(
        "meeting.html",
        meeting=sitting.meeting, school=sitting.school, view=view, day=day_text(sitting.meeting.day),
        answer=meeting_words.answer(sitting.meeting, sitting.students, sitting.decided),
        told=meeting_words.school_told(numbers), parts=PARTS, at_once=AT_ONCE, hidden=sitting.hidden,
        lines=[
            meeting_words.line(item, pupil, tasks.get(item.task_id or 0), owners, view)
            for item, _, pupil in sitting.items
        ],
        agreed=[meeting_words.agreed(task, named[case][1], owners, view) for task, case, _ in agreed if case in named],
        better=[view.name(named[case_id][1]) for case_id in numbers.get("improved", ()) if case_id in named],
        others=[
            (number, meeting_words.choice(pupil, tier))
            for number, tier, pupil in (rows.others(sitting.meeting, *_reach()) if _takes_more(sitting, view) else ())
        ],
        members=members, team=[(one.person_id, one.name) for one in members],
        present=[one.person_id for one in members if one.present], errors=errors or {}, values=request.form,
        theirs=theirs,
    )  # fmt: skip


def _takes_more(sitting: Sitting, view: View) -> bool:
    """Whether the page has forms: on a wall and once it is over there are none."""
    return sitting.meeting.ended_at is None and not view.room


@screen.get("/meeting/<int:meeting_id>/students/<int:position>")
@requires(RUN)
def student(meeting_id: int, position: int) -> str:
    return _student(meeting_id, position)


def _student(meeting_id: int, position: int, errors: Mapping[str, str] | None = None, theirs: str = "") -> str:
    """One student: how they stand, what was tried, and what is decided."""
    sitting, view = _sitting(meeting_id), View.asked()
    places = [item.position for item, *_ in sitting.items]
    item, case, pupil = found(next((one for one in sitting.items if one[0].position == position), None))
    at = places.index(position)
    task = rows.tasks([item.task_id]).get(item.task_id) if item.task_id else None
    said = holding.words_of(item, task)
    if view.room:
        said = meeting_words.for_the_wall(item, task, people.names([task.owner_id] if task and task.owner_id else []))
        theirs = said if theirs else ""
    return render_template(
        "meeting_student.html",
        meeting=sitting.meeting, school=sitting.school, view=view, item=item, errors=errors or {}, theirs=theirs,
        card=meeting_words.card(item, case, pupil, view), number=at + 1, of=len(places),
        before=places[at - 1] if at else None, after=places[at + 1] if at + 1 < len(places) else None,
        people=[
            (number, f"{name}, {lower_first(roles.role(held).label)}")
            for number, name, held in holding.may_act(sitting.meeting)
        ],
        values=request.form or meeting_words.form_of(item, task), said=said,
        on_the_wall=view.room and item.decision is not None and not errors,
    )  # fmt: skip


@screen.post("/meeting/<int:meeting_id>/students/<int:position>")
@requires(RUN)
def decide(meeting_id: int, position: int) -> ResponseReturnValue:
    """Keep what was decided and go on to the next student."""
    sitting, form = _sitting(meeting_id), request.form
    item = found(next((item for item, *_ in sitting.items if item.position == position), None))
    note = item.note if View.asked().room else form.get("note", "")  # a wall has no field for it
    try:
        decided = Decided(
            decision=form.get("decision", ""), action=form.get("action", ""), note=note,
            owner_id=form.get("owner_id", type=asked.number), due=day_given(form.get("due", "")),
        )  # fmt: skip
        holding.decide(item.id, decided, version=form.get("version", 0, type=int), by=actor())
    except Changed as changed:
        return _student(meeting_id, position, {"": str(changed)}, changed.theirs), 409
    except SENTENCES as refusal:
        return _student(meeting_id, position, {"": str(refusal)}), 422
    later = [one.position for one, *_ in sitting.items if one.position > position]
    if later:
        return redirect(_address("meeting.student", meeting_id, position=later[0]))
    return redirect(_address("meeting.show", meeting_id))


def _address(endpoint: str, meeting_id: int, **more: Any) -> str:
    """A page of the meeting, looked at in the same way."""
    return url_for(endpoint, meeting_id=meeting_id, **more, **dict[str, Any](View.asked().query))


def _done(meeting_id: int, act: Act) -> ResponseReturnValue:
    try:
        sentence = act()
    except Changed as changed:
        return _page(meeting_id, {"minutes": str(changed)}, changed.theirs), 409
    except SENTENCES as refusal:
        return _page(meeting_id, {"": str(refusal)}), 422
    flash(sentence, "good")
    return redirect(_address("meeting.show", meeting_id))


@screen.post("/meeting/<int:meeting_id>/there")
@requires(RUN)
def there(meeting_id: int) -> ResponseReturnValue:
    def act() -> str:
        form = request.form
        there = There(frozenset(form.getlist("present", type=asked.number)), form.get("guests", ""))
        seen = There(frozenset(form.getlist("seen", type=asked.number)), form.get("seen_guests", ""))
        holding.note_who_is_there(meeting_id, there, seen=seen, by=actor())
        return "Who is there is written down."

    return _done(meeting_id, act)


@screen.post("/meeting/<int:meeting_id>/minutes")
@requires(RUN)
def minutes(meeting_id: int) -> ResponseReturnValue:
    def act() -> str:
        version = request.form.get("version", 0, type=int)
        holding.write_minutes(meeting_id, request.form.get("minutes", ""), version=version, by=actor())
        return "The minutes are saved."

    return _done(meeting_id, act)


@screen.post("/meeting/<int:meeting_id>/add")
@requires(RUN)
def add(meeting_id: int) -> ResponseReturnValue:
    def act() -> str:
        holding.add_student(meeting_id, request.form.get("case", 0, type=asked.number), by=actor())
        return "The student is on the agenda."

    return _done(meeting_id, act)


@screen.post("/meeting/<int:meeting_id>/end")
@requires(RUN)
def end(meeting_id: int) -> ResponseReturnValue:
    def act() -> str:
        holding.end(meeting_id, by=actor())
        return "The meeting is over. Its minutes stay as they are."

    return _done(meeting_id, act)
