"""What each state's law counts, one plain function a state, day by day and slowly; written from the laws' words.

It shares nothing with the product: a child is a list of school days, and a count is a loop over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

UNEXCUSED, UNKNOWN, EXCUSED, OTHER = "unexcused", "unknown", "excused", "other"
ALL = (UNEXCUSED, UNKNOWN, EXCUSED, OTHER)


@dataclass(frozen=True)
class SchoolDay:
    """A day on which the child was due and attendance is known."""

    date: date
    worth: Fraction  # 1, or a half on a short day of the calendar
    missed: Fraction  # share of the day, 0 to 1, by the half-day rule where that holds
    why: str
    minutes: int  # how many of the day were missed, to the minute
    minutes_why: str
    whole: bool  # whether those are all of it
    late: bool = False


@dataclass(frozen=True)
class Child:
    """Days of two school years, in order; grade and birth date, which hinders nothing where nobody told it."""

    days: tuple[SchoolDay, ...]
    year_starts: date
    taught: tuple[date, ...]  # days of this school year on which the child's schools had class
    grade: str
    born: date | None


@dataclass(frozen=True)
class Told:
    """How much was counted, and whether the law's line is reached; `about`: whether the law is about this child."""

    amount: Fraction
    reached: bool
    about: bool = True
    of: Fraction | None = None  # days enrolled, where a share is asked for


Answers = dict[str, Told]


def california(child: Child, today: date) -> Answers:
    """Occasions: a day missed, or more than 30 minutes of one."""
    year = this_year(child, today)
    occasions = Fraction(sum(1 for day in year if day.minutes_why == UNEXCUSED and day.minutes > 30))
    about = from_age(child, 6, today) and under(child, 18, today) and child.grade not in ("PK", "TK")
    enrolled, without, missed = worth(year), absent(year, (UNEXCUSED,)), absent(year, ALL)
    since_2013, since_2011 = today >= date(2013, 1, 1), today >= date(2011, 1, 1)
    return {
        "CA_THREE_OCCASIONS": Told(occasions, since_2013 and about and occasions >= 3, about),
        "CA_FOURTH_OCCASION": Told(occasions, since_2013 and about and occasions >= 4, about),
        "CA_FIFTH_OCCASION": Told(occasions, since_2013 and about and occasions >= 5, about),
        "CA_TENTH_WITHOUT_EXCUSE": Told(without, since_2011 and about and tenth(without, enrolled), about, enrolled),
        "CA_TENTH_OF_THE_YEAR": Told(missed, since_2011 and enrolled > 30 and tenth(missed, enrolled), of=enrolled),
    }


def florida(child: Child, today: date) -> Answers:
    """Calendar days; nobody knowing why counts as no excuse for the five and the ten."""
    month = [day for day in this_year(child, today) if (day.date.year, day.date.month) == (today.year, today.month)]
    ninety = [day for day in child.days if today - timedelta(days=90) < day.date <= today]
    february = date(child.year_starts.year + 1, 2, 1)
    about = from_age(child, 6, february) and under(child, 16, today) and child.grade != "PK"
    five, ten = absent(month, (UNEXCUSED, UNKNOWN)), absent(ninety, (UNEXCUSED, UNKNOWN))
    fifteen = absent(ninety, (UNEXCUSED,))
    return {
        "FL_FIVE_IN_A_MONTH": Told(five, about and five >= 5, about),
        "FL_TEN_IN_90_DAYS": Told(ten, about and ten >= 10, about),
        "FL_FIFTEEN_IN_90_DAYS": Told(fifteen, about and fifteen >= 15, about),
    }


def illinois(child: Child, today: date) -> Answers:
    """The last 180 attendance days, last year's among them; and a tenth of this year."""
    last_180 = [day for day in child.days if day.date <= today][-180:]
    september = date(child.year_starts.year, 9, 1)
    about = from_age(child, 6, september) and under(child, 17, today) and child.grade != "PK"
    without = absent(last_180, (UNEXCUSED,))
    year = this_year(child, today)
    missed = absent(year, ALL)
    return {
        "IL_MORE_THAN_ONE_PERCENT": Told(without, about and Fraction(180, 100) < without < 9, about),
        "IL_NINE_OF_180": Told(without, about and without >= 9, about),
        "IL_TENTH_OF_THE_YEAR": Told(missed, today >= date(2018, 7, 1) and tenth(missed, worth(year)), of=worth(year)),
    }


