"""From marks to cells: the evidence order and the half-day rule, on the line and beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import cells
from rules.cells import Excuse, Status
from rules.day import Kind, Marks, Periods, Reason, day_cells, precedence, whole_day_cells
from rules.half_days import DayLength

Row = dict[str, int]


def mark(kind: Kind = Kind.ABSENCE, reason: Reason = Reason.UNEXCUSED, **given: int) -> Row:
    """One row; what is not given is -1 (period: 0)."""
    return {
        "kind": kind,
        "reason": reason,
        "code_fraction": -1,
        "fraction": -1,
        "minutes": -1,
        "period": 0,
        "length": -1,
        "told": 1,
    } | given


def marks(*rows: Row) -> Marks:
    columns = {name: np.array([row[name] for row in rows]) for name in Marks.__slots__}
    return Marks(**columns | {"period": columns["period"].astype(bool)})


def read(cell: np.ndarray) -> tuple[int, Status, Excuse, bool]:
    (one,) = cell
    return (
        int(cells.fraction(one)), Status(int(cells.status(one))), Excuse(int(cells.excuse(one))),
        bool(cells.tardy(one)),
    )  # fmt: skip


def day(
    *rows: Row, length: DayLength | None = None, due: int = 0, listed: bool = False
) -> tuple[int, Status, Excuse, bool]:
    length = length or DayLength()
    both = day_cells(marks(*rows), np.array([0]), length, Periods(due, listed))
    if len(rows) == 1 and not rows[0]["period"]:
        assert whole_day_cells(marks(*rows), length).tolist() == both.tolist()
    return read(both)


@pytest.mark.parametrize(
    ("minutes", "missed"),
    [(0, 0), (120, 0), (121, 500), (270, 500), (271, 1000), (420, 1000), (500, 1000), (999, 1000)],
)
def test_the_half_day_rule_on_a_day_of_420_minutes(minutes: int, missed: int) -> None:
    assert day(mark(minutes=minutes))[0] == missed


@pytest.mark.parametrize(("minutes", "missed"), [(0, 0), (1, 500), (120, 500), (121, 1000)])
def test_the_limits_never_exceed_a_short_day(minutes: int, missed: int) -> None:
    assert day(mark(minutes=minutes), length=DayLength(day=240))[0] == missed


def test_half_of_an_odd_day_is_exact() -> None:
    odd = DayLength(day=241)
    assert day(mark(minutes=120), length=odd)[0] == 500
    assert day(mark(minutes=121), length=odd)[0] == 1000


def test_in_proportion_minutes_are_floored_to_thousandths() -> None:
    exact = DayLength(proportional=True)
    assert day(mark(minutes=1), length=exact)[0] == 2
    assert day(mark(minutes=140), length=exact)[0] == 333
    assert day(mark(minutes=999), length=exact)[0] == 1000


def test_a_fraction_stays_exact_and_goes_before_minutes() -> None:
    assert day(mark(fraction=333, minutes=999))[0] == 333
    assert day(mark(fraction=0))[0] == 0
    assert day(mark(fraction=1200))[0] == 1000


def test_without_numbers_the_code_decides() -> None:
    assert day(mark()) == (1000, Status.MEMBER, Excuse.UNEXCUSED, False)
    assert day(mark(code_fraction=500, reason=Reason.EXCUSED)) == (500, Status.MEMBER, Excuse.EXCUSED, False)
    assert day(mark(Kind.PRESENT, code_fraction=1000))[0] == 0
    assert day(mark(Kind.EARLY_LEAVE))[0] == 0


@pytest.mark.parametrize("kind", [Kind.PRESENT, Kind.SUSPENSION_IN, Kind.REMOTE, Kind.SCHOOL_FUNCTION])
def test_kinds_that_are_present(kind: Kind) -> None:
    assert day(mark(kind)) == (0, Status.MEMBER, Excuse.OTHER, False)


@pytest.mark.parametrize("kind", [Kind.HOMEBOUND, Kind.HOSPITAL, Kind.NON_MEMBERSHIP])
def test_kinds_that_are_held_out(kind: Kind) -> None:
    assert day(mark(kind, fraction=1000)) == (0, Status.HELD_OUT, Excuse.OTHER, False)


def test_a_tardy_counts_as_tardy_and_its_number_counts_too() -> None:
    assert day(mark(Kind.TARDY)) == (0, Status.MEMBER, Excuse.OTHER, True)
    assert day(mark(Kind.TARDY, minutes=180)) == (500, Status.MEMBER, Excuse.UNEXCUSED, True)


def test_a_suspension_counts_but_is_never_unexcused() -> None:
    for reason in Reason:
        excuse = Excuse.EXCUSED if reason == Reason.EXCUSED else Excuse.OTHER
        assert day(mark(Kind.SUSPENSION_OUT, reason)) == (1000, Status.MEMBER, excuse, False)


@pytest.mark.parametrize(
    ("reason", "excuse"),
    [(Reason.EXCUSED, Excuse.EXCUSED), (Reason.UNEXCUSED, Excuse.UNEXCUSED), (Reason.EXEMPT, Excuse.OTHER),
     (Reason.UNKNOWN, Excuse.UNKNOWN)],
)  # fmt: skip
def test_only_codes_that_say_so_are_excused_or_unexcused(reason: Reason, excuse: Excuse) -> None:
    assert day(mark(reason=reason))[2] == excuse


def test_an_unknown_code_holds_the_day_whatever_its_number() -> None:
    assert day(mark(Kind.UNKNOWN, fraction=1000)) == (0, Status.UNKNOWN_CODE, Excuse.OTHER, False)


def periods(letters: str, length: int = -1) -> list[Row]:
    kinds = {"P": Kind.PRESENT, "A": Kind.ABSENCE, "T": Kind.TARDY, "?": Kind.UNKNOWN, "H": Kind.HOMEBOUND}
    return [mark(kinds[letter], period=1, length=length) for letter in letters]


@pytest.mark.parametrize(
    ("day_of", "missed"),
    [
        ("PPPPPPP", 0),
        ("AAPPPPP", 0),
        ("AAAPPPP", 500),
        ("AAAAPPP", 500),
        ("AAAAAPP", 1000),
        ("AAAAAAA", 1000),
    ],
)
def test_periods_are_shares_of_the_day(day_of: str, missed: int) -> None:
    assert day(*periods(day_of), listed=True)[0] == missed


def test_unknown_periods_are_left_out_and_the_rest_is_scaled() -> None:
    assert day(*periods("A??"), listed=True)[0] == 1000
    assert day(*periods("AP??"))[0] == 500
    assert day(*periods("AAA????", 60), due=420)[0] == 1000
    assert day(*periods("AAA???", 60))[0] == 1000
    assert day(*periods("???"))[1] is Status.UNKNOWN_CODE
    assert day(*periods("HHH"))[1] is Status.HELD_OUT


@pytest.mark.parametrize("missed", ["A", "AA", "AAAAAAA", "AT", "A?"])
def test_what_part_of_the_day_periods_are_is_unknown_where_nobody_listed_the_others(missed: str) -> None:
    assert day(*periods(missed))[:3] == (0, Status.UNKNOWN_PERIODS, Excuse.OTHER)


def test_an_attended_period_shows_that_every_period_has_a_row() -> None:
    assert day(*periods("AAAPPPP"))[:2] == (500, Status.MEMBER)


def test_where_no_period_was_missed_the_day_is_attended_however_long_they_are() -> None:
    assert day(*periods("TT")) == (0, Status.MEMBER, Excuse.OTHER, True)
    assert day(mark(Kind.SCHOOL_FUNCTION, period=1))[:2] == (0, Status.MEMBER)


def test_a_timetable_says_how_long_a_period_is_and_what_is_due() -> None:
    assert day(*periods("A", 60), due=420)[0] == 0
    assert day(*periods("AAA", 60), due=420)[0] == 500
    assert day(*periods("AAAAA", 60), due=420)[0] == 1000
    assert day(*periods("AAAAAAA", 60), due=420)[0] == 1000


def test_all_periods_are_the_whole_day_also_where_they_are_shorter_than_it() -> None:
    assert day(*periods("AAAA", 60), due=240)[0] == 1000
    assert day(*periods("AA", 60), due=240)[0] == 500


def test_without_a_timetable_the_minutes_of_periods_are_minutes_of_the_day() -> None:
    assert day(*periods("AA", 60))[0] == 0
    assert day(*periods("AAA", 60))[0] == 500
    assert day(*periods("TTTTTTT", 60)) == (0, Status.MEMBER, Excuse.OTHER, True)


def test_minutes_of_its_own_are_a_part_of_the_period() -> None:
    assert day(mark(period=1, length=60, minutes=30), *periods("AA", 60), due=420)[0] == 500  # 150 of 420
    assert day(mark(period=1, length=60, minutes=999), mark(period=1, length=60), due=420)[0] == 0  # 120 of 420
    assert day(mark(period=1, minutes=180))[0] == 500
    assert day(mark(period=1, minutes=999))[1] is Status.UNKNOWN_PERIODS


def test_a_period_that_is_not_on_the_timetable_leaves_the_day_unknown() -> None:
    assert day(*periods("A", 60), mark(period=1), due=420)[1] is Status.UNKNOWN_PERIODS


@pytest.mark.parametrize(("corrected", "told"), [(True, -1), (False, 2)])
def test_a_period_that_was_corrected_or_told_of_later_shows_nothing_of_the_others(corrected: bool, told: int) -> None:
    attended = mark(Kind.PRESENT, period=1, told=told)
    assert day(*periods("A"), attended)[1] is Status.UNKNOWN_PERIODS
    assert day(*periods("APP"), attended)[0] == 0  # one of four: the first file lists them


def test_where_every_period_has_a_row_one_without_a_row_was_not_taken() -> None:
    assert day(*periods("AA", 60), due=420, listed=True)[0] == 1000
    assert day(*periods("AAPP", 60), due=420, listed=True)[0] == 500  # 120 of 240 minutes are 210 of 420
    assert day(*periods("AA", 60), due=420)[0] == 0


def test_a_timetable_of_more_than_a_day_does_not_tell_what_was_due() -> None:
    assert day(*periods("AAAA", 90), due=-1)[1] is Status.UNKNOWN_PERIODS
    assert day(*periods("AAAA", 90), due=-1, listed=True)[0] == 1000
    assert day(*periods("AAPP", 90), due=-1)[0] == 500  # the attended ones show that all four are there
    assert day(*periods("TT", 90), due=-1)[:2] == (0, Status.MEMBER)
    assert day(*2 * [mark(period=1, length=90, minutes=70)], due=-1)[0] == 500  # the rows themselves say how much


def test_the_excuse_of_a_day_of_periods() -> None:
    excused, unexcused = mark(reason=Reason.EXCUSED, period=1), mark(period=1)
    assert day(excused, unexcused, listed=True)[2] is Excuse.UNEXCUSED
    assert day(excused, excused, listed=True)[2] is Excuse.EXCUSED
    assert day(excused, excused, mark(Kind.PRESENT, period=1), mark(Kind.TARDY, period=1))[2:] == (
        Excuse.EXCUSED,
        True,
    )


def test_periods_go_before_a_code_and_after_a_number() -> None:
    assert day(mark(), *periods("PPP"))[0] == 0
    assert day(mark(fraction=250), *periods("AAA"))[0] == 250
    assert day(mark(minutes=200), *periods("AAA"))[0] == 500


def test_a_whole_day_row_gives_periods_its_reason_and_that_it_came_late() -> None:
    assert day(mark(reason=Reason.EXCUSED), *periods("AAAPPPP")) == (500, Status.MEMBER, Excuse.EXCUSED, False)
    assert day(mark(Kind.SUSPENSION_OUT), *periods("AAAAAAA")) == (1000, Status.MEMBER, Excuse.OTHER, False)
    assert day(mark(Kind.PRESENT), *periods("AAAPPPP")) == (500, Status.MEMBER, Excuse.UNEXCUSED, False)
    assert day(mark(Kind.TARDY), *periods("PPPPPPP")) == (0, Status.MEMBER, Excuse.OTHER, True)
    assert day(mark(reason=Reason.EXCUSED), *periods("AAA", 60), due=420)[:3] == (500, Status.MEMBER, Excuse.EXCUSED)
    assert day(mark(), *periods("???")) == (1000, Status.MEMBER, Excuse.UNEXCUSED, False)


def test_a_whole_day_absence_stands_where_its_periods_do_not_add_up() -> None:
    assert day(mark(), *periods("AA"))[:2] == (1000, Status.MEMBER)
    for other in (Kind.TARDY, Kind.PRESENT, Kind.EARLY_LEAVE):
        assert day(mark(other), *periods("AA"))[:2] == (0, Status.UNKNOWN_PERIODS)


def test_a_day_held_out_or_unknown_as_a_whole_is_so_whatever_its_periods() -> None:
    assert day(mark(Kind.HOMEBOUND), *periods("AAAAAAA"))[:2] == (0, Status.HELD_OUT)
    assert day(mark(Kind.UNKNOWN), *periods("PPPPPPP"))[:2] == (0, Status.UNKNOWN_CODE)


def test_a_remote_day_that_nobody_joined_is_worth_what_its_code_says() -> None:
    assert day(mark(Kind.REMOTE, code_fraction=1000))[0] == 1000


def test_which_of_several_whole_day_rows_stands() -> None:
    order = [
        (Kind.UNKNOWN, Reason.EXCUSED), (Kind.PRESENT, Reason.UNKNOWN), (Kind.EARLY_LEAVE, Reason.UNKNOWN),
        (Kind.ABSENCE, Reason.UNKNOWN), (Kind.ABSENCE, Reason.UNEXCUSED), (Kind.ABSENCE, Reason.EXEMPT),
        (Kind.ABSENCE, Reason.EXCUSED), (Kind.HOMEBOUND, Reason.UNKNOWN), (Kind.TARDY, Reason.UNKNOWN),
    ]  # fmt: skip
    ranks = [int(precedence(np.array(kind), np.array(reason))) for kind, reason in order]
    assert ranks == sorted(set(ranks))
    assert day(mark(), mark(Kind.TARDY), mark(Kind.PRESENT)) == (0, Status.MEMBER, Excuse.OTHER, True)
    assert day(mark(), mark(reason=Reason.EXCUSED)) == (1000, Status.MEMBER, Excuse.EXCUSED, False)


rows = st.builds(
    mark, kind=st.sampled_from(Kind), reason=st.sampled_from(Reason), fraction=st.sampled_from([-1, -1, 250]),
    code_fraction=st.sampled_from([-1, 0, 500]), minutes=st.sampled_from([-1, -1, 0, 180, 999]),
    period=st.booleans(),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(rows, min_size=1, max_size=5), st.sampled_from([240, 420])), min_size=1, max_size=6))
def test_many_days_at_once_are_each_day_alone(days: list[tuple[list[Row], int]]) -> None:
    starts = np.cumsum([0, *(len(given_rows) for given_rows, _ in days)])[:-1]
    lengths = DayLength(day=np.array([minutes for _, minutes in days]))
    together = day_cells(marks(*(row for given_rows, _ in days for row in given_rows)), starts, lengths)
    alone = [day_cells(marks(*rows), np.array([0]), DayLength(day=minutes)).tolist()[0] for rows, minutes in days]
    assert together.tolist() == alone


PRESENCE = (Kind.PRESENT, Kind.SCHOOL_FUNCTION, Kind.SUSPENSION_IN, Kind.REMOTE)


@pytest.mark.parametrize("kind", PRESENCE)
def test_a_code_of_presence_misses_nothing_whatever_number_stands_beside_it(kind: Kind) -> None:
    for number in ({"minutes": 420}, {"minutes": 999}, {"fraction": 1000}):
        assert day(mark(kind, code_fraction=0, **number))[:2] == (0, Status.MEMBER)
        assert day(*[mark(kind, period=1, code_fraction=0, **number)] * 7)[:2] == (0, Status.MEMBER)


def test_a_remote_day_that_nobody_joined_keeps_its_own_number() -> None:
    assert day(mark(Kind.REMOTE, code_fraction=1000))[0] == 1000
    assert day(mark(Kind.REMOTE, code_fraction=1000, minutes=180))[0] == 500
    assert day(mark(Kind.REMOTE, code_fraction=1000, fraction=250))[0] == 250


@pytest.mark.parametrize("kind", [Kind.SCHOOL_FUNCTION, Kind.SUSPENSION_IN, Kind.REMOTE])
def test_a_day_away_with_the_school_stands_where_teachers_marked_the_empty_chair(kind: Kind) -> None:
    assert day(mark(kind), *periods("AAAAAAA"))[:2] == (0, Status.MEMBER)


def test_a_tardy_row_keeps_its_own_number() -> None:
    assert day(mark(Kind.TARDY, minutes=180)) == (500, Status.MEMBER, Excuse.UNEXCUSED, True)
