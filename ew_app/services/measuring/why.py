"""Why this child, why now: every finding with its days and arithmetic, every mark with its file and line.

Computed from the rows at the moment of asking, by the same functions that decide.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from ew_app.kernel import NotFound, day_text
from ew_app.services.measuring import as_told, caused_days, hindsight, why_days
from ew_app.services.measuring.as_told import Decided, OpenCase
from ew_app.services.measuring.caused_days import Caused
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.judging import Judged, judge
from ew_app.services.measuring.measures import at_each_school, measure_of
from ew_app.services.measuring.outlook import Outlook, outlook
from ew_app.services.measuring.why_days import Day
from models.queries import naming, provenance, same_child
from rules import cells as c
from rules.audiences import own
from rules.cells import Status
from rules.facts import compute
from rules.findings import met, not_fed
from rules.policy import Rule
from rules.sentences import dates_used, describe, numbers, sentence
from rules.tiers import Tier, days_text


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding that is active, in words and numbers, with the days it rests on."""

    rule: str
    label: str
    level: str
    since: date
    sentence: str
    numbers: dict[str, str]
    dates: tuple[date, ...]
    asks: str
    reference: str
    policy_version: str
    restricted: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A change of tier."""

    day: date
    before: str
    after: str
    rules: tuple[str, ...]
    sentence: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class Glance:
    """How one student stands: the measures, the days, and the reasons that are active. What a page of a case shows."""

    student: str
    measures: dict[str, Any]
    policy: str
    policy_version: str
    reasons: tuple[Reason, ...] = ()
    days: tuple[Day, ...] = ()
    rates: tuple[tuple[date, int, int], ...] = ()  # (day, absent, enrolled) to date, in thousandths
    lines: tuple[tuple[str, str], ...] = field(default=())  # (tier, share in percent) of the policy's rate lines
    caused: Caused = field(default=Caused())  # the days away that the district caused, as far as the reader may know
    without_cause: int = 0  # full days away in a row, up to the last, that no cause is known for: as rules count them


@dataclass(frozen=True, slots=True)
class Explanation(Glance):
    """Everything there is to say about one student's standing on one day."""

    steps: tuple[Step, ...] = ()
    decided: tuple[Decided, ...] = ()  # the findings of the year as they were told
    cases: tuple[OpenCase, ...] = ()
    not_fed: tuple[str, ...] = ()
    at_schools: tuple[dict[str, Any], ...] = ()  # the measures at each school
    outlook: Outlook | None = None  # what the rest of the year still allows

    def as_json(self) -> dict[str, Any]:
        """The object `ew why --json` prints; the measures at each school are those of `ew measures`."""
        told = asdict(self)
        del told["at_schools"]
        return told


def explain(
    student: str, as_of: date | None = None, *, classes: Collection[str] = (), known_at: datetime | None = None
) -> Explanation:
    """Explain a student by the district's key; findings of compartments only for those who may read the class.

    With `known_at` from what had been loaded by then.
    """
    with hindsight.known_at(known_at, student):
        number, judged = _judged(student, as_of)
        return _explained(student, number, judged, classes) if judged else Explanation(student, {}, "", "")


def glance(student: str, *, classes: Collection[str] = ()) -> Glance:
    """The same without how it came about and what lies ahead, in far fewer statements."""
    number, judged = _judged(student, None)
    return Glance(**_glanced(student, number, judged, classes)) if judged else Glance(student, {}, "", "")


def days_without_cause(student: str) -> int:
    """Full days away in a row, up to the last, for which the district has no part: not even in a compartment.

    For the gate before a legal step. The number is told to nobody; what everybody may know is `Glance.without_cause`.
    """
    number, judged = _judged(student, None)
    if judged is None:
        return 0
    matrix = caused_days.with_every_cause(judged.deciding.matrix, number)
    return int(compute(matrix, plan=judged.inputs.plan).unexcused_streak[0, judged.last])


def _judged(student: str, as_of: date | None) -> tuple[int, Judged | None]:
    number = naming.student_id(student)
    if number is None:
        raise NotFound(f"There is no student {student}.")
    return number, judge([number], frame(as_of))


