"""Whom to reach and by which number, for many students at once, as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ew_app.kernel import day_text, local
from ew_app.services.casework import repairing
from ew_app.web.case_words import lower_first
from ew_app.web.guard import actor
from models.outreach import NotedContact
from models.people import Contact
from models.queries import ways as rows
from models.queries.ways import Bad
from rules import access
from rules.access import FieldClass, Place
from rules.vocabulary import vocabulary

FIELDS = ("name", "relation", "phone", "email", "address", "language")


@dataclass(frozen=True, slots=True)
class Whose:
    """A student whose contacts are shown: where they are, and whether a case or task of theirs is the reader's own."""

    student_id: int
    place: Place
    own: bool = False


def people(students: Sequence[Whose]) -> dict[int, list[dict[str, Any]] | None]:
    """Student -> contacts in the fields this reader may see; None where the reader may see none."""
    ids = [one.student_id for one in students]
    contacts, noted = rows.contacts_of(ids), rows.noted_for(ids)
    bad = rows.bad_ways(ids, repairing.failing())
    return {one.student_id: _shown(one, contacts, noted, bad.get(one.student_id, {})) for one in students}


def phones(found: Sequence[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Those that can be called, numbers that are known not to work last."""
    return sorted((one for one in found or () if one["phone"]), key=lambda one: bool(one["bad"]))


def _shown(
    whose: Whose,
    contacts: Mapping[int, Sequence[Contact]],
    noted: Mapping[int, Sequence[NotedContact]],
    bad: Mapping[str, Bad],
) -> list[dict[str, Any]] | None:
    shown = access.fields_shown(actor().grants, FieldClass.CONTACTS, whose.place, own=whose.own)
    if shown is not None and not shown:
        return None
    fields = [name for name in FIELDS if shown is None or name in shown]
    lines = [_of_roster(one, fields, bad) for one in contacts.get(whose.student_id, ())]
    return lines + [_by_hand(one, fields, bad) for one in noted.get(whose.student_id, ())]


def _of_roster(contact: Contact, fields: Sequence[str], bad: Mapping[str, Bad]) -> dict[str, Any]:
    said = [
        f"Speaks {contact.language}." if contact.language and "language" in fields else "",
        "Gets no mail from school." if contact.may_receive_mail is False else "",
        "May not pick up the student." if contact.may_pick_up is False else "",
    ]
    return _line({name: getattr(contact, name) for name in fields}, said, bad) | {"noted": None}


def _by_hand(one: NotedContact, fields: Sequence[str], bad: Mapping[str, Bad]) -> dict[str, Any]:
    said = [f"Noted by {one.author}, {day_text(local(one.written_at).date())}; not in the student system yet."]
    given = {"name": one.name, "phone": one.phone}
    return _line({name: given.get(name, "") for name in fields}, said, bad) | {"noted": one.id}


def _line(values: Mapping[str, str], said: Sequence[str], bad: Mapping[str, Bad]) -> dict[str, Any]:
    """One person to reach; `bad` says what is wrong with the number, `troubles` with anything else."""
    phone = values.get("phone", "")
    troubles = [_trouble(values.get(way, ""), bad) for way in ("email", "address")]
    words = [*said, *troubles]
    return {
        **dict.fromkeys(FIELDS, ""), **values, "bad": _trouble(phone, bad),
        "words": " ".join(part for part in words if part),
    }  # fmt: skip


def _trouble(used: str, bad: Mapping[str, Bad]) -> str:
    """`Number does not work: Tue 17 Nov, Sam Tully`; nothing for a way of which nothing bad is known."""
    found = bad.get(rows.alike(used)) if used else None
    if found is None:
        return ""
    what = lower_first(vocabulary().label("outcome", found.outcome))
    return f"{what[:1].upper()}{what[1:]}: {day_text(local(found.at).date())}, {found.author}."
