"""Letters that findings ask for: drafted once, taken back with the marks they rest on, told again where they were sent.

Pure but for what it hands to `rows`, which writes it for many students at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from ew_app.services.casework.asked_for import answers, rests
from ew_app.services.casework.case_rows import CaseRows
from ew_app.services.casework.following import Found, Pupil
from rules.case_flow import Status
from rules.letters import drafted_by


def check(pupil: Pupil, rows: CaseRows, why: tuple[str, str]) -> None:
    """Take back drafts that rested on marks corrected since, and list those that had been sent for whoever sent them.

    Another policy is no mistake in a letter that was sent. why: what stands on a draft after a correction, and after a
    change of the policy.
    """
    for letter in list(pupil.letters):
        stands, listed = rests(letter, pupil), letter.corrected and letter.settled_as != "stands_again"
        if letter.status == "draft" and not stands:
            rows.letters.withdraw(pupil, letter, why[letter.rule in pupil.outdated])
        elif letter.status == "sent" and stands and letter.corrected and letter.settled_as is None:
            rows.letters.stands_again(pupil, letter)
        elif letter.status == "sent" and not stands and not listed and letter.rule not in pupil.outdated:
            rows.letters.was_wrong(pupil, letter)


def draft(pupil: Pupil, reasons: Sequence[Found], rows: CaseRows) -> None:
    """A draft for each reason of the open case that asks for a letter, unless one is there or was sent for it."""
    if pupil.case is None or pupil.case.status is Status.PAUSED:
        return
    for found in reasons:
        template = drafted_by(found.rule)
        if template is None or pupil.is_answered(found):
            continue
        alike = [one for one in pupil.letters if one.template == template.key]
        own = next((one for one in alike if answers(one, found, pupil)), None)
        if own is not None and own.status == "withdrawn":
            rows.letters.take_up(pupil, own)
        elif own is None and not any(one.status == "draft" for one in alike):
            rows.letters.draft(pupil, found, template.key)
