"""S03: Did today's attendance arrive complete? The days that came in, what waits, what came before, and a way in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, settings, today
from ew_app.services.deliveries import releasing, uploads
from ew_app.services.deliveries.uploads import SchoolDay, Upload
from ew_app.web import arrived, asked, guard, late_sources
from ew_app.web.guard import actor, requires, scope
from models.attendance import Batch
from models.org import FEEDS
from models.queries import health, pulls
from models.queries import imports as rows
from models.queries.imports import SchoolStrip
from rules import access
from rules.access import Area, Permission, Place

screen = Blueprint("imports", __name__)

PAGE = 15
SCHOOLS = 25
FEW_SCHOOLS = 4  # for so many the days without a file are offered as ticks
MOST_TICKS = 12
KINDS = (("", "Find out by itself"), ("attendance", "Attendance"), ("roster", "Roster: schools, students, enrolments"))
FEED_WORDS = {
    "exception": "Only who was absent, late or away",
    "full": "One row for every student",
}


@screen.get("/imports")
@requires(Permission.IMPORT_ATTENDANCE, Permission.IMPORT_ROSTER)
def show() -> str:
    return _page()


@screen.post("/imports")
@requires(Permission.IMPORT_ATTENDANCE, Permission.IMPORT_ROSTER)
def send() -> ResponseReturnValue:
    """Step 1: keep what was sent and go on to the step that it needs."""
    try:
        batch_id = uploads.take(_upload(), by=actor(), area=area())
    except SENTENCES as refusal:
        return _page(str(refusal)), 422
    return redirect(url_for("batches.one", batch_id=batch_id))


def area() -> Area:
    """Whose attendance this person may bring in."""
    return scope(Permission.IMPORT_ATTENDANCE).whole


def _page(error: str = "") -> str:
    page = asked.page()
    first = asked.page("schools")
    here, login = area(), actor().login
    strips = rows.strips(here, arrived.first_day(today()), today())
    past = rows.settled(here, login, limit=PAGE, offset=PAGE * (page - 1))
    waiting = rows.waiting(here, login)
    total = rows.settled_count(here, login)
    looking = [source.name for source in pulls.looked_at()] if here else []
    deciding = health.deciding()
    moves = looking or deciding or _moving(waiting)
    return render_template(
        "imports.html",
        answer=arrived.answer(strips, today()),
        freshness=arrived.freshness(strips, today()),
        strips=[arrived.line(strip, today()) for strip in strips[SCHOOLS * (first - 1) : SCHOOLS * first]],
        schools=len(strips),
        schools_page=first,
        schools_pages=-(-len(strips) // SCHOOLS),
        waiting=waiting,
        kept_days=releasing.KEPT_FOR.days,
        past=past,
        names=rows.names_of({batch.received_by for batch in (*past, *waiting)}),
        total=total,
        page=page,
        pages=-(-total // PAGE),
        error=error,
        alarms=late_sources.within(here),
        looking=looking,
        deciding=deciding,
        poll=url_for("imports.show", page=page, schools=first) if not error and moves else None,
        may_keep=access.can(actor().grants, Permission.KEEP_SOURCES, Place.district()),
        **_form(strips),
    )


def _moving(waiting: Sequence[Batch]) -> bool:
    """Whether any of these is being worked on; what asks for an answer or was set aside waits for a person."""
    working = (batch for batch in waiting if batch.status in rows.UNDER_WAY and not uploads.waits_for(batch))
    return any(rows.set_aside(batch.id) is None for batch in working)


def _form(strips: Sequence[SchoolStrip]) -> dict[str, object]:
    """What the upload form offers: sources, feeds, and the days that still wait for a file."""
    sources = rows.sources()
    chosen = request.form.get("source") or _usual_source(strips)
    feeds = {source.name: source.feed for source in sources}
    return {
        "sources": [(source.name, source.name) for source in sources],
        "source": chosen,
        "feed": request.form.get("feed") or feeds.get(chosen, "exception"),
        "feeds": list(FEED_WORDS.items()),
        "kinds": KINDS,
        "kind": request.form.get("kind", ""),
        "may_roster": access.can(actor().grants, Permission.IMPORT_ROSTER, Place.district()),
        "ticks": open_days(strips),
        "ticked": request.form.getlist("nobody"),
        "upload_mb": settings().upload_mb,
        "upload_rows": settings().upload_rows,
    }


def _usual_source(strips: Sequence[SchoolStrip]) -> str:
    """The source of the person's own schools, where they have one."""
    named = {source.id: source.name for source in rows.sources()}
    theirs = [strip.school.source_id for strip in strips if strip.school.source_id]
    return named[max(set(theirs), key=theirs.count)] if theirs else next(iter(named.values()), "default")


def open_days(strips: Sequence[SchoolStrip]) -> list[tuple[str, str]]:
    """(value, words) of school-days without a file, newest first; for few schools only."""
    if len(strips) > FEW_SCHOOLS:
        return []
    found = [
        (day.day, f"{strip.school.id}:{day.day}", f"{day_text(day.day)}, {strip.school.name}")
        for strip in strips
        for day in strip.late
    ]
    return [(value, words) for _, value, words in sorted(found, reverse=True)[:MOST_TICKS]]


def ticked_days() -> list[SchoolDay]:
    """The school-days that were ticked, within reach. Raises Refused."""
    inside = {school.id for school in rows.schools_in(area())}
    try:
        pairs = [value.split(":") for value in request.form.getlist("nobody")[:100]]
        found = [(int(school), date.fromisoformat(day)) for school, day in pairs]
    except ValueError:
        raise Refused("One of the ticks could not be read. Load the page again; nothing was kept.") from None
    if any(school not in inside or day > today() for school, day in found):
        raise Refused("One of the ticks is for a school that is not yours or a day to come. Nothing was kept.")
    return found


def _upload() -> Upload:
    """What the form holds. Raises Refused."""
    form = request.form
    kind, feed = form.get("kind") or None, form.get("feed") or None
    if kind not in (None, "attendance", "roster") or feed not in (None, *FEEDS):
        raise Refused("Choose one of the ways that are offered. Nothing was kept.")
    known = {source.name for source in rows.sources()} | {"default"}
    source = form.get("source") or "default"
    if source not in known:
        raise Refused("Choose one of the systems that are offered. Nothing was kept.")
    return Upload(
        files=_files(),
        once=guard.once(),
        kind=kind,
        feed=feed,
        source=source,
        nobody_absent=ticked_days(),
    )


def _files() -> dict[str, bytes]:
    """Name -> bytes of what was chosen; a folder's path is left out of the name."""
    found: dict[str, bytes] = {}
    for file in request.files.getlist("files"):
        name = PurePosixPath((file.filename or "").replace("\\", "/")).name[:120]
        if not name:
            continue
        if name in found:
            raise Refused(f"Two of the files are named {name}. Rename one of them; nothing was kept.")
        found[name] = file.read()
    return found
