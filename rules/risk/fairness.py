"""The same figures for each group of students, of the model and of the rule alone, side by side.

Groups are never an input of a model; here they are looked at, by whoever may. Nothing is evened out by other lines for
other groups: a model that finds clearly fewer of a group than the rule does is not served.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rules.chances import tail
from rules.risk import figures, wording
from rules.risk.backtest import RULE, Judged
from rules.risk.cohort import Bools
from rules.risk.features import COLUMN, Floats
from rules.risk.group_names import BOTH, said
from rules.risk.wording import Told
from rules.suppression import HIDDEN, LEAST, points_between, share_words, tens_words

LEAST_STUDENTS, LEAST_CHRONIC = 100, 30  # fewer allow no verdict
MOST_LOST = 0.05  # of the chronically absent students of a group, found by the rule and not by the model
MOST_GAP = 0.05
BY_CHANCE = 0.05
AS_ASKED, TOO_FEW, FINDS_FEWER = "as asked", "too few for a verdict", "finds fewer than the rule"
TOO_OFTEN, TOO_SELDOM = "expects it too often", "expects it too seldom"
_TOLD = (
    *("students", "chronic", "flagged", "flagged_by_rule", "found", "found_by_rule", "found_difference"),
    *("right", "right_by_rule", "right_difference", "auc", "gap"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """Who of a group stands on a list: counts, of which every rate is a share."""

    flagged: int
    found: int  # of them chronically absent when the year was over


@dataclass(frozen=True, slots=True)
class Group:
    """One group on one grid day. `lost`: chronic students whom only the rule lists, `won`: only the model."""

    name: str
    students: int
    others: int  # everybody else, who must not be told by subtracting
    chronic: int
    model: Listed
    rule: Listed
    auc: float
    auc_rate: float
    gap: float  # expected less what came
    lost: int
    won: int

    @property
    def judged(self) -> bool:
        """Whether the group is large enough for a verdict."""
        return self.students >= LEAST_STUDENTS and self.chronic >= LEAST_CHRONIC

    @property
    def finds_fewer(self) -> bool:
        """The model finds clearly fewer of the group than the rule; of two groups together, also beyond chance."""
        fewer = self.judged and self.rule.found - self.model.found > MOST_LOST * self.chronic
        if BOTH in self.name:
            return fewer and tail(self.lost, self.lost + self.won, 0.5, 1) < BY_CHANCE
        return fewer

    @property
    def is_off(self) -> bool:
        """What is expected of the group is far from what came."""
        return self.judged and abs(self.gap) > MOST_GAP and BOTH not in self.name

    @property
    def verdict(self) -> str:
        """What is made of it, in words."""
        if not self.judged:
            return TOO_FEW
        found = [FINDS_FEWER] if self.finds_fewer else []
        if self.is_off:
            found.append(TOO_OFTEN if self.gap > 0 else TOO_SELDOM)
        return ", ".join(found) or AS_ASKED

    def words(self) -> dict[str, str]:
        """The line of a staff report; kept back where a share would tell about fewer than ten.

        Students are told in tens: beside the exact number of all of them a group that is kept back could be worked out.
        """
        if min(self.students, self.others) < LEAST:
            return {"name": said(self.name)} | dict.fromkeys(_TOLD, HIDDEN) | {"verdict": TOO_FEW}
        told = LEAST <= self.chronic <= self.students - LEAST
        words = {
            "name": said(self.name),
            "students": tens_words(self.students),
            "chronic": share_words(self.chronic, self.students),
            "flagged": share_words(self.model.flagged, self.students),
            "flagged_by_rule": share_words(self.rule.flagged, self.students),
            "found": share_words(self.model.found, self.chronic),
            "found_by_rule": share_words(self.rule.found, self.chronic),
            "right": share_words(self.model.found, self.model.flagged),
            "right_by_rule": share_words(self.rule.found, self.rule.flagged),
            "auc": f"{self.auc:.2f}" if told else HIDDEN,
            "gap": f"{self.gap:+.2f}" if told else HIDDEN,
            "verdict": self.verdict,
        }
        for what in ("found", "right"):
            words[f"{what}_difference"] = points_between(words[what], words[f"{what}_by_rule"])
        return words


def audit(judged: Judged, kind: str) -> tuple[Group, ...]:
    """Every group that is held, and every two of them that a hundred students share; the list as long as the rule's."""
    sight = _Sight.of(judged, kind)
    return tuple(sight.group(name, members) for name, members in _with_both(judged.groups))


def breakdown(judged: Judged, kind: str) -> tuple[Group, ...]:
    """The same for schools (`school 12`), grades (`grade 9`), students without a last year (`new`) and other parts."""
    parts: dict[str, Bools] = {"new": judged.x[:, _HAS_LAST] == 0} | dict(judged.parts)
    parts |= {f"grade {grade}": judged.grade == grade for grade in np.unique(judged.grade).tolist()}
    parts |= {f"school {school}": judged.school == school for school in np.unique(judged.school).tolist()}
    sight = _Sight.of(judged, kind)
    return tuple(sight.group(name, members) for name, members in parts.items())


_HAS_LAST = COLUMN["has_last_year"]


def _with_both(groups: Mapping[str, Bools]) -> Iterator[tuple[str, Bools]]:
    yield from groups.items()
    for (one, ones), (other, others) in itertools.combinations(groups.items(), 2):
        both = ones & others
        if LEAST_STUDENTS <= int(both.sum()) < min(int(ones.sum()), int(others.sum())):
            yield f"{one}{BOTH}{other}", both


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """What is looked at of everybody, worked out once for all groups of a model. Columns [S]."""

    judged: Judged
    model: Bools  # on its list
    rule: Bools
    chances: Floats
    orders: tuple[Floats, Floats]  # of the model, of the rule

    @classmethod
    def of(cls, judged: Judged, kind: str) -> _Sight:
        orders = judged.order(kind), judged.order(RULE)
        return cls(judged, judged.lists(kind), judged.lists(RULE), judged.chances(kind), orders)

    def group(self, name: str, members: Bools) -> Group:
        rows = np.flatnonzero(members)
        chronic, ties, once = self.judged.chronic[rows], self.judged.ties[rows], np.ones((1, len(rows)))
        model, rule = self.model[rows], self.rule[rows]
        auc, auc_rate = (float(figures.Ranking(order[rows], chronic, ties).auc(once)[0]) for order in self.orders)
        return Group(
            name, len(rows), len(members) - len(rows), int(chronic.sum()), _listed(model, chronic),
            _listed(rule, chronic), auc, auc_rate, figures.gap(self.chances[rows], chronic),
            lost=int((rule & ~model & chronic).sum()), won=int((model & ~rule & chronic).sum()),
        )  # fmt: skip


def _listed(on: Bools, chronic: Bools) -> Listed:
    return Listed(int(on.sum()), int((on & chronic).sum()))


def blocked(groups: Sequence[Group], day: int) -> tuple[tuple[Group, Told], ...]:
    """The groups for which a model must not be served, and why."""
    found = []
    for group in groups:
        if group.finds_fewer:
            ours, rule = (share_words(one.found, group.chronic) for one in (group.model, group.rule))
            found.append((group, wording.finds_fewer(day, said(group.name), ours, rule, MOST_LOST)))
        if group.is_off:
            found.append((group, wording.expects_of_group(day, said(group.name), MOST_GAP, group.gap)))
    return tuple(found)
