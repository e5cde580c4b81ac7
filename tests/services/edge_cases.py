"""Reads tests/spec/edge_cases.yaml: short lines become the CSV files of a small district, and go in as files do.

All cases share one database, so names carry the number of their case: `ana` of case 5 is `ana-5`. Ids that are
digits stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest, ledger, one_child
from ew_app.services.measuring import statutory
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.judging import judge
from ew_app.services.measuring.measures import measures
from ew_app.services.measuring.why import explain
from ew_app.services.rosters import fixing
from models.base import db
from models.cases import Case as SupportCase
from models.people import Student
from rules.access import Area

SPEC = Path(__file__).parents[1] / "spec" / "edge_cases.yaml"
THIS_YEAR, LAST_YEAR = date(2026, 8, 17), date(2026, 1, 5)  # Mondays
TODAY = date(2027, 6, 30)
_LAWLESS = {"in_scope": "not asked", "in_force": "not in force"}
ATTENDANCE = ("fraction_absent", "minutes_absent", "period", "last_modified")
TABLES = {
    "schools": "school_id,name,network_id,network_name,day_minutes,min_full_minutes,min_half_minutes",
    "students": "student_id,first_name,last_name,grade,birth_date",
    "enrollments": "student_id,school_id,entry_date,exit_date,exit_code,calendar_id",
    "calendar": "school_id,calendar_id,date,day_type,day_value,day_minutes",
    "student_changes": "former_student_id,student_id",
    "sessions": "school_id,session,begin_date,end_date,instructional_days",
    "schedule": "school_id,grade,period,minutes,counts",
    "absence_codes": "school_id,code,title,kind,absent_fraction,excused,valid_from,valid_to",
}


def cases() -> list[dict[str, Any]]:
    """Every case of the specification."""
    found: list[dict[str, Any]] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    seen: Counter[int] = Counter()
    for case in found:
        case["letter"] = " bcdefghijklmnopqrstuvwxyz"[seen[case["case"]]].strip()
        seen[case["case"]] += 1
    return found


def known_codes() -> list[str]:
    """The codes that every case may use."""
    return SPEC.with_name("edge_codes.csv").read_text(encoding="utf-8").splitlines()[1:]


def weekdays(start: date, count: int) -> list[date]:
    days = (start + timedelta(days=n) for n in range(2 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]


@dataclass
class Case:
    """One case: what is given, then step by step, then what must be true."""

    said: Mapping[str, Any]
    batches: list[int] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The number of the case, and a letter for a further example of it."""
        return f"{self.said['case']}{self.said['letter']}"

    @property
    def days(self) -> dict[str, list[date]]:
        """Days of this school year (d) and of the last one (y), in order."""
        return {
            "d": weekdays(THIS_YEAR, self.said.get("school_days", 20)),
            "y": weekdays(LAST_YEAR, self.said.get("last_year_days", 0)),
        }

    def name(self, word: str) -> str:
        return word if word.isdigit() else f"{word}-{self.label}"

    def dates(self, words: str) -> list[date]:
        """`d5`, `d1-d18`, `y3`, `2026-09-07`, `all`, and several of these with commas."""
        found: list[date] = []
        for word in words.split(","):
            if word == "all":
                found += self.days["d"]
            elif span := re.fullmatch(r"([dy])(\d+)(?:-[dy](\d+))?", word):
                first, last = int(span[2]), int(span[3] or span[2])
                found += self.days[span[1]][first - 1 : last]
            else:
                found.append(date.fromisoformat(word))
        return found

    def run(self) -> None:
        self._load("roster", self._roster())
        for step in self.said.get("steps", [{"covers": ["lincoln all"]}]):
            self._step(step)
        for who, wanted in self.said["expect"].items():
            self._check(who, wanted)

    # -- what is given ---------------------------------------------------------------------------------------

    def _roster(self) -> dict[str, bytes]:
        lines = self.said.get("enrolled", ["ana lincoln"])
        stints = [line.split() for line in lines]
        schools = self.said.get("schools") or {word[1]: {} for word in stints}
        files = {
            "schools": [self._school(key, more or {}) for key, more in schools.items()],
            "students": [
                f"{self.name(who)},{who.title()},Reyes,{self._person(who)}"
                for who in {stint[0]: None for stint in stints}
            ],
            "enrollments": [self._stint(line) for line in lines],
            "calendar": self._calendar(schools, self.said.get("calendar", [])),
            "absence_codes": [*known_codes(), *self._codes(self.said.get("codes", []))],
            "schedule": [row for line in self.said.get("timetable", []) for row in self._periods(line)],
        }
        return csv_files(files)

    def _person(self, who: str) -> str:
        """Grade and birth date: grade 4 and none, unless the case says otherwise."""
        grade, born = str(self.said.get("people", {}).get(who, "4 ")).partition(" ")[::2]
        return f"{grade},{born}"

    def _school(self, key: str, more: Mapping[str, Any]) -> str:
        minutes = [str(more.get(name, "")) for name in ("day_minutes", "min_full_minutes", "min_half_minutes")]
        return ",".join([self.name(key), key.title(), "1", "North", *minutes])

    def _stint(self, line: str) -> str:
        """`ana lincoln [from] [until] [code=..] [calendar=..]`; days as in `dates`."""
        who, school, *rest = line.split()
        named = dict(word.split("=") for word in rest if "=" in word)
        dated = [str(self.dates(word)[0]) for word in rest if "=" not in word]
        entry, leaving = [*dated, "", ""][:2] if dated else (str(THIS_YEAR), "")
        code = named.get("code", "").replace("_", " ")
        return ",".join([self.name(who), self.name(school), entry, leaving, code, named.get("calendar", "")])

    def _calendar(self, schools: Iterable[str], more: Iterable[str]) -> list[str]:
        lines = []
        for key, said in (self.said.get("schools") or {key: {} for key in schools}).items():
            if (said or {}).get("calendar", "usual") == "usual":
                lines += [f"{self.name(key)},,{day},instructional,," for days in self.days.values() for day in days]
        changed = [line for entry in more for line in self._dates_of(entry)]
        stated = {line.split(",")[0] + line.split(",")[2] for line in changed if line.split(",")[1] == ""}
        if self.said.get("calendar_rows_stand_beside"):
            stated = set()
        return [line for line in lines if line.split(",")[0] + line.split(",")[2] not in stated] + changed

    def _dates_of(self, entry: str) -> Iterator[str]:
        """`lincoln d3 holiday`, `lincoln/K d6-d20 instructional value=0.5 minutes=200`."""
        where, days, kind, *rest = entry.split()
        school, _, calendar = where.partition("/")
        named = dict(word.split("=") for word in rest)
        for day in self.dates(days):
            yield f"{self.name(school)},{calendar},{day},{kind},{named.get('value', '')},{named.get('minutes', '')}"

    def _codes(self, lines: Iterable[str]) -> Iterator[str]:
        """`U present 0 unknown [school=..] [from=..] [to=..]`."""
        for line in lines:
            code, kind, fraction, excused, *rest = line.split()
            named = dict(word.split("=") for word in rest)
            school = self.name(named["school"]) if "school" in named else ""
            dates = (named.get("from", ""), named.get("to", ""))
            yield ",".join([school, code, "Said", kind, fraction, excused, *dates])

    # -- what happens ----------------------------------------------------------------------------------------

    def _step(self, step: Mapping[str, Any]) -> None:
        if "undo" in step:
            batch = self.batches[step["undo"] - 1]
            ingest.take_back(batch, by=OPERATOR)
            ingest.undo(batch)
            return
        if "merge" in step:
            gone, _, kept = step["merge"].split()
            one_child.merge(self.name(kept), self.name(gone), reason="The same child", by=OPERATOR)
            flagging.evaluate_touched()
            return
        if "part" in step:
            one_child.part(self.name(step["part"]), by=OPERATOR)
            flagging.evaluate_touched()
            return
        if "roster" in step:
            told = self._load("roster", csv_files(self._later_roster(step["roster"])), step.get("exit"))
        else:
            told = self._load("attendance", self._files(step), None, step)
            self.batches.append(told["batch"])
        for name, wanted in step.get("told", {"status": "applied"}).items():
            self._compare(f"told {name}", told[name], wanted)

    def _later_roster(self, said: Mapping[str, Any]) -> dict[str, list[str]]:
        enrolled = said.get("enrolled", [])
        return {
            "students": [f"{self.name(line.split()[0])},Ann,Reyes,4," for line in enrolled],
            "enrollments": [self._stint(line) for line in enrolled],
            "calendar": [line for entry in said.get("calendar", []) for line in self._dates_of(entry)],
            "student_changes": [
                ",".join(self.name(who) for who in line.split(" is now ")) for line in said.get("changes", [])
            ],
            "sessions": [self._session(line) for line in said.get("sessions", [])],
            "absence_codes": list(self._codes(said.get("codes", []))),
            "schedule": [row for line in said.get("timetable", []) for row in self._periods(line)],
        }

    def _periods(self, line: str) -> Iterator[str]:
        """`lincoln 1,2,3 60`, `lincoln lunch 30 no`, `lincoln/9 A,B 90`: periods of a school, or of a grade there."""
        where, periods, minutes, *counts = line.split()
        school, _, grade = where.partition("/")
        for period in periods.split(","):
            yield ",".join([self.name(school), grade, period, minutes, *(counts or ["yes"])])

    def _session(self, line: str) -> str:
        """`lincoln Fall d1 d20 19`: how many school days a term is said to have."""
        school, name, first, last, days = line.split()
        return ",".join([self.name(school), name, str(self.dates(first)[0]), str(self.dates(last)[0]), days])

    def _files(self, step: Mapping[str, Any]) -> dict[str, bytes]:
        if "raw" in step:
            text = step["raw"].replace("{case}", self.label)
            files = {"attendance.csv": text.encode("latin-1")}
        else:
            header = ",".join(("student_id", "school_id", "date", "code", *ATTENDANCE))
            rows = [row for line in step.get("rows", []) for row in self._rows(line)]
            files = {"attendance.csv": "\n".join([header, *rows, ""]).encode()}
        for name in ("covers", "submitted"):
            if name in step:
                pairs = [line.split() for line in step[name]]
                days = [f"{self.name(school)},{day}" for school, words in pairs for day in self.dates(words)]
                files[f"{name}.csv"] = "\n".join(["school_id,date", *days, ""]).encode()
        return files

    def _rows(self, line: str) -> Iterator[str]:
        """`ana lincoln d3-d5 A fraction=0.5 minutes=180 period=1,2,3 at=2026-09-01T08:00`."""
        who, school, days, code, *rest = line.split()
        named = dict(word.split("=") for word in rest)
        for day in [days] if days.startswith("!") else self.dates(days):
            for period in named.get("period", "").split(","):
                cells = (named.get("fraction", ""), named.get("minutes", ""), period, named.get("at", ""))
                code = "" if code == "-" else code
                yield ",".join([self.name(who), self.name(school), str(day).lstrip("!"), code, *cells])

    def _load(
        self, kind: str, files: dict[str, bytes], ends: str | None = None, step: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        step = step or {}
        ends = ends or self.said.get("exit")
        batch = ingest.receive(
            kind=kind, name=f"case {self.label}", files=files, by=OPERATOR,
            source=step.get("source", "sis") + f" {self.label}", feed=step.get("feed"),
            accept_held=step.get("accept_held", False), options=self._said_of(kind, ends, step),
        )  # fmt: skip
        ingest.load(batch)
        return ingest.describe(batch)

    def _said_of(self, kind: str, ends: str | None, step: Mapping[str, Any]) -> dict[str, str]:
        """What the sender says of a file: how exit dates read, how class periods add up."""
        if kind == "roster":
            return {"exit": ends} if ends else {}
        return {"periods": str(step["periods"])} if "periods" in step else {}

    # -- what must be true -----------------------------------------------------------------------------------

    def _check(self, who: str, wanted: Any) -> None:
        """`ana`, `ana at carver`, `ana on d10` with values; `lincoln d3` with the status of that day."""
        words = who.split()
        if len(words) == 2:
            (day,) = self.dates(words[1])
            rows = ledger.days(start=day, until=day, school=self.name(words[0]))
            assert [row.status for row in rows] == [wanted], who
            return
        named = dict(zip(words[1::2], words[2::2], strict=True))
        as_of = self.dates(named["on"])[0] if "on" in named else self.days["d"][-1]
        found = self._measures(words[0], named.get("at"), as_of)
        for name, value in wanted.items():
            self._compare(f"{who}: {name}", found(name), value)

    def _measures(self, who: str, school: str | None, as_of: date) -> Any:
        key = self.name(who)
        scope = "school" if school else "student"
        rows = list(measures(as_of, scope=scope, student=key))
        if school:
            rows = [row for row in rows if row["school_id"] == self.name(school)]

        def said(name: str) -> Any:
            if name == "rows":
                return len(rows)
            if name == "lines_outside":
                listed = fixing.rows("not_enrolled", Area(district=True), OPERATOR)
                return [row["line"] for row in listed if row["student_id"] == key]
            if name.isupper():
                return self._law(key, name, as_of)
            if name in ("findings", "cases", "open_cases"):
                return self._findings(key, as_of) if name == "findings" else _open_cases(key)
            if rows and name in rows[0]:
                return rows[0][name]
            return self._fact(key, name, as_of)

        return said

    def _law(self, key: str, measure: str, as_of: date) -> str:
        """What a state's law counts, with what is to be known about it: `10 met`, `4`, `66.3 estimated`."""
        state = measure.partition("_")[0]
        (row,) = [one for one in statutory.counts(as_of, student=key, states=[state]) if one["measure"] == measure]
        notes = [word for word in ("met", "estimated") if row[word] == "true"]
        notes += [words for name, words in _LAWLESS.items() if row[name] == "false"]
        return " ".join([row["value"], *notes])

    def _findings(self, key: str, as_of: date) -> list[str]:
        return sorted(reason.rule for reason in explain(key, as_of).reasons)

    def _fact(self, key: str, name: str, as_of: date) -> int:
        judged = judge([student_number(key)], frame(as_of))
        assert judged is not None
        return int(judged.facts.named(name)[0, judged.last])

    def _compare(self, what: str, found: Any, wanted: Any) -> None:
        if isinstance(wanted, str) and wanted.startswith(("d", "y")) and wanted[1:].isdigit():
            wanted = str(self.dates(wanted)[0])
        if isinstance(wanted, bool):
            wanted = str(wanted).lower()
        if isinstance(found, list) and isinstance(wanted, str):
            assert any(wanted in str(one) for one in found), (what, found)
        elif isinstance(found, list):
            assert found == wanted, (what, found)
        elif isinstance(wanted, str) and what.endswith("sentence"):
            assert wanted in found, (what, found)
        else:
            assert str(found) == str(wanted), f"{what}: {found}, expected {wanted}"


def student_number(key: str) -> int:
    with transaction():
        return int(db.session.query(Student.id).filter_by(key=key).scalar())


def _open_cases(key: str) -> int:
    with transaction():
        found = db.session.query(SupportCase).filter_by(student_id=student_number(key))
        return sum(case.status != "closed" for case in found)


def csv_files(lines: Mapping[str, list[str]]) -> dict[str, bytes]:
    """The tables that have rows, as files."""
    return {f"{table}.csv": "\n".join([TABLES[table], *rows, ""]).encode() for table, rows in lines.items() if rows}
