"""S15 and S16: How is my school moving? Which schools need help? Counts only; no name of a student stands here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app import kernel
from ew_app.services.watching import boards, groups, movement, nudging, parts
from ew_app.services.watching.boards import Board, Line, Weeks
from ew_app.services.watching.parts import Told
from ew_app.web import asked, beginning, freshness, review_words
from ew_app.web.board_places import sees_students, spot
from ew_app.web.guard import actor, requires, scope
from models.org import School
from models.queries import boards as rows
from rules import access
from rules.access import Permission, Place
from rules.counting import many
from rules.grades import grade_order

screen = Blueprint("boards", __name__)

PAGE = 25
MOST_URGENT = 5  # more than that is a list and no longer a place to begin
SEE_SCHOOL, SEE_NETWORK, SEE_DISTRICT = (
    Permission.SEE_SCHOOL_BOARD,
    Permission.SEE_NETWORK_BOARD,
    Permission.SEE_DISTRICT_BOARD,
)


@screen.context_processor
def addresses() -> dict[str, object]:
    """Where the lines of a table lead."""
    return {
        "school_url": lambda line: url_for("boards.school", key=line.key),
        "network_url": _network_url,
        "is_old": beginning.is_old,
        "needs": boards.needs,
    }


def _network_url(line: Line) -> str | None:
    """A network's board, for those who may open it."""
    reaches = access.can(actor().grants, SEE_NETWORK, Place.of_network(line.key))
    return url_for("boards.network", key=line.key) if reaches else None


@screen.get("/schools")
@requires(SEE_SCHOOL)
def schools() -> ResponseReturnValue:
    """Every school whose counts this person may see; with only one, that one."""
    name = request.args.get("q", "").strip()[:100]
    there = rows.schools_in(scope(SEE_SCHOOL).whole, name=name)
    if len(there) == 1 and not name:
        return redirect(url_for("boards.school", key=there[0].key))
    board = _board(there)
    page = min(asked.page(), _pages(board))
    return render_template(
        "schools.html",
        board=board,
        headline=_headline(board, "help"),
        begin=None if board.lines else beginning.step(),
        lines=board.lines[(page - 1) * PAGE : page * PAGE],
        networks={one.key: one.network.name for one in there},
        q=name,
        page=page,
        pages=_pages(board),
    )


def _pages(board: Board) -> int:
    return max(1, -(-len(board.lines) // PAGE))


@screen.get("/networks")
@requires(SEE_NETWORK)
def networks() -> ResponseReturnValue:
    """Every network this person may see whole; with only one, that one."""
    area = scope(SEE_NETWORK).whole
    there = rows.networks_in(area)
    if len(there) == 1:
        return redirect(url_for("boards.network", key=there[0].key))
    inside = rows.schools_in(area)
    whole = _board(inside, Weeks.NETWORKS)
    lines = boards.by_network(whole, inside)
    return render_template(
        "networks.html", board=whole, lines=lines, headline=_headline(whole), begin=None if lines else beginning.step()
    )


@screen.get("/schools/<key>")
@requires(SEE_SCHOOL)
def school(key: str) -> str:
    where = spot("school", key)
    one = where.schools[0]
    board = _board([one], Weeks.SCHOOLS)
    line = board.lines[0]
    moved = movement.between(where.units, board.before, line.day) if line.change and board.before and line.day else None
    return render_template(
        "school.html",
        where=where,
        school=one,
        board=board,
        line=line,
        gap=freshness.gap_of(one) if line.in_need else None,
        answer=boards.answer(line),
        moved=moved,
        grades=by_grade(one, line.day),
        questions=review_words.asked_lines(nudging.about(one, actor()), {f"school:{one.key}": one.name}),
        asks=access.can(actor().grants, Permission.NUDGE, where.place),
        sets_ladder=access.can(actor().grants, Permission.SET_LADDER, where.place),
    )


@screen.get("/networks/<key>")
@requires(SEE_NETWORK)
def network(key: str) -> str:
    where = spot("network", key)
    board = _board(where.schools, Weeks.SCHOOLS)
    return render_template(
        "network.html",
        where=where,
        board=board,
        headline=_headline(board, "your help this week"),
        urgent=[line for line in board.lines if line.in_need],
        most=MOST_URGENT,
    )


@screen.get("/district")
@requires(SEE_DISTRICT)
def district() -> str:
    where = spot("district")
    board = _board(where.schools, Weeks.NETWORKS)
    return render_template(
        "district.html",
        where=where,
        board=board,
        headline=_headline(board),
        begin=None if board.lines else beginning.step(),
        lines=boards.by_network(board, where.schools),
        urgent=[line for line in board.lines if line.in_need],
        most=MOST_URGENT,
    )


def _headline(board: Board, wanted: str = "help this week") -> str:
    """Which schools need help. That none does is said only where something is known."""
    needy, schools = board.total.in_need, len(board.lines)
    if needy:
        return f"{needy} of {many(schools, 'school')} {'needs' if needy == 1 else 'need'} {wanted}"
    if board.latest is None:
        return "No attendance has come in yet"
    return beginning.NOT_THIS_YEAR if beginning.is_old(board.latest) else f"No school needs {wanted}"


def _board(inside: Sequence[School], weeks: Weeks = Weeks.NONE) -> Board:
    return boards.board(inside, kernel.today(), weeks)


def by_grade(school: School, day: date | None) -> Told | None:
    """Today's counts for whoever may open every student there; for others the table that was told for the month."""
    if day is None:
        return None
    if not sees_students(Place.of_school(school.key, school.network.key)):
        return groups.by_grade(school.id, day)
    found = sorted(rows.by_grade(school.id, day), key=lambda one: grade_order(one.grade))
    tiers = [one for one in review_words.TIERS if any(getattr(grade.counts, one[1]) for grade in found)]
    counts = [[int(getattr(one.counts, key)) for _, key in tiers] for one in found]
    grades = [one.grade or "Not given" for one in found]
    return parts.told("Grade", grades, [label for label, _ in tiers], counts, exact=True) if found else None
