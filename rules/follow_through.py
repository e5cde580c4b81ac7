"""From a flag to a change, step by step: what has to be on record before a case counts as having come so far.

One definition for each step, the same on every page. A case stands at the furthest step it has reached; a step before
it that is not on record is told apart, because it can have been left out or only not been written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

FEWEST_PEOPLE = 3  # what fewer people do is told as work and never as speed: it would be a figure about one of them
DAYS_TO_TELL = 20  # school days with a plan before anything can be said about a change
CUT_SHORT = ("taken_back", "merged")  # closed because there never was a case of its own: no step is missing there


class Step(IntEnum):
    """How far help has come."""

    FLAGGED = 0
    CONTACTED = 1
    HEARD = 2
    PLANNED = 3
    REVIEWED = 4
    IMPROVED = 5


LABELS = {
    Step.FLAGGED: "Case opened",
    Step.CONTACTED: "Family reached",
    Step.HEARD: "Cause heard",
    Step.PLANNED: "Plan agreed",
    Step.REVIEWED: "Plan reviewed",
    Step.IMPROVED: "Attendance better",
}
MEANINGS = {
    Step.FLAGGED: "A case was opened, or taken up again.",
    Step.CONTACTED: "Somebody was spoken with since then. A message left, a letter or an unanswered call is none.",
    Step.HEARD: "A cause is noted on the case. Causes kept in a compartment are not counted here.",
    Step.PLANNED: "A plan was agreed since then.",
    Step.REVIEWED: "Somebody looked at the plan and decided how it goes on.",
    Step.IMPROVED: "Since the plan began at most half as much is missed, and at most 5% of the last 20 days, or as the "
    "district's rule R25 says.",
}


class Better(StrEnum):
    """Whether attendance is better than when the plan began."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


class State(StrEnum):
    """How a case stands at its step."""

    ON_TIME = "on_time"
    LATE = "late"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Walked:
    """So many cases of one role at one place with the same on record. asked, in_time: of first contacts, see Funnel."""

    place: str
    role: str
    contacted: bool
    heard: bool
    planned: bool
    reviewed: bool
    better: Better
    state: State
    unowned: bool
    asked: bool
    in_time: bool
    cases: int

    def has(self, step: Step) -> bool:
        """Whether the step is on record."""
        return (
            True,
            self.contacted,
            self.heard,
            self.planned,
            self.reviewed,
            self.better is Better.YES,
        )[step]

    @property
    def furthest(self) -> Step:
        """The furthest step on record, whatever lies before it."""
        return max(step for step in Step if self.has(step))


@dataclass(frozen=True, slots=True)
class Funnel:
    """Cases by how far they have come; every case is counted at one step, in one state.

    asked: cases whose day for a first contact has come or who were reached before; in_time: reached by that day.
    """

    at: Counter[tuple[Step, State]]
    not_on_record: Counter[Step]
    better: Counter[Better]  # of cases with a plan
    unowned: int
    asked: int
    in_time: int

    @classmethod
    def of(cls, lines: Iterable[Walked]) -> Funnel:
        """What these lines come to together."""
        at: Counter[tuple[Step, State]] = Counter()
        gaps: Counter[Step] = Counter()
        better: Counter[Better] = Counter()
        unowned = asked = in_time = 0
        for line in lines:
            at[line.furthest, line.state] += line.cases
            for step in Step:
                if step < line.furthest and not line.has(step):
                    gaps[step] += line.cases
            if line.planned:
                better[line.better] += line.cases
            unowned += line.cases * line.unowned
            asked += line.cases * line.asked
            in_time += line.cases * line.in_time
        return cls(at, gaps, better, unowned, asked, in_time)

    @property
    def cases(self) -> int:
        """All of them."""
        return sum(self.at.values())

    def standing(self, step: Step, state: State | None = None) -> int:
        """Cases that came to this step and no further, in one state or any."""
        return sum(count for (at, how), count in self.at.items() if at is step and state in (None, how))

    def reached(self, step: Step) -> int:
        """Cases that came to this step or further."""
        return sum(count for (at, _), count in self.at.items() if at >= step)

    def in_state(self, state: State) -> int:
        """Cases in this state, at any step."""
        return sum(count for (_, how), count in self.at.items() if how is state)
