"""A rule whose flags nobody finds useful is proposed for monitor mode, on enough answers and not before."""

from __future__ import annotations

import pytest

from rules.usefulness import Usefulness, Wanted

WANTED = Wanted(answers=20, percent=30)


@pytest.mark.parametrize(
    ("yes", "no", "proposed"),
    [(5, 14, False), (5, 15, True), (6, 14, False), (0, 19, False), (0, 20, True), (20, 0, False)],
)
def test_the_line_and_the_number_of_answers(yes: int, no: int, proposed: bool) -> None:
    """Nineteen answers are too few; six of twenty are just enough, five are not."""
    found = Usefulness("R10", yes, no, cannot_tell=50)
    assert found.too_rarely(WANTED) is proposed
    assert bool(found.proposal(WANTED)) is proposed


def test_under_ten_answers_nothing_is_said_of_them() -> None:
    found = Usefulness.of("R10", {"yes": 1, "no": 8, "cannot_tell": 30})
    assert found.words == "Too few answers yet to say whether its flags were useful (under 10)."
    assert not found.too_rarely(Wanted(answers=5, percent=100))


def test_who_could_not_tell_is_on_neither_side() -> None:
    found = Usefulness.of("R10", {"yes": 31, "no": 11, "cannot_tell": 12})
    assert found.words == "Useful in 75% of about 40 closed cases; about 10 answers could not tell."


def test_three_answers_of_few_are_a_band() -> None:
    found = Usefulness.of("R10", {"yes": 3, "no": 37})
    assert found.words == "Useful in under 25% of about 40 closed cases."
