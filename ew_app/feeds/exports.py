"""What the exports of other systems look like, read from formats/*.yaml: their records, and how these fill our tables.

`formats/README.md` is the manual of these files. One format is one file and needs no code: the readers here know
three ways of writing records (delimited text, XML elements, JSON objects) and nothing of any one system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Final

import yaml

from ew_app.feeds.formats import FOLDER, OURS, load_format

DATES: Final = ("iso", "mdy", "dmy", "proven")
_SETTINGS: Final = frozenset(
    {"format", "label", "extends", "reads", "dates", "nulls", "forbidden", "exit", "ids", "inside", "known_by"}
    | {"manifest", "misspelt", "records", "tables", "codes", "missing"}
)
_OF_A_SOURCE: Final = frozenset(
    {"from", "join", "where", "unless", "split", "each", "group", "only_without", "bulk_only", "columns"} | {"note"}
)
_OF_A_JOIN: Final = frozenset({"to", "by", "where", "unless", "latest", "needed", "or_rejected", "split", "alone"})


class Reads(StrEnum):
    """How an export writes its records."""

    DELIMITED = "delimited"
    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: how its files are called or its elements named, and which fields give it away."""

    name: str
    files: tuple[str, ...]
    element: str
    root: str
    has: frozenset[str]


@dataclass(frozen=True, slots=True)
class Join:
    """Fields of another kind of record, found where `theirs` equals `ours`; `alias.field` then names them.

    splits: `ours` names several ids between commas, and each partner makes a row of its own.
    needed: a record without a partner is left out and counted. rejection: it is a rejected row, with this sentence.
    alone: partners that are alike in these fields and differ in `differing` are none: nobody knows which is meant.
    latest: of several partners the one with the greatest text in that field, else the last of the file.
    """

    alias: str
    to: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    where: Mapping[str, frozenset[str]]
    unless: Mapping[str, frozenset[str]]
    latest: str
    needed: bool
    rejection: str = ""
    splits: bool = False
    alone: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows of one table come from: a kind of record, what joins it, which ones count, what fills our columns."""

    of: str
    columns: Mapping[str, Any]
    joins: tuple[Join, ...] = ()
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unless: Mapping[str, frozenset[str]] = field(default_factory=dict)
    split: str = ""  # a field that lists several; each becomes a row, as field `each`
    each: str = ""  # a pattern of fields; each that says something becomes a row, `each` its text, `nth` its number
    group: Mapping[str, Any] = field(default_factory=dict)
    only_without: str = ""  # used only where there are no records of that kind
    bulk_only: str = ""  # the sentence for a file that lists changes alone, from which no row may be made
    note: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code of an export means as long as nobody says otherwise; fraction in thousandths."""

    code: str
    kind: str
    excused: str
    fraction: int


@dataclass(frozen=True, slots=True)
class Export:
    """One known export of another system."""

    name: str
    label: str
    reads: Reads
    dates: str
    nulls: frozenset[str]
    drops_forbidden: bool
    exit: str  # inclusive, exclusive, or nothing where the export does not say
    ids: tuple[str, ...]
    inside: str  # the word before a student's number inside the system; nothing where no row names one so
    known_by: tuple[str, ...]
    manifest: Mapping[str, str]
    misspelt: Mapping[str, str]
    kinds: Mapping[str, Kind]
    tables: Mapping[str, tuple[Source, ...]]
    codes: tuple[Code, ...]
    missing: Mapping[str, str]  # table -> what to tell people of a delivery without it


