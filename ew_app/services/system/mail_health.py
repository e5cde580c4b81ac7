"""How the e-mails to staff stand, for the page of checks: numbers and moments, no address and no person."""

from __future__ import annotations

from ew_app.kernel import day_text, local
from ew_app.services.notices import mails, post
from rules.counting import are, many


def trouble() -> str:
    """A sentence about e-mails that wait, were refused or may not have arrived; nothing while all is well."""
    now = mails.standing()
    parts = []
    if now.waiting and now.since is not None:
        here = local(now.since)
        since = f"{day_text(here.date())} {here:%H:%M}"
        parts.append(f"{many(now.waiting, 'e-mail')} {are(now.waiting, 'waits', 'wait')} since {since}: {now.error}")
    if now.given_up:
        parts.append(f"{many(now.given_up, 'e-mail')} of the last seven days could not be sent.")
    if now.unclear:
        parts.append(f"Of {many(now.unclear, 'e-mail')} nobody knows whether they arrived; they are not sent twice.")
    return " ".join(parts)


def in_order() -> str:
    """What to say while nothing is wrong."""
    return "E-mails to staff go out." if post.is_set_up() else "None are sent: EW_SMTP_URL is not set."
