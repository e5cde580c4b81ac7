"""S04: Whom do I call now, and what happened? One list for a day, one press for what came of a call.

Every family is called alike: no tier, no reason for a case and no order by either stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, local, now, today
from ew_app.services.casework import outreach, reaching
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.staffing import place_of
from ew_app.web import asked, guard, outreach_form, ways
from ew_app.web.case_lines import short_school
from ew_app.web.case_words import day_given, grade_words, lower_first
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import PAGE, pages_of
from models.org import School
from models.queries import absent, boards
from models.queries.absent import Away, AwayLine, Last, MissedLine
from rules import access
from rules.access import Area, Permission, Scope
from rules.counting import many
from rules.vocabulary import vocabulary

screen = Blueprint("absent", __name__)

CALL = Permission.CALL_ABSENT
SORTS = {"homeroom": "By homeroom", "name": "By name", "last": "Longest not called"}
ONE_TAP = ("no_answer", "left_voicemail", "reason_told")
SPOKEN_TO = ("coming", "unwell", "appointment", "family", "travel", "transport", "observance", "other", "not_said")
MOST_SCHOOLS = 12  # more than that, and one is chosen first
NAMED = 3
OLDEST = timedelta(days=14)


@dataclass(frozen=True)
class Asked:
    """What the address asks for: a school of those within reach, a day, the order, a page."""

    reach: Scope

    @cached_property
    def schools(self) -> Sequence[School]:
        rooms = Area(schools=frozenset(key for key, _ in self.reach.homerooms))
        return boards.schools_in(self.reach.whole) or boards.schools_in(rooms)

    @cached_property
    def chosen(self) -> list[School]:
        """One school, or all of a few."""
        wanted = request.values.get("school", "")
        named = [one for one in self.schools if one.key == wanted]
        return named or (list(self.schools) if len(self.schools) <= MOST_SCHOOLS else [])

    @cached_property
    def ids(self) -> list[int]:
        return [one.id for one in self.chosen]

    @cached_property
    def day(self) -> date | None:
        """The day asked for, else the last that came in for any of the schools; None where none did."""
        given = outreach_form.day_or_none(request.values.get("day", ""))
        if given is not None and today() - OLDEST <= given <= today():
            return given
        return max(absent.days_in(self.ids, today()).values(), default=None)

    @cached_property
    def sort(self) -> str:
        wanted = request.values.get("sort", "")
        return wanted if wanted in SORTS else "homeroom"

    def url(self, **other: Any) -> str:
        """This list with something else asked for."""
        kept = {name: request.values.get(name) for name in ("school", "day", "sort", "view")}
        return url_for("absent.show", **({name: value for name, value in kept.items() if value} | other))


@screen.get("/absent")
@requires(CALL)
def show() -> str:
    """The families to call about a day, or those of whom it is settled."""
    asks = Asked(scope(CALL))
    if not asks.chosen:
        return render_template("absent_school.html", schools=[(one.name, one.key) for one in asks.schools])
    day, settled, page = asks.day, request.args.get("view") == "settled", asked.page()
    away = Away(asks.reach, actor().person_id, today(), asks.ids, day or today())
    to_call, done = away.counts()
    total = done if settled else to_call
    return render_template(
        "absent.html",
        answer=_answer(day, to_call, done),
        not_in=_not_in(asks, day),
        lines=_lines(away.rows(settled=settled, sort=asks.sort, page=page, size=PAGE), asks),
        settled=settled,
        views=_views(asks, to_call, done, "settled" if settled else "call"),
        sorts=[(words, asks.url(sort=key), key == asks.sort) for key, words in SORTS.items()],
        schools=[(one.key, one.name) for one in asks.schools] if len(asks.schools) > 1 else [],
        school=request.args.get("school", ""),
        reasons=[(key, vocabulary().label("absence_reason", key)) for key in SPOKEN_TO],
        day=day,
        sort=asks.sort,
        total=total,
        page=page,
        pages=pages_of(total),
        page_url=f"{asks.url()}{'&' if '?' in asks.url() else '?'}page=",
        here=asks.url(page=page) if page > 1 else asks.url(),
        may_import=access.can(actor().grants, Permission.IMPORT_ATTENDANCE),
    )


@screen.post("/absent/<int:student_id>")
@requires(CALL)
def called(student_id: int) -> ResponseReturnValue:
    """What came of one call, in one press; the same form again is the same call."""
    reaching.student_at_hand(student_id, actor(), CALL)
    told = request.form.get("told", "")
    outcome = "reason_told" if told else request.form.get("outcome", "")
    back = guard.local_path(request.form.get("back") or url_for("absent.show"))
    if outcome not in ONE_TAP:
        flash("Choose what came of the call. Nothing was saved.", "error")
        return redirect(back)
    try:
        attempt = Attempt(
            method="call", outcome=outcome, told=told, with_whom="caregiver" if told else "",
            about_day=day_given(request.form.get("day")), used=request.form.get("used", ""),
        )  # fmt: skip
        outreach.log_outreach(attempt, student_id=student_id, by=actor(), once=guard.once())
    except SENTENCES as refusal:
        flash(str(refusal), "error")
        return redirect(back)
    flash(f"Saved: {_outcome(outcome, told)}.", "good")
    return redirect(back)


@screen.get("/absent/never-came")
@requires(CALL)
def never_came() -> str:
    """Students who are enrolled and were never seen: since when, how often tried."""
    asks, page = Asked(scope(CALL)), asked.page()
    found, total = absent.never_came(asks.reach, actor().person_id, today(), page=page, size=PAGE)
    return render_template(
        "absent_never.html",
        lines=_missed(found, asks),
        total=total,
        views=_views(asks, None, None, "never"),
        page=page,
        pages=pages_of(total),
        page_url=f"{url_for('absent.never_came')}?page=",
    )


# -- in words ------------------------------------------------------------------------------------------------------


def _answer(day: date | None, to_call: int, done: int) -> str:
    if day is None:
        return "No attendance has come in, so nobody can be called yet"
    about = "today" if day == today() else day_text(day)
    if to_call:
        return f"{many(to_call, 'family', 'families')} to call about {about}"
    return f"Every absence of {about} is explained" if done else f"Nobody was away on {day_text(day)}"


def _not_in(asks: Asked, day: date | None) -> str:
    """Which schools have not sent the day shown, or today: nobody of theirs is on the list."""
    wanted = today() if day != today() and absent.any_teaches(asks.ids, today()) else day
    here = absent.came_in(asks.ids, wanted) if wanted else set()
    late = [short_school(one.name) for one in asks.chosen if one.id not in here]
    if not late or wanted is None:
        return ""
    when = "today" if wanted == today() else day_text(wanted)
    named = ", ".join(late[:NAMED]) + (f" and {len(late) - NAMED} more" if len(late) > NAMED else "")
    shown = f" Below are the absences of {day_text(day)}." if day and day != wanted else ""
    return f"The attendance of {when} has not come in for {named}.{shown}"


def _views(asks: Asked, to_call: int | None, done: int | None, current: str) -> list[tuple[str, str, str, int | None]]:
    school: dict[str, Any] = {"school": request.values["school"]} if request.values.get("school") else {}
    return [
        ("To call", url_for("absent.show", **school), "call", to_call),
        ("Settled", url_for("absent.show", view="settled", **school), "settled", done),
        ("Never came", url_for("absent.never_came"), "never", None),
    ]


def _lines(found: Sequence[AwayLine], asks: Asked) -> list[dict[str, Any]]:
    tries = absent.last_tries([line.student_id for line in found], actor().person_id)
    reach = _people(found, asks)
    return [
        _who(line, len(asks.schools) > 1)
        | {
            "missed": _missed_words(line),
            "last": _last(tries.get(line.student_id)),
            "mend": _mend(tries.get(line.student_id)),
            "explained": line.explained and not line.reached,
            "phones": ways.phones(reach[line.student_id]),
        }
        for line in found
    ]


def _missed(found: Sequence[MissedLine], asks: Asked) -> list[dict[str, Any]]:
    tries = absent.last_tries([line.student_id for line in found], actor().person_id)
    reach = _people(found, asks)
    return [
        _who(line, len(asks.schools) > 1)
        | {
            "since": day_text(line.since),
            "tries": many(line.tries, "try", "tries") if line.tries else "not tried yet",
            "last": _last(tries.get(line.student_id)),
            "mend": _mend(tries.get(line.student_id)),
            "phones": ways.phones(reach[line.student_id]),
        }
        for line in found
    ]


def _people(found: Sequence[AwayLine | MissedLine], asks: Asked) -> dict[int, Any]:
    places = {one.id: place_of(one) for one in asks.schools}
    return ways.people([ways.Whose(line.student_id, places[line.school_id]) for line in found])


def _who(line: AwayLine | MissedLine, several: bool) -> dict[str, Any]:
    room = f"homeroom {line.homeroom}" if line.homeroom else ""
    facts = [grade_words(line.grade), room, short_school(line.school) if several else ""]
    language = line.home_language if line.home_language.lower() not in ("", "english", "en") else ""
    return {
        "id": line.student_id, "name": f"{line.first_name} {line.last_name}".strip(), "key": line.key,
        "about": ", ".join(fact for fact in facts if fact), "language": language, "interpreter": line.interpreter,
    }  # fmt: skip


def _missed_words(line: AwayLine) -> str:
    if line.all_day:
        return "away all day"
    return f"away in {many(line.periods, 'class period')}" if line.periods else "away for part of the day"


def _last(last: Last | None) -> str:
    """`Today 8:40, left a voicemail, Sam Tully`."""
    if last is None:
        return ""
    at = local(last.at)
    day = "today" if at.date() == local(now()).date() or at.date() == today() else day_text(at.date())
    return f"{day}, {at:%H:%M}: {_outcome(last.outcome, last.told)}, {last.author}"


def _mend(last: Last | None) -> str | None:
    """Where one's own last call is put right."""
    mine = last is not None and last.author_id is not None and last.author_id == actor().person_id
    return url_for("outreach_entry.show", entry_id=last.id) if last is not None and mine else None


def _outcome(outcome: str, told: str) -> str:
    if told:
        return f"reached, {lower_first(vocabulary().label('absence_reason', told))}"
    return lower_first(vocabulary().label("outcome", outcome))
