"""One source of rows made ready: which fields to read, what to join, which records count, what fills each column."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ew_app.feeds.delimited import Head
from ew_app.feeds.exports import Join, Source, field_key
from ew_app.feeds.fields import Condition, Record, Taker, column, condition, first_text, named, text_of
from ew_app.feeds.formats import ColumnType, load_format
from ew_app.feeds.opened import Opened
from ew_app.feeds.refused import Problem
from ew_app.feeds.written import OF_ANOTHER_KIND, PROBLEM

Index = dict[tuple[str, ...], dict[str, Any]]
_EACH, _NTH = "each", "nth"
OF_A_LIST = frozenset({_EACH, _NTH})  # fields of a record that stands for one thing of a list
_NOT_MEANT = f"Rows that {{}}{OF_ANOTHER_KIND}"
_NO_LIST = (
    "The row has no {}, and no column of the file is known as one of a class period, so what was missed that day is "
    "not known. Name the columns Period1, Period2 and so on."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A source of one of our tables, its words worked out. `fields`: everything it looks at."""

    table: str
    source: Source
    takers: Mapping[str, Taker]
    where: Condition
    unless: Condition
    joins: tuple[Join, ...]
    fields: frozenset[str]
    before: tuple[Condition, ...] = ()  # which records the sources before it take
    takes_rest: bool = False  # whether a record that none of them means is a rejected row

    @property
    def dates(self) -> frozenset[str]:
        """The fields that fill columns of dates."""
        layout = load_format()[self.table]
        filled = [taker.fields for name, taker in self.takers.items() if layout.column(name).type is ColumnType.DATE]
        return frozenset().union(*filled)

    def of_classes(self, head: Head | None) -> tuple[Plan, str]:
        """The plan for rows that name a class in a column which the format does not tell, and that column's name.

        Where the format reads the period from a column that is there, or none can be one, the plan itself and ''.
        """
        if self.table != "attendance" or head is None:
            return self, ""
        told = self.takers["period"].fields if "period" in self.takers else frozenset()
        likely = (field_key(name) for name in load_format()[self.table].column("period").assumed)
        key = next((name for name in likely if name in head.keys), "")
        if not key or told & {*head.keys, *OF_A_LIST}:
            return self, ""
        plan = replace(self, takers={**self.takers, "period": column(key, {})}, fields=self.fields | {key})
        return plan, head.names[head.keys.index(key)]

    def lists(self, name: str) -> str:
        """The number in a field's name, where the field is one of a list of which each makes a row; else ''."""
        found = re.fullmatch(self.source.each, name) if self.source.each else None
        return found[1] if found else ""

    def own(self, fields: frozenset[str]) -> set[str]:
        """Those of the fields that the record has itself, and that no join brings."""
        aliases = tuple(f"{join.alias}." for join in self.joins)
        return {name for name in fields if name not in OF_A_LIST and not name.startswith(aliases or "\0")}

    def of_join(self, join: Join, fields: frozenset[str]) -> set[str]:
        """Those of the fields that a join brings, by their own names."""
        mark = f"{join.alias}."
        return {name.removeprefix(mark) for name in fields if name.startswith(mark)}


def plans_of(sources: Sequence[Source], table: str, words: dict[str, str]) -> Iterator[Plan]:
    """The plans of all sources of a table. A row of attendance that none of them means may be an absence: the last
    source of its kind rejects it, so that its day is unknown."""
    for number, source in enumerate(sources):
        kin = [number for number, other in enumerate(sources) if other.of == source.of]
        before = tuple(condition(sources[other].where) for other in kin if other < number)
        plan, rest = planned(source, table, words), table == "attendance" and number == kin[-1]
        fields = plan.fields.union(*(other.fields for other in before))
        yield replace(plan, before=before, takes_rest=rest, fields=fields)


