"""Ways to reach a family: the roster's contacts, numbers noted by hand, and which of them are known not to work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, text

from models.base import db
from models.cases import Task
from models.outreach import NotedContact
from models.people import Contact, Student


@dataclass(frozen=True, slots=True)
class Bad:
    """What was last found of a number or address that does not reach the family."""

    outcome: str
    at: datetime
    author: str


def digits(phone: str) -> str:
    """A number as it is dialled, however it is written, with or without the country's 1 before ten digits."""
    dialled = "".join(letter for letter in phone if letter.isdecimal())
    return dialled[1:] if len(dialled) == 11 and dialled.startswith("1") else dialled


def alike(used: str) -> str:
    """What two ways of writing one number or address have in common."""
    return digits(used) if len(digits(used)) >= 7 else used.strip().lower()


def contacts_of(students: Collection[int]) -> Mapping[int, Sequence[Contact]]:
    """Student -> whom the roster names, whichever id they were sent with; those who may get mail first."""
    child = func.coalesce(Student.same_as, Student.id)
    wanted = (
        select(child, Contact)
        .join(Student, Student.id == Contact.student_id)
        .where(or_(Student.id.in_(students), Student.same_as.in_(students)), child.in_(students))
        .order_by(Contact.may_receive_mail.desc().nulls_last(), Contact.id)
    )
    found: dict[int, list[Contact]] = defaultdict(list)
    for student, contact in db.session.execute(wanted):
        found[student].append(contact)
    return found


def noted_for(students: Collection[int]) -> Mapping[int, Sequence[NotedContact]]:
    """Student -> numbers noted by hand that the roster has not brought yet, newest first."""
    wanted = select(NotedContact).where(
        NotedContact.student_id.in_(students), NotedContact.kind == "number", NotedContact.ended_at.is_(None)
    )
    found: dict[int, list[NotedContact]] = defaultdict(list)
    for one in db.session.scalars(wanted.order_by(NotedContact.id.desc())):
        found[one.student_id].append(one)
    return found


def bad_ways(students: Collection[int], failing: Collection[str]) -> Mapping[int, Mapping[str, Bad]]:
    """Student -> number or address, as `alike` writes it -> what was found of it, where nothing speaks for it since.

    failing: outcomes that speak against the way that was used. Somebody who was reached over it later, or a word
    that it was checked and works, speaks for it.
    """
    tried = db.session.execute(
        text("""
            SELECT student_id, used, outcome, at, author, is_contact FROM outreach
            WHERE student_id = ANY(:students) AND used <> '' AND (is_contact OR outcome = ANY(:failing))
            UNION ALL
            SELECT student_id, phone, '', written_at, author, true FROM noted_contact
            WHERE student_id = ANY(:students) AND kind = 'works' AND ended_at IS NULL
            ORDER BY at
        """),
        {"students": list(students), "failing": list(failing)},
    )
    found: dict[int, dict[str, Bad]] = defaultdict(dict)
    for row in tried:
        if row.is_contact:
            found[row.student_id].pop(alike(row.used), None)
        else:
            found[row.student_id][alike(row.used)] = Bad(row.outcome, row.at, row.author)
    return found


def open_repairs(student_id: int) -> list[int]:
    """The open tasks that ask to repair a student's contact details."""
    asked = select(Task.id).where(Task.student_id == student_id, Task.kind == "contact_repair", Task.status == "open")
    return list(db.session.scalars(asked))
