"""Keys and names behind numbers, for a district of any size."""

from __future__ import annotations

import pytest

from models.queries import naming
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")


def test_more_students_are_named_than_a_statement_may_have_parameters() -> None:
    ana = letters.student("ana", letters.school("lincoln"))
    assert naming.student_keys([*range(ana, ana + 70_000)]) == {ana: "ana"}
