"""What silently breaks in practice, each on a simulated district: it is noticed, or it is harmless."""

from __future__ import annotations

import numpy as np
import pytest

from rules.risk.drift import Alarm, Effect, Usual, alarms, between, stops, usual
from rules.risk.features import Past, features
from tests.rules.risk_trials import town
from tests.rules.risk_years import DAYS, District

NOW, DAY = 3, 60  # the running year, and a school day of it
ALL_IN = dict.fromkeys(range(1, 9), 1.0)


def looked_at(
    place: District, past: Past | None = None, day: int = DAY, submitted: dict[int, float] | None = None
) -> tuple[Alarm, ...]:
    """What is noticed of the running year of a district, held against the year before it."""
    here = place.newcomers <= NOW
    known = place.seen(NOW, day, past).of(here)
    kept = usual(town().cohort(NOW - 1, day))
    return alarms(features(known), place.marked(NOW, day), kept, day, submitted or ALL_IN)


def keys(found: tuple[Alarm, ...]) -> list[str]:
    return [alarm.key for alarm in found]


def with_past(change: str) -> Past:
    """The past of the running year, wrong in one way."""
    past = town().past(NOW)
    rows = np.arange(len(past.last_absent))
    if change == "joined":  # to the next student in some list
        order = np.random.default_rng(4).permutation(rows)
        return Past(*(getattr(past, name)[order] for name in Past.__slots__))
    lost = rows % 3 == 0  # re-keyed: nobody knows them
    return Past(*(np.where(lost, -1, getattr(past, name)) for name in Past.__slots__))


@pytest.mark.parametrize("day", [20, 40, 60, 90])
def test_a_year_like_others_raises_no_alarm(day: int) -> None:
    assert keys(looked_at(town(), day=day)) == []


def test_a_code_that_vanished_stops_the_model() -> None:
    silent = town().with_year(NOW, late=np.zeros_like(town().years[NOW].late))
    (found,) = looked_at(silent)
    assert found.key == "marks:tardy" and found.effect is Effect.STOP and "0.0%" in found.sentence


def test_a_code_that_means_something_else_stops_the_model() -> None:
    other = town().with_year(NOW, unexcused=town().years[NOW].absent)
    assert keys(looked_at(other)) == ["marks:excused"] and stops(looked_at(other))


def test_students_under_new_ids_stop_the_model() -> None:
    (found,) = looked_at(town(), with_past("lost"))
    assert found.key == "has_last_year" and found.effect is Effect.STOP and "Student IDs" in found.sentence


def test_a_last_year_of_other_children_stops_the_model() -> None:
    (found,) = looked_at(town(), with_past("joined"))
    assert found.key == "correlation" and found.effect is Effect.STOP and abs(float(found.got)) < 0.2
    assert keys(looked_at(town(), with_past("joined"), day=10)) == []  # a few days say nothing either way


def silent_third() -> np.ndarray:  # type: ignore[type-arg]
    return np.isin(town().years[NOW].school, (1, 2, 3))


def test_silent_schools_read_as_absent_stop_the_model() -> None:
    absent = town().years[NOW].absent.copy()
    absent[np.ix_(silent_third(), np.arange(DAY - 15, DAY))] = True
    found = looked_at(town().with_year(NOW, absent=absent))
    assert "mean_rate" in keys(found) and stops(found)


def test_schools_that_have_not_submitted_keep_their_last_list() -> None:
    (found,) = looked_at(town(), submitted=ALL_IN | {2: 0.97, 5: 0.5})
    assert (found.effect, found.schools, found.got) == (Effect.SCHOOLS, (2, 5), "50%")
    assert not stops((found,)) and found.sentence.startswith("2 schools have")
    (one,) = looked_at(town(), submitted=ALL_IN | {2: 0.97})
    assert one.sentence.startswith("One school has")


@pytest.mark.parametrize(("more", "effect"), [(0.10, None), (0.27, Effect.WARN), (0.45, Effect.STOP)])
def test_a_year_of_more_absence_is_told_and_one_unlike_any_stops_the_model(more: float, effect: Effect | None) -> None:
    year = town().years[NOW]
    rng = np.random.default_rng(8)
    also = rng.random((len(year.absent), DAYS)) < more * year.absent[:, :DAY].mean()
    found = [one for one in looked_at(town().with_year(NOW, absent=year.absent | also)) if one.key == "mean_rate"]
    assert [one.effect for one in found] == ([effect] if effect else [])


def test_between_grid_days_the_usual_is_their_mean() -> None:
    kept = {20: Usual(0.8, 0.06, {"tardy": 0.1}), 40: Usual(0.9, 0.08, {"tardy": 0.2, "excused": 0.04})}
    assert between(kept, 20) == kept[20]
    half = between(kept, 30)
    assert (round(half.has_last_year, 9), round(half.mean_rate, 9)) == (0.85, 0.07)
    assert {name: round(share, 9) for name, share in half.marked.items()} == {"tardy": 0.15, "excused": 0.02}


def test_rare_marks_and_an_empty_evening_are_no_alarm_by_themselves() -> None:
    kept = Usual(0.0, 0.0, {"other": 0.0009})
    none = features(town().seen(NOW, DAY).of(np.zeros(0, int)))
    assert [one.key for one in alarms(none, {"other": 0.0}, kept, DAY, {})] == ["mean_rate"]
