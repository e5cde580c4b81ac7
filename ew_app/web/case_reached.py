"""S08, contacts: whom to reach about a student, and every contact that was made."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.services.casework import repairing
from ew_app.web import ways
from ew_app.web.case_page import Page
from ew_app.web.case_words import entry_of_contact, language_words, lower_first
from ew_app.web.guard import actor
from rules import access


def people(page: Page) -> dict[str, Any] | None:
    """The family's contacts as far as this reader may see them; None for somebody who may see none."""
    at_hand = page.at_hand
    student = at_hand.case.student_id
    found = ways.people([ways.Whose(student, at_hand.place, at_hand.own)])[student]
    if found is None:
        return None
    language = language_words(at_hand.case.student)
    hint = f"The family {lower_first(language)}." if language.startswith("speaks") else language
    mends = access.can(actor().grants, repairing.MEND, at_hand.place)
    return {"people": found, "hint": hint, "mend": url_for("contacts.show", student_id=student) if mends else None}


def made(page: Page) -> dict[str, Any]:
    return {"made": [entry_of_contact(one) for one in page.contacts_made]}
