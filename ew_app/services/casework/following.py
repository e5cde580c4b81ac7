"""What the findings of one student ask for: which speak for a case, which ask for a task, which no longer stand.

Pure: everything is handed in, nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from models.queries.following import DID_NOT_ARRIVE
from rules.case_flow import Status
from rules.routing_table import Opens, TaskText, routing_table
from rules.tiers import Tier


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that stands.

    `stood`: for how many school days, counted only where the rule waits before it opens a case. `policy`: the
    version that made it. `adds_up`: its rule counts what adds up over the year.
    """

    rule: str
    since: date
    until: date | None
    compartment: str | None
    sentence: str
    year: str
    stood: int = 0
    policy: str = ""
    adds_up: bool = False

    @property
    def active(self) -> bool:
        return self.until is None

    @property
    def period(self) -> str:
        """What makes its tasks one of a kind. A correction may move its day: see `asked_for.answers`."""
        return f"{self.year}/{self.rule}/{self.since}"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of an open case's current episode. `through`: the day that was known last when it was added."""

    id: int
    rule: str
    day: date
    through: date | None
    sentence: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Search:
    """The list for finding the student of a case: whether it stands, whether the system began it, and whether the
    student was found."""

    stands: bool = False
    by_system: bool = False
    found: bool = False


@dataclass(slots=True)
class Open:
    """An open case as it stands while findings are followed. `worked_on`: a person has done something about it."""

    id: int
    number: int
    school: int
    kind: str
    status: Status
    tier: int
    episode: int
    department: str
    owner_role: str
    owner_id: int | None
    owner_via: str
    due: date | None
    next_step: str
    contact_due: date | None = None
    arrival_told: bool = False
    worked_on: bool = False
    causes: tuple[str, ...] = ()
    search: Search = Search()
    reasons: list[Reason] = field(default_factory=list)

    @property
    def live_rules(self) -> set[str]:
        return {reason.rule for reason in self.reasons if not reason.withdrawn}


@dataclass(frozen=True, slots=True)
class Closed:
    """The newest closed case of a student without an open one."""

    id: int
    number: int
    closed_on: date
    episode: int
    owner_id: int | None
    owner_role: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A task that there already is. `by_system`: it was withdrawn because the marks behind it changed.

    `through`: the day that was known last when it was asked; None for those of which nobody wrote it down.
    """

    id: int
    kind: str
    period: str
    rule: str | None
    compartment: str | None
    status: str
    day: date
    by_system: bool
    through: date | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A letter that there already is. `corrected`: it was sent, and then the marks behind it changed."""

    id: int
    template: str
    period: str
    rule: str
    status: str
    day: date
    through: date | None
    corrected: bool
    settled_as: str | None


@dataclass(slots=True)
class Pupil:
    """A student with everything that following looks at. `here`: enrolled, with data of this school year.

    `seen`: present on a day that is known. `outdated`: rules of which the last finding that was taken back was made
    by another policy than the one in force.
    """

    student: int
    school: int
    tier: int
    here: bool
    homeroom: str
    year: str
    through: date | None = None
    seen: bool = False
    outdated: frozenset[str] = frozenset()
    findings: list[Found] = field(default_factory=list)
    case: Open | None = None
    closed: Closed | None = None
    answered: dict[str, date] = field(default_factory=dict)
    tasks: list[Asked] = field(default_factory=list)
    letters: list[Drafted] = field(default_factory=list)

    @property
    def active(self) -> list[Found]:
        """What is met now, in this school year."""
        return [found for found in self.findings if found.active and found.year == self.year]

    def is_answered(self, found: Found) -> bool:
        """Whether a person has closed a case that had this reason."""
        closed = self.answered.get(found.rule)
        return closed is not None and found.since <= closed


def is_plain(rule: str) -> bool:
    """Whether a rule opens a task and no more, outside compartments."""
    return opens(rule) is Opens.TASK


def opens(rule: str) -> Opens | None:
    """What a rule opens; None for the watch band and rules kept in the file."""
    entry = routing_table().rules.get(rule)
    return entry.opens if entry else None


def waits(rule: str) -> int:
    """How many school days a finding of this rule stands before it speaks for a case."""
    entry = routing_table().rules.get(rule)
    return entry.after if entry else 0


def speaking(pupil: Pupil) -> list[Found]:
    """The findings that speak for a case now, the strongest first.

    Below Tier 2 only "did not arrive" does. Tier 2 reached by watch rules together rests on those.
    """
    plain = [found for found in pupil.active if found.compartment is None]
    for_case = [found for found in plain if opens(found.rule) is Opens.CASE and found.stood >= waits(found.rule)]
    if pupil.tier < Tier.TWO:
        return [found for found in for_case if found.rule == DID_NOT_ARRIVE]
    return sorted(for_case or _watching(plain), key=_strength)


def wanted(pupil: Pupil, reasons: Sequence[Found]) -> Iterable[Found]:
    """The findings whose tasks are asked for: of the case, without a case, and inside compartments.

    A case that is paused asks for nothing; what a closed case has looked at is not asked again.
    """
    paused = pupil.case is not None and pupil.case.status is Status.PAUSED
    if pupil.case is not None and not paused:
        yield from (found for found in reasons if not pupil.is_answered(found))
    plain = [found for found in pupil.active if is_plain(found.rule)]  # last: who asks for less gives way
    for found in (*(one for one in pupil.active if one not in plain), *plain[::-1]):
        kind = Opens.COMPARTMENT if found.compartment else opens(found.rule)
        alone = pupil.case is None and not _looked_at(pupil, found)
        early = alone and found.stood < waits(found.rule)
        asks = {Opens.COMPARTMENT: True, Opens.TASK: not paused, Opens.WATCH: alone, Opens.CASE: early}
        if kind is not None and asks.get(kind, False):
            yield found


def backing(reason: Reason, pupil: Pupil) -> Found | None:
    """The finding that a reason rests on now; after a correction perhaps one that begins on another day.

    One that was over before the reason was added would never have spoken for the case, nor would one that is met
    while the tier still rests after a step down.
    """
    known = reason.through or reason.day
    silent = pupil.tier < Tier.TWO and reason.rule != DID_NOT_ARRIVE
    alike = [
        found
        for found in pupil.findings
        if found.rule == reason.rule
        and (found.until is None or found.until > known)
        and (found.since == reason.day or not (found.active and silent))
    ]
    return next((found for found in alike if found.since == reason.day), alike[0] if alike else None)


def _watching(active: Iterable[Found]) -> list[Found]:
    return [found for found in active if opens(found.rule) is Opens.WATCH]


def _strength(found: Found) -> tuple[int, str]:
    order = routing_table().strongest
    return (order.index(found.rule) if found.rule in order else len(order), found.rule)


def _looked_at(pupil: Pupil, found: Found) -> bool:
    return pupil.closed is not None and found.since <= pupil.closed.closed_on


def day_of(moment: datetime, here: date) -> date:
    """The local day of a task's making; never later than today, which may be fixed for a pilot."""
    return min(moment.date(), here)


def task_texts(rule: str) -> tuple[TaskText, ...]:
    """What the routing table asks for when the rule is met."""
    entry = routing_table().rules.get(rule)
    return entry.tasks if entry else ()
