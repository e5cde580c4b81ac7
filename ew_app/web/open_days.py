"""What days that are missing or not understood mean for a student, said to whoever works with the family."""

from __future__ import annotations

from rules.counting import are, many


def sentence(name: str, missing: int, unknown: int, span: tuple[str, str]) -> str:
    """A few sentences; nothing where every day is known. span: the lowest and the highest tier, or two empty words."""
    if not missing and not unknown:
        return ""
    it, counts, was = ("it", "counts", "is") if missing + unknown == 1 else ("they", "count", "are")
    told = [f"{_facts(missing, unknown)}. Nothing is guessed: {it} {counts} neither as present nor as absent."]
    if span[0] != span[1]:
        told.append(f"Until {it} {was} known, {name} stands somewhere from {span[0]} to {span[1]}.")
    return " ".join([*told, "The school is asked, not the family."])


def _facts(missing: int, unknown: int) -> str:
    facts = []
    if missing:
        facts.append(f"{many(missing, 'school day')} {are(missing, 'has', 'have')} not come in from the school")
    if unknown:
        facts.append(f"{many(unknown, 'day')} {are(unknown, 'has', 'have')} a code that nobody has explained yet")
    return " and ".join(facts)
