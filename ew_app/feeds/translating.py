"""An export of another system, turned into rows of our tables, each with the file and line it came from.

Only what fills our columns is taken, and everything else stays behind before anything is written: what is kept with
a delivery are these rows, never the file itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ew_app.feeds.exports import Export, load_export
from ew_app.feeds.fields import cells_of
from ew_app.feeds.formats import DateOrder, load_format
from ew_app.feeds.grouping import Grouped, OverYears
from ew_app.feeds.handed import Handed
from ew_app.feeds.looking import Seen
from ew_app.feeds.opened import Opened
from ew_app.feeds.parts import ATTENDANCE, Part, table_named
from ew_app.feeds.proving import Proof
from ew_app.feeds.refused import Problem
from ew_app.feeds.saying import Said
from ew_app.feeds.sources import OF_A_LIST, Plan, Rows, plans_of
from ew_app.feeds.written import PROBLEM, Written

MOST_LINES: Final = 20


@dataclass(slots=True)
class Translated:
    """What came of an export: files of ours, sentences for people, rows that gave none, files left alone."""

    parts: list[Part] = field(default_factory=list)
    left_out: int = 0
    told: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Made:
    """The rows that one file gave to one table; of a file with a column for each period, those of the nth."""

    plan: Plan
    seen: Seen
    nth: str
    written: Written


def translate(files: Sequence[Handed], name: str, said: Said, tables: Collection[str]) -> Translated:
    """Rows of these tables from the files of one export. RefusedFile: nothing of it may be used."""
    return _Translation(Opened(load_export(name), files), said, tables).run()


class _Translation:
    """One delivery on its way into our tables."""

    def __init__(self, opened: Opened, said: Said, tables: Collection[str]) -> None:
        self.opened, self.said, self.tables = opened, said, tables
        self.export: Export = opened.export
        self.done = Translated(ignored=opened.ignored)
        self.made: list[Made] = []

    def run(self) -> Translated:
        plans = self._plans()
        order = self._order(plans)
        for plan in plans:
            if not self._is_used(plan):
                continue
            rows = Rows(plan, self.opened)
            for seen in self.opened.files_of(plan.source.of):
                if self._is_complete(plan, seen):
                    self._fill(self._of_classes(plan, seen), seen, rows, order)
        self._keep()
        self._add_ours()
        self.done.told += [*self.opened.notes, *self.opened.dropped(), *self._missing()]
        return self.done

    # -- which sources ---------------------------------------------------------------------------------------

    def _plans(self) -> list[Plan]:
        words = self.said.words(self.export)
        wanted = {table: sources for table, sources in self.export.tables.items() if table in self.tables}
        return [plan for table, sources in wanted.items() for plan in plans_of(sources, table, words)]

    def _is_used(self, plan: Plan) -> bool:
        """Whether a source may give rows here; says why not where people would wonder."""
        source = plan.source
        files = self.opened.files_of(source.of)
        if not files or (source.only_without and self.opened.files_of(source.only_without)):
            return False
        if source.bulk_only and self.opened.lists_changes(source.of):
            self._tell(source.bulk_only)
            return False
        return True

    def _of_classes(self, plan: Plan, seen: Seen) -> Plan:
        """The plan, with the column that names the class of a row where the format knows none; says which it is."""
        plan, column = plan.of_classes(seen.head)
        if column:
            self._tell(f"{seen.file.name}: The column {column[:40]} was read as period.")
        return plan

    def _is_complete(self, plan: Plan, seen: Seen) -> bool:
        """Whether a delimited file has what our required columns are read from; says what it lacks."""
        if seen.head is None:
            return True
        for column in load_format()[plan.table].columns:
            if column.may_be_blank:
                continue
            taker = plan.takers[column.name]
            own = plan.own(taker.fields)
            if own == taker.fields and not own & set(seen.head.keys) and not taker.take({}):
                lacking = " or ".join(sorted(own))
                self._tell(f"{seen.file.name} has no column {lacking}, so no {plan.table} were read from it.")
                return False
        return True

    def _order(self, plans: Sequence[Plan]) -> DateOrder:
        """How dates are written: said, declared by the format, or proven by all dates of the delivery."""
        declared = self.said.dates or self.export.dates
        if declared != "proven":
            return DateOrder(declared)
        proof = Proof()
        for kind, fields in self._dated(plans).items():
            for seen in self.opened.files_of(kind):
                for _, record in self.opened.records(seen, kind, fields):
                    if not isinstance(record, Problem):
                        proof.look_at(record.values())
        return proof.order()

    def _dated(self, plans: Sequence[Plan]) -> dict[str, set[str]]:
        """Kind of record -> its fields that are dates."""
        fields: dict[str, set[str]] = {}
        for plan in plans:
            fields.setdefault(plan.source.of, set()).update(plan.own(plan.dates))
            for join in plan.joins:
                fields.setdefault(join.to, set()).update(plan.of_join(join, plan.dates))
        return {kind: names for kind, names in fields.items() if names}

    # -- rows ------------------------------------------------------------------------------------------------

    def _fill(self, plan: Plan, seen: Seen, rows: Rows, order: DateOrder) -> None:
        """The rows of one file; where one line gives several, each number of them has a file of its own."""
        columns = [name for name in plan.takers if self._is_there(plan, seen, name)]
        grouped = _grouped(columns, dict(plan.source.group), order)
        takers = [plan.takers[name] for name in columns]
        files: dict[str, Written] = {"": Written(columns, order)}
        for line, record in self.opened.records(seen, plan.source.of, self._wanted(plan, seen)):
            if isinstance(record, Problem):
                files[""].reject(line, record.reason)
                continue
            for row in rows.of(line, record):
                if isinstance(row, Problem):
                    files[""].reject(row.line, row.reason)
                    continue
                cells, reason = cells_of(row, takers)
                reason = row.get(PROBLEM, reason)
                if grouped:
                    _group(grouped, files[""], line, cells)
                else:
                    nth = row.get("nth", "")
                    (files.get(nth) or files.setdefault(nth, Written(columns, order))).add(line, cells, reason)
        for line, cells, reason in grouped.rows() if grouped else ():
            files[""].add(line, cells, reason)
        self.made += [Made(plan, seen, nth, file) for nth, file in files.items()]
        self._tell_left_out(seen, rows.left_out)

    def _wanted(self, plan: Plan, seen: Seen) -> set[str]:
        wanted = plan.own(plan.fields)
        if plan.source.each and seen.head:
            wanted |= {key for key in seen.head.keys if plan.lists(key)}
        return wanted

    def _is_there(self, plan: Plan, seen: Seen, name: str) -> bool:
        """Whether the export says, or has to say, anything about a column of ours; what it does not stays as stored."""
        fields = plan.takers[name].fields
        if (
            not fields
            or plan.takers[name].needed
            or fields & OF_A_LIST
            or load_format()[plan.table].column(name).required
        ):
            return True
        if any(seen.head is None or key in seen.head.keys for key in plan.own(fields)):
            return True
        return any(self.opened.has_field(join.to, key) for join in plan.joins for key in plan.of_join(join, fields))

    def _keep(self) -> None:
        """Every file of rows. Of files without any only attendance that is all its file has: it may say nobody."""
        filled = {made.seen.file.name for made in self.made if made.written.rows}
        for made in self.made:
            name = made.seen.file.name
            if made.written.rows or (made.plan.table == "attendance" and name not in filled):
                size, opener = made.written.finished()
                self.done.parts.append(Part(made.plan.table, self._name(made), size, opener))
                filled.add(name)
            if made.written.rows and made.plan.source.note:
                self._tell(made.plan.source.note)

    def _name(self, made: Made) -> str:
        """The file's own name for the first table it fills; then the name with the table, or the period."""
        file = made.seen.file.name
        name = f"{file} (period {made.nth})" if made.nth else file
        taken = {part.name for part in self.done.parts}
        if name in taken:
            name = f"{file} ({made.plan.table})"
        number = 2
        while name in taken:
            name, number = f"{file} ({made.plan.table} {number})", number + 1
        return name

    def _add_ours(self) -> None:
        """Files of our own beside the export come as they are."""
        for file in self.opened.ours:
            table = table_named(file.name)
            if table in self.tables:
                self.done.parts.append(Part(str(table), file.name, file.size, file.open))

    # -- what people are told --------------------------------------------------------------------------------

    def _tell(self, sentence: str) -> None:
        if sentence not in self.done.told:
            self.done.told.append(sentence)

    def _tell_left_out(self, seen: Seen, left_out: dict[str, list[int]]) -> None:
        for why, lines in left_out.items():
            rows = f"{len(lines):,} {'row' if len(lines) == 1 else 'rows'} of {seen.file.name}"
            self._tell(f"{rows} left out: {_of_one(why) if len(lines) == 1 else f'they {why}'} ({_listed(lines)}).")
            self.done.left_out += len(lines)
        left_out.clear()

    def _missing(self) -> list[str]:
        """What to tell of tables that this export seldom has, and that were looked for."""
        there = {part.table for part in self.done.parts}
        sides = {table in ATTENDANCE for table in there or self.tables}
        return [
            sentence
            for table, sentence in self.export.missing.items()
            if table in self.tables and table not in there and (table in ATTENDANCE) in sides
        ]


def _of_one(why: str) -> str:
    """What several rows have in common, said of one: 'they say' is 'it says'."""
    verb, rest = why.split(" ", 1)
    return f"it {'has' if verb == 'have' else f'{verb}s'} {rest}"


def _listed(lines: Sequence[int]) -> str:
    """The lines of some rows, the first twenty of them by number."""
    different = sorted(set(lines))
    some, more = ", ".join(map(str, different[:MOST_LINES])), len(different) - MOST_LINES
    return f"{'line' if len(different) == 1 else 'lines'} {some}{f' and {more:,} more' if more > 0 else ''}"


def _grouped(columns: Sequence[str], spec: dict[str, Any], order: DateOrder) -> Grouped | OverYears | None:
    if not spec:
        return None
    return OverYears(columns, spec) if "means" in spec else Grouped(columns, spec, order)


def _group(grouped: Grouped | OverYears, file: Written, line: int, cells: list[str]) -> None:
    try:
        grouped.add(line, cells)
    except ValueError as error:
        file.reject(line, str(error))
