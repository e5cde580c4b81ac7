"""One source of rows made ready: which fields to read, what to join, which records count, what fills each column."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ew_app.feeds.exports import Join, Source, field_key
from ew_app.feeds.fields import Condition, Record, Taker, column, condition, first_text, named, text_of
from ew_app.feeds.formats import ColumnType, load_format
from ew_app.feeds.opened import Opened
from ew_app.feeds.refused import Problem

Index = dict[tuple[str, ...], dict[str, Any]]
_EACH, _NTH = "each", "nth"
OF_A_LIST = frozenset({_EACH, _NTH})  # fields of a record that stands for one thing of a list


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

    @property
    def dates(self) -> frozenset[str]:
        """The fields that fill columns of dates."""
        layout = load_format()[self.table]
        filled = [taker.fields for name, taker in self.takers.items() if layout.column(name).type is ColumnType.DATE]
        return frozenset().union(*filled)

    def own(self, fields: frozenset[str]) -> set[str]:
        """Those of the fields that the record has itself, and that no join brings."""
        aliases = tuple(f"{join.alias}." for join in self.joins)
        return {name for name in fields if name not in OF_A_LIST and not name.startswith(aliases or "\0")}

    def of_join(self, join: Join, fields: frozenset[str]) -> set[str]:
        """Those of the fields that a join brings, by their own names."""
        mark = f"{join.alias}."
        return {name.removeprefix(mark) for name in fields if name.startswith(mark)}


def planned(source: Source, table: str, words: dict[str, str]) -> Plan:
    """The plan of a source; `words` are what stands for $ids and $periods."""
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
        source = self._plan.source
        for one in self._each(record):
            for row in self._joined(line, one, self._joins):
                if isinstance(row, Problem):
                    yield row
                elif not self._plan.where.holds(row):
                    continue
                elif source.unless and self._plan.unless.holds(row):
                    self.left_out[_said(row, self._plan.unless.fields)].append(line)
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
                self.left_out[f"point at {join.to} that did not come with them"].append(line)
                return
        yield row

    def _each(self, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
        source = self._plan.source
        if source.split:
            texts = [part.strip() for part in text_of(record.get(source.split, "")).split(",")]
            yield from (record | {_EACH: text} for text in texts if text)
        elif source.each:
            for name, value in record.items():
                if (found := re.fullmatch(source.each, name)) and (text := text_of(value)):
                    yield record | {_EACH: text, _NTH: found[1]}
        else:
            yield record


def _split(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The keys that one field with several ids between commas names."""
    (several,) = key
    return [(part.strip(),) for part in several.split(",") if part.strip()]


def _said(row: Record, fields: frozenset[str]) -> str:
    """Why a row is left out: what it says in these fields, or that it says nothing."""
    text = first_text(row, sorted(fields))
    return f'say "{text}"' if text else f"have no {' or '.join(sorted(fields))}"
