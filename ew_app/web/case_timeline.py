"""S08, timeline: everything that happened in a case outside compartments, newest first, or one kind of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from flask import request, url_for

from ew_app.web import asked, corrections
from ew_app.web.case_page import Page
from ew_app.web.case_words import Entry, entry_of_cause, entry_of_contact, entry_of_note
from ew_app.web.lists import PAGE, pages_of

# key, words, how the events of the kind begin; what fits nowhere is a step of the case
KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("contact", "Contacts", ("contact_",)),
    ("note", "Notes and causes", ("cause_", "note_")),
    ("task", "Tasks", ("task_",)),
    ("plan", "Plan", ("case_planned", "case_monitored", "plan_", "support_", "review_")),
    ("hand", "Who helps", ("case_assigned", "case_taken", "case_moved", "case_given", "hand_", "handed_")),
    ("tier", "Tier and reasons", ("tier_", "reason_", "rested_", "arrived", "left_unseen", "not_arrived")),
    ("letter", "Letters", ("letter_",)),
    ("step", "Steps of the case", ("",)),
)


def entries(page: Page) -> dict[str, Any]:
    """One page of entries, and the kinds there are, each with how many."""
    kind, shown = request.args.get("kind", ""), asked.page()
    every = sorted(_entries(page), key=itemgetter("at"), reverse=True)
    counts = Counter(entry["of"] for entry in every)
    found = [entry for entry in every if kind in ("", entry["of"])]
    here = url_for("case.timeline", number=page.at_hand.case.number)
    return {
        "entries": found[(shown - 1) * PAGE : shown * PAGE],
        "kinds": [
            (f"Everything ({len(every)})", here, not kind),
            *(
                (f"{words} ({counts[key]})", f"{here}?kind={key}", key == kind)
                for key, words, _ in KINDS
                if counts[key]
            ),
        ],
        "page": shown,
        "pages": pages_of(len(found)),
        "page_url": f"{here}?kind={kind}&page=",
    }


def _entries(page: Page) -> Iterable[Entry]:
    """What happened, each with its kind."""
    for contact in page.contacts_made:
        yield entry_of_contact(contact) | {"of": "contact"}
    for line in (*map(entry_of_note, page.notes), *map(entry_of_cause, page.causes)):
        yield line | {"of": "note"}
    for entry in corrections.entries(page):
        yield entry | {"of": kind_of(entry["event"])}


def kind_of(event: str) -> str:
    """The kind that an event is filtered by."""
    return next(key for key, _, begins in KINDS if event.startswith(begins))
