"""What happens to students on ordinary days, as rows of an attendance file."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from tests.oracle.codes import rank
from tests.oracle.district import GRADES, MINUTES, PERIODS, Plan
from tests.oracle.rows import Row

CODES = (
    *("A", "A", "A", "E", "E", "X", "N", "AH", "EH", "T", "T", "TU", "D", "OSS", "OSE", "ISS", "HB", "HO", "R", "RN"),
    *("SF", "NM", "U", "Q", "AQ7", "Z9"),
)
CASES_OF_CODES = {
    "OSS": 45,
    "OSE": 45,
    "ISS": 46,
    "HB": 47,
    "HO": 47,
    "SF": 48,
    "R": 49,
    "RN": 49,
    "X": 50,
    "NM": 51,
    "N": 52,
    "U": 12,
    "Q": 12,
    "AQ7": 11,
    "Z9": 11,
    "AH": 37,
    "EH": 37,
    "T": 38,
}
YEAR_BEGINS, LAST_SPRING = date(2026, 7, 1), date(2026, 4, 21)
PERIOD_NAMES = ("1", "2", "3", "4", "5", "6", "7")
RIVALS = (("A", "T", 7), ("A", "P", 8), ("E", "A", 9), ("A", "A", 10), ("T", "E", 7), ("AQ7", "A", 11), ("P", "P", 10))


class Events:
    """Rows for the days of one file."""

    def __init__(self, plan: Plan, chance: Random, happened: Counter[int]) -> None:
        self.plan, self.chance, self.happened = plan, chance, happened

    def of_school_day(self, school: str, day: date, due: list[str]) -> list[Row]:
        """The rows of those for whom something is to be said."""
        rows: list[Row] = []
        for student in due:
            leaning = self.plan.leaning[student]
            if self.chance.random() < leaning:
                rows += self._of(student, school, day, leaning)
        return rows

    def _of(self, student: str, school: str, day: date, leaning: float) -> list[Row]:
        row = Row(student, school, day, "A")
        if leaning > 1:
            return [row]
        if school == PERIODS:
            return self._periods(row)
        if school == MINUTES or (school == GRADES and self.chance.random() < 0.5):
            return [self._minutes(row)]
        if self.chance.random() < 0.05:
            return self._rivals(row)
        code = self.chance.choice(CODES) if leaning < 0.5 or self.chance.random() < 0.2 else "A"
        if code in CASES_OF_CODES:
            self.happened[CASES_OF_CODES[code]] += 1
        row = replace(row, code=code, last_modified=self._when(day))
        if code in ("A", "E", "T", "TU", "D") and self.chance.random() < 0.2:
            self.happened[37] += 1
            row = replace(row, fraction=self.chance.choice([0, 250, 333, 499, 500, 501, 999, 1000]))
        if self.chance.random() < 0.1:
            self.happened[36] += 1
            row = replace(row, clock=self.chance.choice(["T00:00:00Z", "T23:30:00-05:00", " 00:00:00"]))
        return [row]

    def _when(self, day: date) -> object:
        return self.plan.moment(day, self.chance.randrange(0, 12)) if self.chance.random() < 0.4 else None

    def _minutes(self, row: Row) -> Row:
        """Minutes around every limit, or the number that stands for the whole day."""
        self.happened[39] += 1
        code = self.chance.choice(["A", "E", "T", "TU", "D", "SF", "R", "P"])
        minutes = self.chance.choice([0, 5, 20, 60, 90, 91, 120, 180, 209, 210, 211, 239, 240, 241, 269, 270, 390, 999])
        self.happened[77] += minutes == 999
        self.happened[38] += code == "T" and minutes == 20
        self.happened[40] += code == "D" and 0 < minutes < 120
        return replace(row, code=code, minutes=minutes)

    def _periods(self, row: Row) -> list[Row]:
        """Some of seven periods missed for one reason; some of them nobody can read."""
        reason = self.chance.choice(["A", "E", "X", "A"])
        missed = self.chance.choice([1, 2, 3, 3, 4, 5, 7])
        names = self.chance.sample(PERIOD_NAMES, 7)
        rows = [replace(row, period=name, code=reason if n < missed else "P") for n, name in enumerate(names)]
        self.happened[41] += 1
        if self.chance.random() < 0.2:
            self.happened[43] += 1
            rows[-1] = replace(rows[-1], code="AQ7")
            rows[0] = replace(rows[0], code=self.chance.choice(["AQ7", "T", reason]))
        if self.chance.random() < 0.1:
            self.happened[42] += 1
            rows = rows[:-1]
        if self.chance.random() < 0.2:
            self.happened[44] += 1
            rows.append(replace(row, code=""))
        elif self.chance.random() < 0.1:
            rows.append(replace(row, code=reason))
        return rows

    def _rivals(self, row: Row) -> list[Row]:
        """Two rows for one day, both dated or neither; never two that nothing decides between."""
        one, other, case = self.chance.choice(RIVALS)
        self.happened[case] += 1
        rows = [replace(row, code=one), replace(row, code=other)]
        self.chance.shuffle(rows)
        if self.chance.random() < 0.5:
            hours = self.chance.sample(range(12), 2)
            rows = [
                replace(r, last_modified=self.plan.moment(row.date, hour)) for r, hour in zip(rows, hours, strict=True)
            ]
        roster = self.plan.roster
        assert one == other or rows[0].last_modified or rank(roster, rows[0]) != rank(roster, rows[1])
        return rows

    def strange_rows(self, days: list[date]) -> list[Row]:
        """Rows that count nowhere: weekends, after the exit, far away in time, of another school year, nobody's."""
        rows: list[Row] = []
        stints = [stint for stint in self.plan.roster.stints.values() if stint.school not in self.plan.full]
        for _ in range(12):
            stint = self.chance.choice(stints)
            day = self.chance.choice(days)
            how = self.chance.randrange(6)
            if how == 0:
                self.happened[24] += 1
                day += timedelta(days=6 - day.weekday())
            elif how == 1:
                self.happened[33] += 1
                day = self.chance.choice([date(2110, 12, 12), self.plan.today + timedelta(days=1)])
            elif how == 2:
                self.happened[34] += 1
                day = date(self.chance.choice([3, 210, 1813]), 5, 4)
            elif how == 3:
                self.happened[73] += 1
            elif how == 5 and stint.entry >= YEAR_BEGINS:
                self.happened[74] += 1
                day = self.chance.choice([day for day in self.plan.days if day < YEAR_BEGINS] or [LAST_SPRING])
            student = "nobody" if how == 4 else stint.student
            rows.append(Row(student, stint.school, day, "A"))
        kept = {}
        for row in rows:
            kept.setdefault(row.key, row)
        return list(kept.values())
