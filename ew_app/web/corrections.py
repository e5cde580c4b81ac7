"""What a correction did to a case, in words, with the way to both truths on the student's page."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, local, today
from ew_app.web.case_page import Page
from ew_app.web.case_words import Entry, entry_of_event
from ew_app.web.guard import actor
from models.audit import Event
from models.queries import case_page as rows
from rules import access
from rules.access import Permission
from rules.routing import visible_rules

TAKEN_BACK = "reason_withdrawn"
CORRECTED = frozenset({TAKEN_BACK, "reason_restated", "rested_on_corrected_marks"})
COMPARE = "See what was known then and now"


def entries(page: Page) -> Iterable[Entry]:
    """The steps of a case for its timeline; those that a correction made lead to both truths."""
    for event in rows.events(page.at_hand.case):
        entry = entry_of_event(event)
        if entry is not None:
            url = _both_truths(page, event) if event.kind in CORRECTED else None
            yield entry | {"event": event.kind} | ({"url": url, "url_words": COMPARE} if url else {})


def taken_back(page: Page, rules: Collection[str]) -> list[dict[str, Any]]:
    """The reasons of a case, by these rules, that no longer stand because marks were corrected, the newest first."""
    gone = set(visible_rules(rules))
    found = []
    for event in rows.events(page.at_hand.case) if gone else ():
        if event.kind == TAKEN_BACK and event.data.get("rule") in gone:
            gone.discard(event.data["rule"])
            when = day_text(local(event.at).date())
            found.append({"sentence": event.data["sentence"], "when": when, "url": _both_truths(page, event)})
    return found


def _both_truths(page: Page, event: Event) -> str | None:
    """The student's page, looked back to the day before; None for whoever may not open it."""
    if not access.can(actor().grants, Permission.SEE_STUDENT):
        return None
    day = min(local(event.at).date() - timedelta(days=1), today())
    return url_for("student.show", key=page.at_hand.case.student.key, known=day.isoformat(), _anchor="looked-back")
