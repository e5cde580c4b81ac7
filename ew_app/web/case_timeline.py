"""S08, timeline: everything that happened in a case outside compartments, newest first, or one kind of it."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from flask import request, url_for

from ew_app.web import asked, corrections
from ew_app.web.case_page import Page
from ew_app.web.case_words import Entry, entry_of_cause, entry_of_contact, entry_of_note
from ew_app.web.lists import PAGE, pages_of

KINDS = (("", "Everything"), ("contact", "Contacts"), ("note", "Notes"), ("step", "Steps"))


def entries(page: Page) -> dict[str, Any]:
    """One page of entries, and the kinds one can choose."""
    kind, shown = request.args.get("kind", ""), asked.page()
    found = sorted(_entries(page, kind), key=itemgetter("at"), reverse=True)
    here = url_for("case.timeline", number=page.at_hand.case.number)
    return {
        "entries": found[(shown - 1) * PAGE : shown * PAGE],
        "kinds": [(words, f"{here}?kind={key}" if key else here, key == kind) for key, words in KINDS],
        "page": shown,
        "pages": pages_of(len(found)),
        "page_url": f"{here}?kind={kind}&page=",
    }


def _entries(page: Page, kind: str) -> Iterable[Entry]:
    """What happened, of one kind or of every kind."""
    if kind in ("", "contact"):
        yield from map(entry_of_contact, page.contacts_made)
    if kind in ("", "note"):
        yield from map(entry_of_note, page.notes)
    if kind in ("", "step"):
        yield from map(entry_of_cause, page.causes)
        yield from corrections.entries(page)
