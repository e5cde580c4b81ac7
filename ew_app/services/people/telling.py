"""Telling members of staff that something happened: a row for each, in the transaction of what happened.

    tell("case_given", [owner_id], case_id=case.id, once=f"case/{case.id}/given/{case.version}", by=by)

What can be told, and how it is worded, stands in rules/policies/notices.yaml: to tell something new, add a line there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, now
from ew_app.outbox import Job, enqueue
from models.base import db
from models.notices import Mail, Notice
from rules.notices import About, notices


def tell(
    kind: str,
    to: Collection[int | None],
    *,
    once: str,
    by: Actor | None = None,
    case_id: int | None = None,
    task_id: int | None = None,
    school_id: int | None = None,
    visit_id: int | None = None,
    hand_over_id: int | None = None,
    opening_id: int | None = None,
    **numbers: int | str,
) -> int:
    """Tell these people (ids; None and whoever did it, `by`, are passed over); returns how many were told.

    kind: a key of notices.yaml; it says which one of the ids it is about. once: names the occasion, of which nobody is
    told twice ("task/57/given"). numbers: what the sentence counts, such as days=3 or clock="16:10"; never words about
    a student. Call it inside the operation that did it. A notice is shown only while its reader may see what it is
    about, so there is no harm in telling somebody who reaches less.
    KeyError for an unknown kind, ValueError for a wrong `about`.
    """
    told = notices().kind(kind)
    about = {
        About.CASE: case_id, About.TASK: task_id, About.SCHOOL: school_id, About.VISIT: visit_id,
        About.HAND_OVER: hand_over_id, About.OPENING: opening_id,
    }  # fmt: skip
    if [key for key, value in about.items() if value is not None] != [told.about] * (told.about is not About.PERSON):
        raise ValueError(f"A notice {kind!r} is about one {told.about}: name that one and no other.")
    people = sorted({person for person in to if person is not None} - ({by.person_id} if by else set()))
    if not people:
        return 0
    row = {
        "kind": kind, "once": once, "case_id": case_id, "task_id": task_id, "school_id": school_id,
        "visit_id": visit_id, "hand_over_id": hand_over_id, "opening_id": opening_id, "numbers": numbers, "at": now(),
    }  # fmt: skip
    made = insert(Notice).values([row | {"person_id": person} for person in people])
    new = db.session.execute(made.on_conflict_do_nothing().returning(Notice.id, Notice.person_id)).all()
    if told.urgent:
        for notice_id, person_id in new:
            _mail_at_once(notice_id, person_id)
    return len(new)


def tell_more(
    kind: str, counts: Mapping[int, int], *, once: str, school_id: int | None = None, **numbers: int | str
) -> None:
    """Tell people of something that is counted: person -> how many more. Told again, the count grows and is new again.

    The sentence of the kind says {count}; `once` is as in `tell` and holds the day or whatever the count is of.
    """
    told = notices().kind(kind)
    if (school_id is not None) != (told.about is About.SCHOOL) or told.about not in (About.SCHOOL, About.PERSON):
        raise ValueError(f"A notice {kind!r} is about one {told.about}: name that one and no other.")
    if not counts:
        return
    row = {"kind": kind, "once": once, "school_id": school_id, "at": now()}
    made = insert(Notice).values(
        [row | {"person_id": person, "numbers": numbers | {"count": counts[person]}} for person in sorted(counts)]
    )
    together = Notice.numbers["count"].as_integer() + made.excluded.numbers["count"].as_integer()
    grown = made.excluded.numbers.concat(func.jsonb_build_object("count", together))
    again = {"numbers": grown, "at": made.excluded.at, "read_at": None, "mailed_at": None}
    db.session.execute(made.on_conflict_do_update(index_elements=[Notice.person_id, Notice.once], set_=again))


def untell(once: str) -> None:
    """Take back what was told on an occasion, where nobody has read it yet: it was undone."""
    unread = Notice.read_at.is_(None), Notice.mailed_at.is_(None)
    db.session.execute(delete(Notice).where(Notice.once == once, *unread))


def _mail_at_once(notice_id: int, person_id: int) -> None:
    row = {"key": f"notice/{notice_id}", "person_id": person_id, "notice_id": notice_id, "created_at": now()}
    enqueue(Job.SEND_MAIL, db.session.scalar(insert(Mail).values(row).returning(Mail.id)))