def indiana(child: Child, today: date) -> Answers:
    """Ten weeks for the youngest grades, a tenth of the year, ten days in the year."""
    year = this_year(child, today)
    weeks = [day for day in year if day.date > today - timedelta(weeks=10)]
    five, ten, missed = absent(weeks, (UNEXCUSED,)), absent(year, (UNEXCUSED,)), absent(year, ALL)
    young = child.grade in ("K", "1", "2", "3", "4", "5", "6")
    about = under(child, 18, today) and child.grade != "PK"
    return {
        "IN_FIVE_IN_TEN_WEEKS": Told(five, today >= date(2024, 7, 1) and young and five >= 5, young),
        "IN_TENTH_OF_THE_YEAR": Told(missed, today >= date(2025, 7, 1) and tenth(missed, worth(year)), of=worth(year)),
        "IN_TEN_IN_A_YEAR": Told(ten, about and ten >= 10, about),
    }


def new_jersey(child: Child, today: date) -> Answers:
    """A tenth of the days enrolled, from 45 of them on."""
    year = this_year(child, today)
    missed = absent(year, ALL)
    reached = worth(year) >= 45 and tenth(missed, worth(year))
    return {"NJ_TENTH_OF_THE_YEAR": Told(missed, reached, of=worth(year))}


def new_york(child: Child, today: date) -> Answers:
    """A tenth of the days enrolled, from ten of them on, for whoever came on at least one."""
    year = this_year(child, today)
    missed = absent(year, ALL)
    came = worth(year) - missed
    reached = worth(year) >= 10 and came >= 1 and tenth(missed, worth(year))
    return {"NY_TENTH_OF_THE_YEAR": Told(missed, reached, of=worth(year))}


def ohio(child: Child, today: date) -> Answers:
    """Hours: in a row, in a school month of four weeks, in the year."""
    year = this_year(child, today)
    month = [day for day in year if school_month(child, day.date) == school_month(child, today)]
    row = []
    for day in reversed(year):
        if not day.whole or day.minutes_why != UNEXCUSED:
            break
        row.append(day)
    about = from_age(child, 6, today) and under(child, 18, today) and child.grade != "PK"
    young, old = child.grade in ("K", "1", "2", "3", "4", "5", "6"), child.grade in ("7", "8", "9", "10", "11", "12")
    before, since = today <= date(2025, 9, 29), today >= date(2025, 9, 30)
    in_row, in_month, in_year = hours(row, (UNEXCUSED,)), hours(month, (UNEXCUSED,)), hours(year, (UNEXCUSED,))
    any_month, any_year = hours(month, ALL), hours(year, ALL)
    return {
        "OH_30_HOURS_IN_A_ROW": Told(in_row, about and in_row >= 30, about),
        "OH_42_HOURS_IN_A_MONTH": Told(in_month, about and in_month >= 42, about),
        "OH_72_HOURS_IN_A_YEAR": Told(in_year, about and in_year >= 72, about),
        "OH_TENTH_OF_910_HOURS": Told(any_year, since and young and any_year >= 91, young),
        "OH_TENTH_OF_1001_HOURS": Told(any_year, since and old and any_year >= Fraction(1001, 10), old),
        "OH_38_HOURS_IN_A_MONTH": Told(any_month, before and about and any_month >= 38, about),
        "OH_65_HOURS_IN_A_YEAR": Told(any_year, before and about and any_year >= 65, about),
    }


def pennsylvania(child: Child, today: date) -> Answers:
    """Three and six days in the school year."""
    without = absent(this_year(child, today), (UNEXCUSED,))
    about = under(child, 18, today) and child.grade != "PK"
    return {
        "PA_THREE_IN_A_YEAR": Told(without, about and without >= 3, about),
        "PA_SIX_IN_A_YEAR": Told(without, about and without >= 6, about),
    }


def texas(child: Child, today: date) -> Answers:
    """Days or parts of days, each as one, within one school year."""
    year = this_year(child, today)
    four_weeks = [day for day in year if day.date > today - timedelta(weeks=4)]
    half_a_year = [day for day in year if day.date > months_before(today, 6)]
    about = from_age(child, 6, today) and under(child, 19, today) and child.grade != "PK"
    three, ten = parts(four_weeks), parts(half_a_year)
    return {
        "TX_THREE_IN_FOUR_WEEKS": Told(three, about and three >= 3, about),
        "TX_TEN_IN_SIX_MONTHS": Told(ten, about and ten >= 10, about),
    }


