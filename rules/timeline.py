"""Which policy held on which day: versions activated one after the other, each from its own date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rules.policy import Policy, PolicyInForce
from rules.policy_file import Dated


class Timeline:
    """Policies with the day each was activated from; the first holds for all earlier days too."""

    def __init__(self, activated: Iterable[tuple[date, Policy]]) -> None:
        self._policies = Dated(tuple(sorted(activated, key=lambda pair: pair[0])))
        if not self._policies.values:
            raise ValueError("a timeline needs at least one policy")

    def on(self, day: date) -> PolicyInForce:
        """What held on `day`."""
        return self._policies.on(day).on(day)

    @property
    def starts(self) -> tuple[date, ...]:
        """Days from which something changed: a new version, or a dated value within one."""
        changes = {start for start, _ in self._policies.values}
        return tuple(sorted(changes | {day for _, policy in self._policies.values for day in policy.starts}))
