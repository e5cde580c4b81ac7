"""S08, contacts: brothers and sisters within reach, and what a caller should know of the family."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.services.casework import families
from ew_app.web import outreach_form
from ew_app.web.case_page import Page
from ew_app.web.case_words import grade_words
from ew_app.web.guard import actor
from models.people import Student
from rules import access
from rules.access import Permission


def family(page: Page) -> dict[str, Any] | None:
    """Children who share a contact, as far as this reader reaches them; nothing where nothing is to be said."""
    found = families.of_student(page.at_hand.case.student_id, by=actor())
    cautions = outreach_form.cautions(found)
    if not found.siblings and not cautions:
        return None
    opens = access.can(actor().grants, Permission.SEE_STUDENT)
    return {"siblings": [_child(one, opens) for one in found.siblings], "cautions": cautions}


def _child(student: Student, opens: bool) -> dict[str, Any]:
    url = url_for("student.show", key=student.key) if opens else None
    return {"name": student.name, "grade": grade_words(student.grade), "url": url}
