"""One machine for breaking a run, a district on it, and what an undisturbed load leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ew_app.config import Settings
from tests import scratch
from tests.durability import district
from tests.durability.district import District, Left
from tests.durability.machine import Machine


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Servers that may be ended, and workers that may be killed."""
    with scratch.folder() as folder, Machine(folder) as made:
        yield made


@pytest.fixture(scope="session")
def small(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> District:
    """400 students at 8 schools and a full feed of 40 days: three slices, loaded in a second."""
    return district.build(machine, tmp_path_factory.mktemp("small"), students=400, schools=8, days=40)


@pytest.fixture(scope="session")
def undisturbed(machine: Machine, small: District) -> Left:
    """What the delivery leaves behind when nothing is broken."""
    return district.undisturbed(machine, small)


@pytest.fixture
def fresh(machine: Machine, small: District) -> Iterator[Callable[[], Settings]]:
    """A function that makes a copy of the district's database; dropped afterwards."""
    made: list[Settings] = []

    def copy() -> Settings:
        made.append(machine.copy(small.base))
        return made[-1]

    yield copy
    for settings in made:
        machine.drop(settings)


@pytest.fixture
def settings(fresh: Callable[[], Settings]) -> Settings:
    """A copy of the district's database, the delivery not yet received."""
    return fresh()
