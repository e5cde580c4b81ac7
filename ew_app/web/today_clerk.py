"""A clerk's day: files that wait, families to call, attendance that has not come in."""

from __future__ import annotations

from flask import url_for

from ew_app.kernel import today
from ew_app.services.casework import reaching
from ew_app.web import case_lines, freshness, late, late_sources
from ew_app.web.case_lines import Line
from ew_app.web.guard import actor, scope
from ew_app.web.today_parts import CALLS, SHOWN, Day, Part, lent, verb
from models.queries import imports, quality_report, worklists
from models.queries import late_days as asked_for
from rules import access
from rules.access import Area, Permission
from rules.counting import many


def day() -> Day:
    """Whom to call and what has come in. No tier stands here: a call is a call."""
    on, me = today(), actor().person_id or 0
    area = scope(Permission.IMPORT_ATTENDANCE).whole
    missing, lacking = _missing(area)
    files = _files(area)
    todo = worklists.my_tasks(me, on, reaching.openings(actor()), until=on, stand_ins=lent())
    calls = case_lines.task_lines(task for task in todo if task.kind in CALLS)
    others = case_lines.task_lines(task for task in todo if task.kind not in CALLS)
    send = ("Bring in attendance", url_for("imports.show"))
    may_call = access.can(actor().grants, Permission.CALL_ABSENT)
    everybody = ("Everybody who is absent today", url_for("absent.show")) if may_call else None
    sent = bool(missing) and all(line["waits"] for line in missing)
    first = [("Look at the file", line["url"]) for line in files] + [send] * bool((missing and not sent) or not calls)
    return Day(
        answer=_answer(lacking, len(calls), len(files), sent),
        action=[*first, *(("Log a contact", line["url"]) for line in calls)][0],
        parts=(
            Part("Files that wait for you", files[:SHOWN], "No file waits for an answer.", len(files), tiers=False),
            *_expected(area),
            Part(
                "Families you were asked to call",
                calls[:SHOWN],
                "No call that you were asked for is due today.",
                len(calls),
                tiers=False,
                more=everybody,
            ),
            *_came(me),
            *_mistakes(),
            Part("Other tasks", others[:SHOWN], "No other task is due today.", len(others), tiers=False),
            Part(
                "Attendance that has not come in",
                missing[:SHOWN],
                "Everything is in through the last school day.",
                lacking,
                hint="Each goes by itself when the day comes in.",
                tiers=False,
                more=("Every missing day", url_for("late.show")) if missing else send,
            ),
        ),
        fresh=freshness.of_schools(area),
    )


def _missing(area: Area) -> tuple[list[Line], int]:
    """Days that schools were asked for, then late schools that nobody was asked about yet; and how many in all."""
    others = freshness.late_lines(area, besides=asked_for.schools(area))
    return [*late.lines(late.days(area, size=SHOWN)), *others], asked_for.open_count(area) + len(others)


def _came(me: int) -> tuple[Part, ...]:
    """Students who were looked for and have come; no part when there are none."""
    found = case_lines.case_lines(worklists.arrived(me, today()))
    close = ("Close them on your caseload", url_for("caseload.show"))
    return (Part("They have come", found[:SHOWN], "", len(found), tiers=False, more=close),) if found else ()


def _mistakes() -> tuple[Part, ...]:
    """What the night found anew in the records; no part when there is nothing new."""
    new = quality_report.news(scope(Permission.SEE_QUALITY).whole)
    line: Line = {
        "name": f"{many(new, 'new finding')} in the records", "about": "", "reason": "found since the day before",
        "due": None, "late": 0, "tier": None, "url": url_for("quality.show"),
    }  # fmt: skip
    return (Part("Data to mend", [line], "", new, tiers=False),) if new else ()


def _expected(area: Area) -> tuple[Part, ...]:
    """What should have come by itself and has not; no part when all is well."""
    found = late_sources.lines(area)
    return (Part("Expected and not here", found[:SHOWN], "", len(found), tiers=False),) if found else ()


def _files(area: Area) -> list[Line]:
    """Deliveries that were checked and count only once somebody has decided."""
    waiting = [batch for batch in imports.waiting(area, actor().login) if batch.status in ("held", "previewed")]
    names = imports.names_of({batch.received_by for batch in waiting})
    return [
        {
            "name": batch.name, "about": f"from {names.get(batch.received_by, batch.received_by)}",
            "reason": batch.sentence or "Checked, and waits to be applied.", "due": None, "late": 0, "tier": None,
            "url": url_for("batches.one", batch_id=batch.id),
        }
        for batch in waiting
    ]  # fmt: skip


def _answer(late: int, calls: int, files: int, sent: bool) -> str:
    """What keeps the most from being known comes first. sent: what is missing came and waits for somebody."""
    families = f"{many(calls, 'family', 'families')} {verb(calls, 'waits', 'wait')} for a call"
    if files:
        waits = f"{many(files, 'file')} {verb(files, 'waits', 'wait')} for your answer"
        return f"{waits}, and {families}" if calls else waits
    if late and sent:
        waits = "Attendance came and waits to be looked at"
        return f"{waits}, and {families}" if calls else waits
    if late and calls:
        return f"Attendance is missing, and {families}"
    if late:
        return "Attendance of the last school day is missing"
    if calls:
        return f"{families} today"
    return "Attendance is in and no call is due"