def planned(source: Source, table: str, words: dict[str, str]) -> Plan:
    """The plan of a source by itself; `words` are what stands for $ids and $periods."""
    takers = {name: column(spec, words) for name, spec in source.columns.items()}
    joins = tuple(_named(join, words) for join in source.joins)
    where, unless = condition(source.where), condition(source.unless)
    fields = frozenset().union(
        *(taker.fields for taker in takers.values()), where.fields, unless.fields, *(join.ours for join in joins)
    )
    fields |= {source.split} if source.split else set()
    return Plan(table, source, takers, where, unless, joins, frozenset(fields))


def _named(join: Join, words: dict[str, str]) -> Join:
    """The join with the chosen ids in its names."""
    ours, theirs = (tuple(field_key(named(name, words)) for name in names) for names in (join.ours, join.theirs))
    return replace(join, ours=ours, theirs=theirs)


class Rows:
    """The records of a plan that count, with what is joined to them; `left_out` has the lines of others by reason."""

    def __init__(self, plan: Plan, opened: Opened) -> None:
        self._plan = plan
        self._joins: list[tuple[Join, Index]] = [
            (join, opened.index(join, plan.of_join(join, plan.fields))) for join in plan.joins
        ]
        self.left_out: defaultdict[str, list[int]] = defaultdict(list)

    def of(self, line: int, record: dict[str, Any]) -> Iterator[Record | Problem]:
        """The rows that one record makes: none, itself, or one for each thing it lists; a problem is a rejected row."""
        plan = self._plan
        for one in self._each(line, record):
            for row in self._joined(line, one, self._joins):
                if isinstance(row, Problem):
                    yield row
                elif not plan.where.holds(row):
                    if plan.takes_rest and not any(other.holds(row) for other in plan.before):
                        yield row | {PROBLEM: _NOT_MEANT.format(_said(*plan.where.said(row)))}
                elif plan.source.unless and plan.unless.holds(row):
                    self.left_out[_said(*plan.unless.said(row))].append(line)
                else:
                    yield row

    def _joined(self, line: int, row: dict[str, Any], joins: Sequence[tuple[Join, Index]]) -> Iterator[Any]:
        """The row with the fields of its partners, once for each of them where it names several; or why it has none."""
        for done, (join, index) in enumerate(joins, 1):
            key = tuple(text_of(row.get(name, "")) for name in join.ours)
            if join.splits and (several := [index[one] for one in _split(key) if one in index]):
                for partner in several:
                    yield from self._joined(line, row | partner, joins[done:])
                return
            if (found := index.get(key)) is not None:
                row |= found
            elif join.rejection:
                yield Problem(line, join.rejection, None, first_text(row, join.ours))
                return
            elif join.needed:
                self.left_out[f"point at {join.to} that did not come along"].append(line)
                return
        yield row

    def _each(self, line: int, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        source = self._plan.source
        if source.split:
            texts = [part.strip() for part in text_of(record.get(source.split, "")).split(",")]
            yield from (record | {_EACH: text} for text in texts if text)
        elif source.each and self._plan.where.holds(record):
            yield from self._listed(line, record)
        else:
            yield record

    def _listed(self, line: int, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """One row for each column of a list that says something; one that is rejected where there is no such column."""
        columns = [(nth, text_of(record[name])) for name in record if (nth := self._plan.lists(name))]
        yield from (record | {_EACH: text, _NTH: number} for number, text in columns if text)
        if not columns:
            yield record | {PROBLEM: _NO_LIST.format(self._plan.where.said(record)[1])}
        elif not any(text for _, text in columns):
            self.left_out[_said("", f"{self._plan.where.said(record)[1]} and nothing in any period")].append(line)


def _split(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The keys that one field with several ids between commas names."""
    (several,) = key
    return [(part.strip(),) for part in several.split(",") if part.strip()]


def _said(text: str, field: str) -> str:
    """Why a row is left out: what it says in a field, or that it says nothing there."""
    return f'say "{text}" in {field}' if text else f"have no {field}"
