"""S08, contacts: whom to reach about a student, and every contact that was made."""

from __future__ import annotations

from typing import Any

from ew_app.web import case_page
from ew_app.web.case_page import Page
from ew_app.web.case_words import entry_of_contact, language_words, lower_first


def people(page: Page) -> dict[str, Any] | None:
    """The family's contacts as far as this reader may see them; None for somebody who may see none."""
    at_hand = page.at_hand
    found = case_page.people(at_hand.case.student_id, at_hand.place, own=at_hand.own)
    if found is None:
        return None
    language = language_words(at_hand.case.student)
    hint = f"The family {lower_first(language)}." if language.startswith("speaks") else language
    return {"people": found, "hint": hint}


def made(page: Page) -> dict[str, Any]:
    return {"made": [entry_of_contact(one) for one in page.contacts_made]}
