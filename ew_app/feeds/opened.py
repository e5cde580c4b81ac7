"""The files of one export, opened: which record each holds, their records, and what must never be kept of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, Final

from ew_app.feeds.delimited import Found, delimited_records
from ew_app.feeds.elements import elements
from ew_app.feeds.exports import Export, Join, Reads
from ew_app.feeds.fields import condition, text_of
from ew_app.feeds.grouping import Torn
from ew_app.feeds.handed import Handed
from ew_app.feeds.header import forbidden, refuse_forbidden
from ew_app.feeds.looking import Seen, is_ours, known_fields, seen_as
from ew_app.feeds.objects import objects
from ew_app.feeds.refused import Problem, RefusedFile
from ew_app.feeds.text import open_text

CHANGES: Final = "delta"
_TORN: Final = "Of {} several rows speak of the same ({}) and differ; nobody knows which is meant, so none is used."


class Opened:
    """One delivery of an export. `ours`: files beside it that are our own CSV. `ignored`: files nobody knows.

    RefusedFile: a column of a delimited file that must never be here, where the export does not drop it.
    """

    def __init__(self, export: Export, files: Sequence[Handed]) -> None:
        self.export = export
        self.seen: list[Seen] = []
        self.ours: list[Handed] = []
        self.ignored: list[str] = []
        self.notes: dict[str, None] = {}  # what people should know about how files were read, each once
        self._tops: dict[Handed, set[str]] = {}  # XML file -> its elements below the root, once it was read to its end
        self._dropped: dict[str, set[str]] = {}  # file -> fields that are never kept
        for file in files:
            self._sort(file)
        self._manifest = dict(self._lines_of_manifest())

    def files_of(self, kind: str) -> list[Seen]:
        """The files that hold, or may hold, such records."""
        return [seen for seen in self.seen if kind in seen.kinds]

    def records(self, seen: Seen, kind: str, wanted: Collection[str]) -> Iterator[Found]:
        """(line, record) of each such record of a file, or why a row cannot be read. RefusedFile names the file."""
        tops = self._tops.get(seen.file)
        if tops is not None and self.export.kinds[kind].element.lower() not in tops:
            return
        names: set[str] = set()
        try:
            with seen.file.open() as stream:
                if self.export.reads is Reads.XML:
                    tops = set()
                    yield from elements(stream, self.export.kinds[kind].element, wanted, names, tops)
                    self._tops[seen.file] = tops
                elif self.export.reads is Reads.JSON:
                    yield from objects(stream, wanted, names)
                else:
                    text = open_text(stream)
                    for note in text.notes:
                        self._tell(seen, note)
                    known, wrong = known_fields(self.export), dict(self.export.misspelt)
                    tell = partial(self._tell, seen)
                    yield from delimited_records(text, wanted, known, wrong, self.export.nulls, tell)
        except RefusedFile as refused:
            raise refused.of(seen.file.name) from refused
        self._drop(seen.file.name, names)

    def has_field(self, kind: str, field: str) -> bool:
        """Whether any file of that kind may have the field; only delimited files tell beforehand."""
        return any(seen.head is None or field in seen.head.keys for seen in self.files_of(kind))

    def index(self, join: Join, wanted: Collection[str]) -> dict[tuple[str, ...], dict[str, Any]]:
        """Key -> the wanted fields of its last or latest record, each named `alias.field`."""
        meant, other = condition(join.where), condition(join.unless)
        read = {*wanted, *join.theirs, *join.alone, *join.differing, *meant.fields, *other.fields}
        read |= {join.latest} if join.latest else set()
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        when: dict[tuple[str, ...], str] = {}
        torn = Torn(join.alone, join.differing)
        for seen in self.files_of(join.to):
            for _, record in self.records(seen, join.to, read):
                if isinstance(record, Problem) or not meant.holds(record) or (join.unless and other.holds(record)):
                    continue
                key = tuple(text_of(record.get(name, "")) for name in join.theirs)
                if not all(key) or when.get(key, "") > (last := text_of(record.get(join.latest, ""))):
                    continue
                torn.add(key, record)
                found[key] = {f"{join.alias}.{name}": record[name] for name in wanted if name in record}
                if join.latest:
                    when[key] = last
        for key in torn.found_by():
            del found[key]
        for shown in torn.shown():
            self.notes[_TORN.format(join.to, shown)] = None
        return found

    def lists_changes(self, kind: str) -> bool:
        """Whether the manifest says that files of this kind hold only what changed."""
        return self._manifest.get(f"file.{kind}".lower(), "") == CHANGES

    def dropped(self) -> list[str]:
        """A sentence for each file with fields that are never kept."""
        return [
            f"{file}: {', '.join(sorted(names))} left out before anything was written; we never keep this."
            for file, names in sorted(self._dropped.items())
        ]

    def _sort(self, file: Handed) -> None:
        if is_ours(file) and not seen_as(self.export, file, by_name=False):
            self.ours.append(file)
        elif seen := seen_as(self.export, file, by_name=True):
            self.seen.append(seen)
            if seen.head and self.export.drops_forbidden:
                self._drop(file.name, seen.head.names)
            elif seen.head:
                try:
                    refuse_forbidden(seen.head.names)
                except RefusedFile as refused:
                    raise refused.of(file.name) from refused
        else:
            self.ignored.append(file.name)

    def _tell(self, seen: Seen, note: str) -> None:
        self.notes[f"{seen.file.name}: {note}"] = None

    def _drop(self, file: str, names: Collection[str]) -> None:
        if found := {name for name in names if forbidden(name)}:
            self._dropped.setdefault(file, set()).update(found)

    def _lines_of_manifest(self) -> Iterator[tuple[str, str]]:
        spec = self.export.manifest
        if not spec:
            return
        name, value = spec["name"].lower(), spec["value"].lower()
        for seen in self.files_of(spec["in"]):
            for _, record in self.records(seen, spec["in"], {name, value}):
                if not isinstance(record, Problem):
                    yield record.get(name, "").lower(), record.get(value, "").lower()