def known_exports() -> list[str]:
    """Names of all exports but our own CSV."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != OURS)


def formats_with(*tables: str) -> list[str]:
    """Names of all formats, our own first, that can fill one of these tables."""
    return [OURS, *(name for name in known_exports() if any(table in load_export(name).tables for table in tables))]


def exports_without_lateness() -> list[str]:
    """Names of exports that explain codes and have no word for late among them."""
    explained = {name: load_export(name).tables.get("absence_codes", ()) for name in known_exports()}
    return [name for name, sources in explained.items() if sources and not any(map(_tells_lateness, sources))]


def _tells_lateness(source: Source) -> bool:
    return "tardy" in str(source.columns.get("kind", "")).lower()


@cache
def load_export(name: str) -> Export:
    """The export of that name. ValueError: there is none, or its file says something we do not know."""
    if name not in known_exports():
        raise ValueError(f"There is no format {name!r}. Known formats: {', '.join([OURS, *known_exports()])}.")
    spec = _spec(name)
    if unknown := set(spec) - _SETTINGS:
        raise ValueError(f"{name}.yaml: unknown setting {', '.join(sorted(unknown))}.")
    if spec["dates"] not in DATES:
        raise ValueError(f"{name}.yaml: dates must be one of {', '.join(DATES)}.")
    return Export(
        name=name,
        label=spec["label"],
        reads=Reads(spec["reads"]),
        dates=spec["dates"],
        nulls=frozenset(str(null) for null in spec.get("nulls", ())),
        drops_forbidden=spec.get("forbidden", "refuse") == "drop",
        exit=spec.get("exit", ""),
        ids=tuple(field_key(one) for one in spec.get("ids", ())),
        inside=spec.get("inside", ""),
        known_by=tuple(spec.get("known_by", ())),
        manifest=spec.get("manifest", {}),
        misspelt={field_key(wrong): field_key(right) for wrong, right in spec.get("misspelt", {}).items()},
        kinds={key: _kind(key, kind or {}) for key, kind in spec["records"].items()},
        tables={table: _sources(name, table, sources) for table, sources in spec["tables"].items()},
        codes=tuple(Code(str(row[0]), row[1], row[2], round(1000 * row[3])) for row in spec.get("codes", ())),
        missing={table: " ".join(sentence.split()) for table, sentence in spec.get("missing", {}).items()},
    )


def field_key(name: str) -> str:
    """A field as we compare it: letters and digits of each part, parts joined by dots."""
    parts = (_LETTERS.sub("", part).lower() for part in str(name).split("."))
    return ".".join(part for part in parts if part)


_LETTERS = re.compile(r"[^0-9A-Za-z$@]+")


def _spec(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return _spec(spec["extends"]) | spec if "extends" in spec else spec


def _kind(name: str, spec: Mapping[str, Any]) -> Kind:
    return Kind(
        name=name,
        files=tuple(letters_of(file) for file in spec.get("files", (name,))),
        element=spec.get("element", ""),
        root=spec.get("root", ""),
        has=frozenset(field_key(one) for one in spec.get("has", ())),
    )


def letters_of(file: str) -> str:
    """The letters of a file's name without its ending: 'Users_2026-09-14.csv' is 'users'."""
    stem = file.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0]
    return re.sub(r"[^a-z]", "", stem.lower())


def _sources(export: str, table: str, sources: list[dict[str, Any]]) -> tuple[Source, ...]:
    ours = {column.name for column in load_format()[table].columns}
    for source in sources:
        if unknown := (set(source) - _OF_A_SOURCE) | (set(source["columns"]) - ours):
            raise ValueError(f"{export}.yaml, {table}: unknown {', '.join(sorted(unknown))}.")
    return tuple(_source(source) for source in sources)


def _source(spec: dict[str, Any]) -> Source:
    return Source(
        of=spec["from"],
        columns=spec["columns"],
        joins=tuple(_join(alias, join) for alias, join in spec.get("join", {}).items()),
        where=_values(spec.get("where", {})),
        unless=_values(spec.get("unless", {})),
        split=field_key(spec.get("split", "")),
        each=spec.get("each", ""),
        group=spec.get("group", {}),
        only_without=spec.get("only_without", ""),
        bulk_only=" ".join(spec.get("bulk_only", "").split()),
        note=" ".join(spec.get("note", "").split()),
    )


def _join(alias: str, spec: dict[str, Any]) -> Join:
    by = {field_key(ours): field_key(theirs) for ours, theirs in spec["by"].items()}
    if unknown := set(spec) - _OF_A_JOIN:
        raise ValueError(f"Unknown word for a join: {', '.join(sorted(unknown))}.")
    return Join(
        alias=alias,
        to=spec["to"],
        ours=tuple(by),
        theirs=tuple(by.values()),
        where=_values(spec.get("where", {})),
        unless=_values(spec.get("unless", {})),
        latest=field_key(spec.get("latest", "")),
        needed=spec.get("needed", False),
        splits=spec.get("split", False),
        alone=tuple(field_key(name) for name in spec.get("alone", {}).get("by", ())),
        differing=tuple(field_key(name) for name in spec.get("alone", {}).get("unless", ())),
        rejection=" ".join(spec.get("or_rejected", "").split()),
    )


def _values(spec: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Field, as the format spells it -> the texts it may have, in lower case; `a|b` names alternatives."""
    return {name: frozenset(str(value).lower() for value in values) for name, values in spec.items()}
