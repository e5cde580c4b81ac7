"""What keeps sources from bringing what they should."""

from __future__ import annotations

from ew_app.services.sources import clearing, expecting, refusals


def troubles() -> list[str]:
    """What was expected and has not come, sources that could not be reached, and files that could not be put away."""
    found = [alarm.sentence for alarm in expecting.alarms()] or expecting.troubles()
    told = " ".join(found)
    found += [trouble for trouble in refusals.troubles() if trouble.split(": ", 1)[0] + ": " not in told]
    return found + clearing.troubles()
