"""The arithmetic by which rule, rate and models are compared."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.risk import figures
from rules.risk.bands import Band, bands, place_of, sentence
from rules.risk.figures import Figure, Ranking

SOME = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12)


def ranking(scores: list[float], chronic: list[bool], seed: int = 1) -> Ranking:
    return Ranking(np.array(scores, float), np.array(chronic), figures.hashed(np.arange(len(scores)), seed))


def by_pairs(scores: list[float], chronic: list[bool]) -> float:
    """The share of pairs in order, each pair by itself."""
    pairs = [
        1.0 if yes > no else 0.5 if yes == no else 0.0
        for (yes, is_yes), (no, is_no) in itertools.product(zip(scores, chronic, strict=True), repeat=2)
        if is_yes and not is_no
    ]
    return sum(pairs) / len(pairs) if pairs else float("nan")


@settings(max_examples=200, deadline=None)
@given(SOME, st.data())
def test_auc_is_the_share_of_pairs_in_order_also_of_students_drawn_twice(
    rows: list[tuple[int, bool]], data: st.DataObject
) -> None:
    scores, chronic = [float(score) for score, _ in rows], [one for _, one in rows]
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    repeated = [index for index, times in enumerate(drawn) for _ in range(times)]
    weights = np.array([[1] * len(rows), drawn], dtype=np.uint8)
    once, twice = ranking(scores, chronic).auc(weights)
    assert once == pytest.approx(by_pairs(scores, chronic), nan_ok=True)
    again = by_pairs([scores[place] for place in repeated], [chronic[place] for place in repeated])
    assert twice == pytest.approx(again, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(SOME, st.integers(0, 12), st.randoms(use_true_random=False))
def test_a_list_does_not_depend_on_the_order_of_rows(rows: list[tuple[int, bool]], size: int, random: object) -> None:
    places = np.array(sorted(range(len(rows)), key=lambda _: random.random()))  # type: ignore[attr-defined]
    scores, chronic = np.array([float(one) for one, _ in rows]), np.array([one for _, one in rows])
    ids, whole = np.arange(len(rows)) * 17, np.ones((1, len(rows)))
    one = Ranking(scores, chronic, figures.hashed(ids, 4))
    other = Ranking(scores[places], chronic[places], figures.hashed(ids[places], 4))
    wanted = np.array([float(min(size, len(rows)))])
    assert one.found(whole, wanted) == pytest.approx(other.found(whole, wanted))
    assert ids[one.first(size)].tolist() == ids[places][other.first(size)].tolist()


def test_ties_are_told_apart_by_the_seed_and_the_student() -> None:
    ids = np.arange(1000)
    assert len(np.unique(figures.hashed(ids, 1))) == 1000
    assert figures.hashed(ids, 1).tolist() != figures.hashed(ids, 2).tolist()
    one, two = (np.argsort(figures.hashed(ids, seed))[:100] for seed in (1, 2))
    assert len(np.intersect1d(one, two)) < 30


def test_the_first_places_of_a_list() -> None:
    first = ranking([5, 4, 3, 2, 1], [True, False, True, False, True])
    assert first.found(np.ones((1, 5)), np.array([2.0])).tolist() == [1]
    assert first.found(np.array([[2, 1, 1, 1, 1]]), np.array([3.0])).tolist() == [2]
    assert first.found(np.ones((1, 5)), np.array([9.0])).tolist() == [3]


def test_a_student_is_drawn_with_all_of_their_years() -> None:
    students = np.array([4, 9, 4, 2, 9])
    drawn = figures.draws(students, seed=3, count=50)
    assert (drawn[:, 0] == drawn[:, 2]).all() and (drawn[:, 1] == drawn[:, 4]).all()
    mixed = figures.draws(students[::-1], seed=3, count=50)
    assert (mixed[:, ::-1] == drawn).all()


def test_chances_are_judged_by_what_came() -> None:
    chances, came = np.array([0.0, 0.5, 1.0, 0.5]), np.array([False, True, True, False])
    assert figures.brier(chances, came, np.ones((1, 4)))[0] == pytest.approx(0.125)
    assert figures.brier(chances, came, np.array([[1, 0, 1, 0]]))[0] == 0
    assert figures.gap(chances, ~came) == 0 and figures.gap(np.array([0.9]), np.array([False])) == pytest.approx(0.9)
    parts = figures.bins(chances, came, np.arange(4).astype(np.uint64), count=2)
    assert [(part.students, part.expected, part.observed) for part in parts] == [(2, 0.25, 0.5), (2, 0.75, 0.5)]
    assert figures.ece(parts) == pytest.approx(0.25)


@pytest.mark.parametrize("bold", [0.5, 1.0, 2.0])
def test_the_slope_tells_chances_that_are_too_bold(bold: float) -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(-1, 1.5, 40_000)
    came = rng.random(40_000) < 1 / (1 + np.exp(-logits))
    assert figures.slope(bold * logits, came) == pytest.approx(1 / bold, rel=0.04)
    assert np.isnan(figures.slope(logits[:3], np.array([False] * 3)))


def test_a_range_holds_the_figure_and_shrinks_with_students() -> None:
    def wide(students: int) -> float:
        rng = np.random.default_rng(6)
        chances = rng.random(students)
        came = rng.random(students) < chances
        once = np.ones((1, students), dtype=np.uint8)
        drawn = figures.brier(chances, came, figures.draws(np.arange(students), 1))
        found = Figure.of(figures.brier(chances, came, once), drawn)
        assert found.low < found.value < found.high
        return found.high - found.low

    assert 3 * wide(6400) < wide(400) < 6 * wide(6400)  # a fourth, for sixteen times as many


def test_many_students_need_fewer_draws() -> None:
    assert [figures.enough_draws(rows) for rows in (0, 100_000, 200_000, 650_000)] == [200, 200, 100, 60]


def test_lists_in_common() -> None:
    assert figures.jaccard(np.array([1, 2, 3]), np.array([2, 3, 4])) == 0.5
    assert figures.jaccard(np.zeros(0, int), np.zeros(0, int)) == 1


# -- a chance in words -----------------------------------------------------------------------------------------------


def test_a_chance_is_told_as_of_ten_and_as_wide_as_it_is_sure() -> None:
    assert Band(4000, 2400).words == "about 6 of 10 similar students"
    assert Band(80, 48).words == "5 to 7 of 10 similar students"
    assert Band(9000, 20).words == "fewer than 1 of 10 similar students"
    assert Band(9000, 8990).words == "more than 9 of 10 similar students"
    assert Band(200, 10).words == "up to 1 of 10 similar students"
    assert Band(49, 20).words == Band(0, 0).words == "too few similar students to say"


def test_bands_tell_what_came_and_not_what_was_expected() -> None:
    chances, came = np.array([0.05] * 100 + [0.95] * 100), np.array([True] * 50 + [False] * 50 + [True] * 100)
    found = bands(chances, came)
    assert (found[0].students, found[0].chronic, found[9].chronic) == (100, 50, 100)
    assert found[0].words == "4 to 6 of 10 similar students"
    assert place_of(np.array([0.0, 0.1, 0.65, 1.0])).tolist() == [0, 1, 6, 9]


def test_the_sentence_leaves_the_end_open() -> None:
    text = sentence(Band(4000, 2400), ["2024-25", "2025-26"])
    assert "about 6 of 10 had missed" in text and "2024-25 and 2025-26" in text and "support changes it" in text
    assert "%" not in text and "too few" in sentence(Band(3, 3), []) and "risk" not in text
