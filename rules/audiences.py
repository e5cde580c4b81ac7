"""Bounds that differ for some: a rule has a form for everybody, and other forms for groups of grades or schools.

Who is in a group is asked for each day, so that somebody who moves has the bounds of where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rules.scopes import Bools, Scope

Today = Mapping[Scope, Bools]  # [S] whom each scope takes in on one day


@dataclass(frozen=True, slots=True)
class Audience:
    """A group that a policy speaks of by name: some grades, some schools, or both."""

    key: str
    label: str  # as a sentence names it: "the early grades"
    scope: Scope


class HasForms(Protocol):
    """A rule, or a way out of a tier."""

    @property
    def instead(self) -> tuple[tuple[Audience, Self], ...]:
        """What holds for whom instead; of several groups that a student is in, the last."""


T = TypeVar("T", bound=HasForms)


def of_each(form: T, today: Today, asked: Callable[[T], Any]) -> NDArray[Any]:
    """[S] what `asked` says of the form that holds for each student today."""
    found = asked(form)
    for audience, other in form.instead:
        inside = today.get(audience.scope)
        if inside is not None:
            found = np.where(inside, asked(other), found)
    return np.asarray(found)


def own(form: T, today: Today, row: int) -> T:
    """The form that holds today for one student."""
    fits = [other for audience, other in form.instead if audience.scope in today and today[audience.scope][row]]
    return fits[-1] if fits else form


def forms(form: T) -> list[T]:
    """Everybody's form, then the others."""
    return [form, *(other for _, other in form.instead)]
