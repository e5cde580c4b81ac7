"""What sets two policies apart, in sentences: what starts elsewhere and from when, what is new, what is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules.policy import BAND_RULES, Policy
from rules.policy_parts import Part, Path, day_words, groups_in_order, parts, subject, subject_words
from rules.sentences import describe

_ALWAYS = dt.date.min


class Kind(StrEnum):
    """What happened to a rule, or to something it asks."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: whom it is about, what it says, and from which day (None: on every day)."""

    kind: Kind
    about: str
    words: str
    starts: dt.date | None
    asks: str = ""  # of what is new or gone as a whole

    @property
    def sentence(self) -> str:
        """Tier 2 starts at 10% → 8% from 1 Feb 2027."""
        when = f" from {day_words(self.starts)}" if self.starts else ""
        return f"{self.about} {self.words}{when}{': ' if self.asks else ''}{self.asks}."


def difference(old: Policy, new: Policy, since: dt.date | None = None) -> tuple[Line, ...]:
    """What `new` says otherwise than `old`; with `since` only on days from that one on."""
    before, after = parts(old), parts(new)
    where = {subject(path): None for path in (*before, *after) if path != ("name",)}
    told = [line for at in where for line in _of_subject(at, (old, before), (new, after), since)]
    return (*told, *_order(groups_in_order(old), groups_in_order(new), since))


def coming(policy: Policy, after: dt.date) -> tuple[Line, ...]:
    """What a policy says otherwise from a day after this one on, by the dates of its own values."""
    return tuple(
        Line(Kind.CHANGED, subject_words(subject(path), policy), _arrow(part, part, was, value), start)
        for path, part in parts(policy).items()
        for (_, was), (start, value) in zip(part.values, part.values[1:], strict=False)
        if start is not None and start > after and was != value
    )


def _order(old: tuple[str, ...], new: tuple[str, ...], since: dt.date | None) -> Iterator[Line]:
    """Of several groups that somebody is in, the last holds: so their order says something."""
    was, now = [group for group in old if group in new], [group for group in new if group in old]
    if was != now:
        yield Line(Kind.CHANGED, "The policy", f"asks for its groups in the order {', '.join(now)}", since)


def _of_subject(
    at: Path, old: tuple[Policy, dict[Path, Part]], new: tuple[Policy, dict[Path, Part]], since: dt.date | None
) -> Iterator[Line]:
    before, after = _below(at, old[1]), _below(at, new[1])
    if len(at) > 1 and not (before and after):
        kind, policy = (Kind.NEW, new[0]) if after else (Kind.GONE, old[0])
        yield Line(kind, subject_words(at, policy), f"is {kind}", since, _asks(at, policy, since))
        return
    about = subject_words(at, new[0])
    for path in dict.fromkeys((*before, *after)):
        yield from (
            Line(kind, about, words, start) for kind, words, start in _of_part(before.get(path), after.get(path), since)
        )


def _of_part(old: Part | None, new: Part | None, since: dt.date | None) -> Iterator[tuple[Kind, str, dt.date | None]]:
    told = new or old
    assert told is not None
    if (old is None or new is None) and not (told.whose and told.dated):
        kind, value = (Kind.NEW, "now") if old is None else (Kind.GONE, "no longer")
        yield kind, f"{value} {told.saying(told.shown(told.on(since or dt.date.max)))}", since
        return
    for start, was, now in _steps(old, new, since or _ALWAYS):
        yield Kind.CHANGED, _arrow(old or told, new or told, was, now), None if start == _ALWAYS else start


def _steps(old: Part | None, new: Part | None, since: dt.date) -> Iterator[tuple[dt.date, Any, Any]]:
    """(from, before, now) where two dated values differ, one after the other. A group without one has everybody's."""
    both = [part for part in (old, new) if part is not None]
    starts = {start for part in both for start, _ in part.values if start is not None and start > since}
    told: tuple[Any, Any] | None = None
    for start in sorted({since} | starts):
        pair = (old.on(start) if old else None, new.on(start) if new else None)
        if pair != told and pair[0] != pair[1]:
            yield start, *pair
        told = pair


def _arrow(old: Part, new: Part, was: Any, value: Any) -> str:
    return new.saying(f"{old.shown(was)} → {new.shown(value)}")


def _asks(at: Path, policy: Policy, since: dt.date | None) -> str:
    """What a rule or line asks, without its full stop; nothing for a way down."""
    held = policy.on(since or policy.starts[-1])
    key = BAND_RULES.get(at[1], at[1]) if at[0] in ("bands", "rules") else None
    rule = next((one for one in held.rules if one.key == key), None)
    return describe(rule).removesuffix(".") if rule is not None else ""


def _below(at: Path, all_parts: dict[Path, Part]) -> dict[Path, Part]:
    return {path: part for path, part in all_parts.items() if subject(path) == at}