def virginia(child: Child, today: date) -> Answers:
    """Days missed whole in the school year."""
    year = this_year(child, today)
    whole = Fraction(sum(1 for day in year if day.missed == 1 and day.why == UNEXCUSED))
    september = date(child.year_starts.year, 9, 30)
    about = from_age(child, 5, september) and under(child, 18, today) and child.grade != "PK"
    return {
        "VA_FIVE": Told(whole, about and whole >= 5, about),
        "VA_SEVEN": Told(whole, today >= date(2021, 3, 18) and about and whole >= 7, about),
        "VA_TEN": Told(whole, today >= date(2021, 3, 18) and about and whole >= 10, about),
    }


def washington(child: Child, today: date) -> Answers:
    """Seven in a calendar month, fifteen in the school year."""
    year = this_year(child, today)
    month = [day for day in year if (day.date.year, day.date.month) == (today.year, today.month)]
    seven, fifteen = absent(month, (UNEXCUSED,)), absent(year, (UNEXCUSED,))
    about = from_age(child, 8, today) and under(child, 17, today) and child.grade != "PK"
    return {
        "WA_SEVEN_IN_A_MONTH": Told(seven, about and seven >= 7, about),
        "WA_FIFTEEN_IN_A_YEAR": Told(fifteen, about and fifteen >= 15, about),
    }


STATES: dict[str, Callable[[Child, date], Answers]] = {
    "CA": california, "FL": florida, "IL": illinois, "IN": indiana, "NJ": new_jersey, "NY": new_york, "OH": ohio,
    "PA": pennsylvania, "TX": texas, "VA": virginia, "WA": washington,
}  # fmt: skip


def this_year(child: Child, today: date) -> list[SchoolDay]:
    """The days of this school year up to today."""
    return [day for day in child.days if child.year_starts <= day.date <= today]


def worth(days: Iterable[SchoolDay]) -> Fraction:
    """What the days weigh together."""
    return sum((day.worth for day in days), Fraction(0))


def absent(days: Iterable[SchoolDay], whys: tuple[str, ...]) -> Fraction:
    """Days missed for one of these reasons; shares add up, each floored to a thousandth of a day."""
    return sum((Fraction(int(1000 * day.missed * day.worth), 1000) for day in days if day.why in whys), Fraction(0))


def parts(days: Iterable[SchoolDay]) -> Fraction:
    """Days without an excuse of which anything was missed, each as one; coming late only where it is half a day."""

    def counts(day: SchoolDay) -> bool:
        if day.late:
            return day.missed > 0 and day.why == UNEXCUSED
        return day.minutes > 0 and day.minutes_why == UNEXCUSED

    return Fraction(sum(map(counts, days)))


def hours(days: Iterable[SchoolDay], whys: tuple[str, ...]) -> Fraction:
    """Hours missed for one of these reasons."""
    return Fraction(sum(day.minutes for day in days if day.minutes_why in whys), 60)


def tenth(missed: Fraction, enrolled: Fraction) -> bool:
    """Whether ten percent or more was missed."""
    return enrolled > 0 and 10 * missed >= enrolled


def school_month(child: Child, day: date) -> int:
    """Weeks in which there was school, four by four, from the first week of the school year."""
    mondays = sorted({one - timedelta(days=one.weekday()) for one in child.taught})
    return mondays.index(day - timedelta(days=day.weekday())) // 4


def from_age(child: Child, years: int, on: date) -> bool:
    """Whether the child is so old on a day; an unknown birth date hinders nothing."""
    return child.born is None or birthday(child.born, years) <= on


def under(child: Child, years: int, on: date) -> bool:
    """Whether the child is younger on a day; an unknown birth date hinders nothing."""
    return child.born is None or on < birthday(child.born, years)


def birthday(born: date, years: int) -> date:
    """The day on which somebody turns so old; the first of March for who was born on a leap day."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    number = day.year * 12 + day.month - 1 - months
    for back in range(4):
        try:
            return date(number // 12, number % 12 + 1, day.day - back)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
