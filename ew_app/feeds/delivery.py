"""What was handed over: files, folders or zips, taken apart into the tables they hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ew_app.feeds.exports import load_export
from ew_app.feeds.formats import OURS, load_format
from ew_app.feeds.handed import Handed, Together, handed_as, handed_at
from ew_app.feeds.header import plain
from ew_app.feeds.looking import cells_of_first_line, recognised
from ew_app.feeds.parts import ATTENDANCE, CLAIMS, TABLES, Delivery, Part, ending_of, is_copy, table_named
from ew_app.feeds.refused import RefusedFile, Why
from ew_app.feeds.saying import Said
from ew_app.feeds.translating import translate

_KNOWN: Final = f"Files are named {', '.join(TABLES)}, each with .csv."
MOST_NAMES: Final = 5
Memory = Mapping[str, Mapping[str, str]]  # format -> what was said of its last delivery


def open_delivery(
    paths: Sequence[Path], said: Said | None = None, tables: Collection[str] = TABLES, memory: Memory | None = None
) -> Delivery:
    """All of `paths` (files, folders, zips) as one delivery. RefusedFile: missing, not known, unsafe zip.

    Its format is what was said, else the one export it can be, else our own CSV; of an export `tables` alone are read.
    """
    together = [handed_at(Path(path)) for path in paths]
    return _delivery(", ".join(Path(path).name for path in paths), together, said or Said(), tables, memory or {})


def open_deliveries(paths: Sequence[Path], said: Said | None = None, memory: Memory | None = None) -> list[Delivery]:
    """One delivery for each attendance batch of `ew load attendance PATH...`, in order.

    Each attendance file of ours is a batch. Files that share a covers.csv or submitted.csv (in their folder or zip,
    or given with them) are one batch, because the rows of a day claimed whole may be in any of them. A claim with
    the ending of one attendance file, as attendance-2026-09-14 and covers-2026-09-14, is that file's. Of an export
    each folder or zip is a batch, and all loose files together are one.
    """
    paths, said = [Path(path) for path in paths], said or Said()
    if _format([file for path in paths for file in handed_at(path).files], said) != OURS:
        return [open_delivery(group, said, ATTENDANCE, memory) for group in _groups(paths)]
    batches: list[Delivery] = []
    for group in _together(paths):
        batches += _batches(open_delivery(group, said))
    return batches


def _groups(paths: Sequence[Path]) -> list[list[Path]]:
    """Each folder or zip by itself, loose files together; claims alone go with the one folder or zip there is."""
    loose = [path for path in paths if _is_loose(path)]
    places = [[path] for path in paths if path not in loose]
    if len(places) == 1 and all(map(_is_claim, loose)):
        return [places[0] + loose]
    return [*places, *([loose] if loose else [])]


def _together(paths: Sequence[Path]) -> list[list[Path]]:
    """Paths handed over together: a folder or zip alone, loose files with the claims beside them."""
    loose = [path for path in paths if _is_loose(path)]
    homes = {path.parent for path in loose if not _is_claim(path)}
    stray = [path for path in loose if _is_claim(path) and path.parent not in homes]
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        if path not in loose:
            groups.setdefault(path, []).append(path)
        elif not _is_claim(path) or not homes:
            home = Path() if stray else path.parent
            groups.setdefault(home, [*stray] if homes else []).append(path)
    for home in homes:
        group = groups[Path() if stray else home]
        group += [path for path in _claims_beside(home, group) if path not in group]
    return list(groups.values())


def _claims_beside(home: Path, group: Sequence[Path]) -> list[Path]:
    """The claims of a folder that speak for these files: undated ones, and those with a file's own ending.

    A folder of dated days holds the claims of all its days; one day's file must not answer for the others.
    """
    endings = {""} | {ending_of(path.name) for path in group if not _is_claim(path)}
    claims = [path for path in sorted(home.iterdir()) if _is_claim(path)]
    return [path for path in claims if ending_of(path.name) in endings]


def _batches(delivery: Delivery) -> list[Delivery]:
    """The delivery cut into batches: each attendance file with its own claims, or all that share claims."""
    files = delivery.all("attendance")
    claims = [part for part in delivery.parts if part.table in CLAIMS]
    dated = {part: ending_of(part.name) for part in (*files, *claims)}
    own = {part: [claim for claim in claims if dated[claim] and dated[claim] == dated[part]] for part in files}
    shared = [claim for claim in claims if not any(claim in mine for mine in own.values())]
    if shared or not files:
        return [replace(delivery, parts=(*files, *claims))]
    return [replace(delivery, name=part.name, parts=(part, *own[part])) for part in files]


def delivery_from_bytes(
    files: Mapping[str, bytes],
    said: Said | None = None,
    tables: Collection[str] = TABLES,
    memory: Memory | None = None,
) -> Delivery:
    """A delivery from named bytes (an upload, or bytes kept with a batch); zips are opened."""
    return _delivery(", ".join(files), handed_as(files), said or Said(), tables, memory or {})


def _delivery(name: str, together: Sequence[Together], said: Said, tables: Collection[str], memory: Memory) -> Delivery:
    files = [file for group in together for file in group.files]
    deeper = [inner for group in together for inner in group.deeper]
    layout = _format(files, said)
    remembered = said.or_else(memory.get(layout, {}))
    # How periods add up is an answer of the delivery that gave it: where it is remembered, it is not said again.
    kept = replace(remembered, periods=said.periods).options()
    if layout != OURS:
        return _unread(replace(_of_export(name, files, layout, remembered, tables), said=kept), deeper)
    found: list[Part] = []
    ignored: list[str] = []
    for group in together:
        parts, left = _sorted_out(group, tables)
        found += parts
        ignored += left
    if not found:
        why = _why_none(files, deeper)
        raise RefusedFile(Why.NOT_RECOGNISED, f"There is no file we know in {name or 'nothing'}. {why}")
    return _unread(Delivery(name, tuple(found), tuple(ignored), said=kept), deeper)


def _why_none(files: Sequence[Handed], deeper: Sequence[str]) -> str:
    """What to do where no file is known: unpack a zip in a zip, bring its files together, else the names we know."""
    inner = next((file.name for file in files if file.name.lower().endswith(".zip")), None)
    if inner is not None:
        words = "and a zip inside a zip is not opened: unpack it and send"
        return f"It holds another zip, {inner}, {words} {inner} by itself."
    if deeper:
        return f"Its files lie in several folders, as {deeper[0]}: put all of them side by side."
    return _KNOWN


def _unread(delivery: Delivery, deeper: Sequence[str]) -> Delivery:
    """The delivery with a sentence about every file that was left alone."""
    told = list(delivery.told)
    if delivery.ignored:
        told.append(f"Left unread, because nothing tells what they hold: {_some(delivery.ignored)}.")
    if deeper:
        told.append(f"Left unread, because they lie in folders of their own: {_some(deeper)}.")
    return replace(delivery, ignored=(*delivery.ignored, *deeper), told=tuple(told))


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _format(files: Sequence[Handed], said: Said) -> str:
    return said.format or recognised(files) or OURS


def _of_export(name: str, files: Sequence[Handed], layout: str, said: Said, tables: Collection[str]) -> Delivery:
    """The rows of an export. RefusedFile: there are none that we read."""
    done = translate(files, layout, said, tables)
    if not any(part.table not in CLAIMS for part in done.parts):
        words = f"There is nothing in {name} that we read as {load_export(layout).label}."
        raise RefusedFile(Why.NOT_RECOGNISED, " ".join([words, *done.told]))
    return Delivery(
        name, tuple(done.parts), tuple(done.ignored), layout, tuple(done.told), said.options(), done.left_out
    )


def looks_like_attendance(file: Handed) -> bool:
    """Whether the header has what an attendance file needs."""
    names = {plain(name) for name in cells_of_first_line(file.head().decode("utf-8-sig", "replace"))}
    return names.issuperset(load_format()["attendance"].required)


def _is_loose(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() != ".zip"


def _is_claim(path: Path) -> bool:
    return table_named(path.name) in CLAIMS


def _sorted_out(group: Together, tables: Collection[str]) -> tuple[list[Part], list[str]]:
    """Known tables by name; another .csv is attendance if given by itself, or alone with such a header.

    A second file of a name, as 'attendance (1).csv', comes behind the first. RefusedFile: a file looks like attendance
    and nothing tells whether it belongs to the others.
    """
    files = group.files if group.alone else sorted(group.files, key=lambda file: is_copy(file.name))
    parts = [_part(table, file) for file in files if (table := table_named(file.name))]
    others = [file for file in group.files if not table_named(file.name)]
    sheets = [file for file in others if file.name.lower().endswith((".csv", ".txt"))]
    if not group.alone and (len(sheets) > 1 or any(part.table == "attendance" for part in parts)):
        if parts and ATTENDANCE[0] in tables:
            _refuse_more_attendance(sheets)
        sheets = []
    ignored = [file.name for file in others if file not in sheets]
    for file in sheets:
        if group.alone or looks_like_attendance(file):
            parts.append(_part("attendance", file))
        else:
            ignored.append(file.name)
    if group.alone and ignored:
        raise RefusedFile(Why.NOT_RECOGNISED, f"{ignored[0]} is not a file we know. {_KNOWN}")
    return parts, ignored


def _refuse_more_attendance(sheets: Sequence[Handed]) -> None:
    """Whoever is away by a file that is left alone would count as present."""
    for file in sheets:
        if looks_like_attendance(file):
            raise RefusedFile(
                Why.NOT_RECOGNISED,
                f"{file.name} looks like attendance, and its name does not say that it belongs to the other files. "
                "Name it attendance-2.csv if it does; else send it by itself.",
            )


def _part(table: str, file: Handed) -> Part:
    return Part(table, file.name, file.size, file.open)