def _glanced(student: str, number: int, judged: Judged, classes: Collection[str]) -> dict[str, Any]:
    reasons = tuple(_reasons(judged, classes))
    rests_on = [(reason.rule, reason.dates) for reason in reasons]
    ids = same_child.ids_of(number)
    found = why_days.days(judged, ids, rests_on)
    caused = caused_days.counted_apart(ids, found, classes)
    today = judged.inputs.today(judged.last)
    return {
        "student": student,
        "measures": measure_of(judged),
        "policy": judged.policy.label,
        "policy_version": judged.policy.version,
        "reasons": reasons,
        "days": tuple(replace(day, caused=caused.words(day.day)) for day in found),
        "rates": tuple(_rates(judged)),
        "lines": tuple(
            (Tier(line.level.tier).text, days_text(int(own(line, today, 0).bound * 100_000)))
            for line in judged.policy.lines
        ),
        "caused": caused,
        "without_cause": int(judged.deciding.unexcused_streak[0, judged.last]),
    }


def _explained(student: str, number: int, judged: Judged, classes: Collection[str]) -> Explanation:
    at = judged.year.frame
    unfed = not_fed(judged.policy, judged.inputs, 1)
    return Explanation(
        **_glanced(student, number, judged, classes),
        steps=tuple(_steps(number, judged)),
        decided=tuple(as_told.decided(number, at.start, at.day, classes)),
        cases=tuple(as_told.open_cases(number, at.day)),
        not_fed=tuple(key for key in unfed if _open(judged.policy.rule(key), classes)),
        at_schools=at_each_school(judged),
        outlook=outlook(judged),
    )


def _open(rule: Rule, classes: Collection[str]) -> bool:
    return rule.restricted is None or rule.restricted in classes


def _reasons(judged: Judged, classes: Collection[str]) -> list[Reason]:
    """The findings active on the last day, the strongest first."""
    found = []
    for rule in judged.policy.rules:
        active = judged.replay.active.get(rule.key)
        if active is not None and active[0, judged.last] and _open(rule, classes):
            found.append(_reason(judged, rule, active[0]))
    return sorted(found, key=lambda reason: (-judged.policy.rule(reason.rule).level.tier, reason.since))


def _reason(judged: Judged, rule: Rule, active: np.ndarray) -> Reason:
    """A finding in the numbers of the last day on which its rule was met: a finding outlives its rule until an exit."""
    facts, matrix = judged.deciding, judged.deciding.matrix
    began = judged.last - int(np.argmin(active[::-1])) + 1 if not active.all() else 0
    told = next((col for col in range(judged.last, began, -1) if met(rule, facts, judged.inputs, col)[0]), began)
    said = numbers(rule, facts, judged.inputs, 0, told)
    words = sentence(rule, said)
    on = matrix.days[told].astype(date)
    return Reason(
        rule=rule.key,
        label=rule.label,
        level=rule.level.value,
        since=matrix.days[began].astype(date),
        sentence=words if told == judged.last else f"On {day_text(on)}: {words[0].lower()}{words[1:]}",
        numbers={name: value for name, value in said.items() if value},
        dates=tuple(dates_used(judged.deciding.matrix, judged.deciding, 0, told, rule)),
        asks=describe(own(rule, judged.inputs.today(told), 0)),
        reference=rule.reference,
        policy_version=judged.policy.version,
        restricted=rule.restricted,
    )


def _steps(student: int, judged: Judged) -> list[Step]:
    """Tier changes as they are stored, newest first."""
    return [
        Step(row.day, Tier(row.before).text, Tier(row.after).text, tuple(row.rules), row.sentence, row.policy_version)
        for row in provenance.changes_of(student, judged.year.frame.start)
        if row.day <= judged.year.frame.day
    ]


def _rates(judged: Judged) -> list[tuple[date, int, int]]:
    """The running absence of every member day of the school year."""
    matrix, facts = judged.matrix, judged.facts
    member = np.flatnonzero(c.status(matrix.cells[0]) == Status.MEMBER)
    return [
        (matrix.days[col].astype(date), int(facts.absent[0, col]), int(facts.enrolled[0, col]))
        for col in member[member >= matrix.first].tolist()
    ]
