"""What lists show of everybody: the tier, and for whomever anything concerns, the numbers of the day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.judging import Judged
from models.decided import NEVER
from rules.tiers import Tier

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def ever_concerned(judged: Judged) -> Bools:
    """[S] for whom on any replayed day a rule was met or a tier above 1 stood."""
    replay, quiet = judged.replay, judged.kept_in_file
    found = np.any(replay.tier[:, judged.began :] > Tier.ONE, axis=1)
    for key, active in replay.active.items():
        if key not in quiet:
            found = found | np.any(active[:, judged.began :], axis=1)
    return np.asarray(found, dtype=bool)


def tier_since(judged: Judged, before: Ints) -> Ints:
    """[S] the day of each student's last tier change since 1970; NEVER while they have stood in Tier 1 all year."""
    days, since = judged.matrix.days.astype(np.int64), before.copy()
    for change in judged.replay.changes:
        since[change.row] = days[change.col] if change.after > Tier.ONE else NEVER
    return since


@dataclass(frozen=True)
class Shown:
    """The status of judged students. `concerned`: whom a rule met this school year, or a case or a task is about."""

    concerned: Bools  # [S]
    tier_since: Ints  # [S]
    judged: Judged

    @cached_property
    def loud(self) -> Bools:
        """[S] whose numbers are kept: who is concerned, and who would be if open days were read the worst way."""
        standing, facts, last = self.judged.standing, self.judged.facts, self.judged.last
        worst = np.maximum(standing.tier, np.maximum(standing.rate_tier, standing.tier_max))
        open_days = facts.missing_days[:, last] + facts.unknown_days[:, last]
        return np.asarray(self.concerned | (worst > Tier.ONE) | (open_days > 0))

    def columns(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """The student_status rows of some students, as columns."""
        judged, kept, since = self.judged, self.loud[rows], self.tier_since[rows]
        facts, standing, last, year = judged.facts, judged.standing, judged.last, judged.year

        def told(values: NDArray[Any]) -> list[Any]:
            return _where(kept, values[rows].astype(object))

        through = np.array([year.frame.data_through(school) for school in year.school[rows].tolist()], dtype=object)
        return {
            "student_id": judged.students[rows],
            "school_id": year.school[rows],
            "grade": [year.grade[row] for row in rows.tolist()],
            "enrolled_now": year.enrolled_now[rows],
            "tier": standing.tier[rows],
            "too_early": standing.too_early[rows],
            "tier_since": _where(since != NEVER, since.astype("datetime64[D]").astype(object)),
            "rules": self._open_rules(rows),
            "data_through": _where(kept, through),
            "enrolled": told(facts.enrolled[:, last]),
            "absent": told(facts.absent[:, last]),
            "excused": told(facts.excused[:, last]),
            "unexcused": told(facts.unexcused[:, last]),
            "federal_absent": told(facts.federal_absent[:, last]),
            "tardies": told(facts.tardies[:, last]),
            "missing_days": told(facts.missing_days[:, last]),
            "unknown_days": told(facts.unknown_days[:, last]),
            "streak_now": told(facts.streak[:, last]),
            "absent_last_20": told(facts.absent_last_20[:, last]),
            "enrolled_last_20": told(facts.enrolled_last_20[:, last]),
            "rate_tier": told(standing.rate_tier),
            "tier_min": told(standing.tier_min),
            "tier_max": told(standing.tier_max),
            "policy_version": [judged.policy.version if number else None for number in kept.tolist()],
        }

    def _open_rules(self, rows: NDArray[np.intp]) -> list[list[str]]:
        """Per student the active rules that everyone on the case may see, in their order."""
        judged = self.judged
        shown = {rule.key for rule in judged.policy.rules if not rule.restricted} - judged.kept_in_file
        keys = sorted(shown & judged.replay.active.keys())
        mask = np.zeros(len(rows), dtype=np.int64)
        for place, key in enumerate(keys):
            mask |= judged.replay.active[key][rows, judged.last].astype(np.int64) << place
        found, back = np.unique(mask, return_inverse=True)
        named = [[key for place, key in enumerate(keys) if bits >> place & 1] for bits in found.tolist()]
        return [named[place] for place in back.tolist()]


def _where(kept: Bools, values: NDArray[np.object_]) -> list[Any]:
    """The values, None where one is not kept."""
    values[~kept] = None
    return list(values)
