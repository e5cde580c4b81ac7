"""The first line of a file: which column is where, what may never be there, what might be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ew_app.feeds.formats import TableFormat
from ew_app.feeds.refused import RefusedFile, Why

MOST_COLUMNS = 256

# Matched on the letters of a header run together. Spellings, abbreviations and Spanish included.
_FORBIDDEN_ANYWHERE = {
    "a social security number": r"socialsec|socsec|socialinsurance|segurosocial"
    r"|(?:student|pupil|child|parent|guardian|mother|father|person|user|employee|state|last4|masked)ssn",
    "a place of birth": r"birthplace|placeofbirth"
    r"|birth(?:city|town|county|state|province|country|nation|location)"
    r"|(?:city|town|county|state|province|country|nation|location)(?:code|abbreviation|name)?ofbirth"
    r"|(?:foreign|native)born|borninus|bornabroad|birthincountry|lugardenacimiento|pa[ií]sdenacimiento",
    "citizenship": r"citizen|ciudadan|naturali[sz]ed|naturali[sz]ation",
    "immigration status": r"immigra|inmigra|migratorystatus|undocumented|greencard|asylum|asylee|refugee"
    r"|alien(?:number|no|id|registration|status)|residen(?:ce|cy)permit|permanentresident|legalresident"
    r"|lawfulpresence|passport|dateenteredus|usentrydate|dateofentryus|yearsinus|arrivalinus",
    "nationality": r"nationality|nacionalidad|nationalorigin|countryoforigin|paisdeorigen|origincountry",
}
# Matched on whole words of a header, because the letters also occur inside others (className, advisor).
_FORBIDDEN_WORDS = {
    "a social security number": r"ssn(?:\d|no|num|number|last\d?)*|ss (?:no|num|number|nbr)"
    r"|social (?:no|num|number|nbr)|soc sec.*",
    "a place of birth": r"pob|born in|country born|birth (?:loc|ctry|st|cntry).*",
    "immigration status": r"visa.*|i ?94.*|daca|uscis.*|alien",
}
_FORBIDDEN_EXACTLY = frozenset({"social", "ss#", "ss #", "soc"})


@dataclass(frozen=True, slots=True)
class Header:
    """Where each of our columns stands in the file (0-based), how wide a row is, and what is left unread."""

    names: tuple[str, ...]
    places: dict[str, int]
    ignored: tuple[str, ...]
    assumed: dict[str, str]  # our column -> the name it was found under without anybody saying so


def plain(name: str) -> str:
    """A header as we compare it: trimmed, lower case, spaces and hyphens as underscores."""
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def find_columns(names: Sequence[str], table: TableFormat, mapping: Mapping[str, str] | None = None) -> Header:
    """Places of our columns, by name or by `mapping` (ours -> theirs); RefusedFile if it is no use."""
    trimmed = tuple(name.strip() for name in names)
    refuse_too_wide(len(trimmed))
    refuse_forbidden(trimmed)
    at = _places_by_name(trimmed)
    wanted = _wanted(table, mapping or {}, at)
    places = {ours: at[theirs] for ours, theirs in wanted.items() if theirs in at}
    _refuse_missing(table, places, trimmed)
    assumed = _assumed(table, places, trimmed)
    places |= {ours: trimmed.index(name) for ours, name in assumed.items()}
    read = set(places.values())
    ignored = tuple(name for place, name in enumerate(trimmed) if name and place not in read)
    return Header(trimmed, places, ignored, assumed)


def refuse_too_wide(columns: int) -> None:
    """RefusedFile for a file with more columns than any export of a school has."""
    if columns > MOST_COLUMNS:
        raise RefusedFile(Why.TOO_LARGE, f"This file has {columns} columns; at most {MOST_COLUMNS} are read.")


def refuse_forbidden(names: Sequence[str]) -> None:
    """RefusedFile when a column holds what a school system must never collect from us."""
    for name in names:
        if what := forbidden(name):
            raise RefusedFile(
                Why.FORBIDDEN_COLUMN,
                f'The column "{name[:80]}" looks like {what}. We never take this in and have kept nothing of '
                "the file. Export it again without that column.",
                column=name[:80],
            )


def forbidden(name: str) -> str | None:
    """What a header of this name would hold that is never accepted, or None."""
    if name.strip().lower() in _FORBIDDEN_EXACTLY:
        return "a social security number"
    words = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zíá]+|\d+", name)).lower()
    whole = " ".join(re.findall(r"[^\W_]+", name.lower()))
    together = re.sub(r"[\W_]+", "", name.lower())
    for what, pattern in _FORBIDDEN_ANYWHERE.items():
        if re.search(pattern, together):
            return what
    for what, pattern in _FORBIDDEN_WORDS.items():
        if any(re.search(rf"(?:^|\s)(?:{pattern})(?:$|\s)", text) for text in (words, whole)):
            return what
    return None


def suggest_mapping(names: Sequence[str], table: TableFormat) -> dict[str, str]:
    """Our column -> the file's header most likely meant, by name or known alias, never by content."""
    theirs = {_letters(name): name.strip() for name in reversed(names) if name.strip()}
    taken: set[str] = set()
    found: dict[str, str] = {}
    for attempt in (0, 1):
        for column in table.columns:
            spellings = (*column.aliases, *column.assumed) if attempt else (column.name,)
            for spelling in spellings:
                name = theirs.get(_letters(spelling))
                if name is not None and column.name not in found and name not in taken:
                    found[column.name] = name
                    taken.add(name)
    return {column.name: found[column.name] for column in table.columns if column.name in found}


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


def _places_by_name(names: Sequence[str]) -> dict[str, int]:
    at: dict[str, int] = {}
    for place, name in enumerate(map(plain, names)):
        if not name:
            continue
        if name in at:
            raise RefusedFile(
                Why.DUPLICATE_COLUMN,
                f'The column "{names[place][:80]}" is there twice, so we cannot tell which one counts. '
                "Remove one of them.",
                column=names[place][:80],
            )
        at[name] = place
    return at


def _wanted(table: TableFormat, mapping: Mapping[str, str], at: Mapping[str, int]) -> dict[str, str]:
    wanted = {column.name: column.name for column in table.columns}
    for ours, theirs in mapping.items():
        if ours not in wanted:
            raise RefusedFile(Why.MAPPING, f'There is no column "{ours}" in {table.file} to map to.', column=ours)
        if plain(theirs) not in at:
            raise RefusedFile(Why.MAPPING, f'The file has no column "{theirs}" to read {ours} from.', column=ours)
        wanted[ours] = plain(theirs)
    mapped = {plain(theirs) for theirs in mapping.values()}
    return {ours: name for ours, name in wanted.items() if ours in mapping or name not in mapped}


def _assumed(table: TableFormat, places: Mapping[str, int], names: Sequence[str]) -> dict[str, str]:
    """Our column -> the header that is taken for it, of the columns that are not there under their own name.

    A header that is read as another column is left to it, unless it bears that column's own name.
    """
    taken = {names[place] for ours, place in places.items() if plain(names[place]) != ours}
    free = {_letters(name): name for name in reversed(names) if name and name not in taken}
    found = {}
    for column in table.columns:
        likely = (free[_letters(name)] for name in column.assumed if _letters(name) in free)
        if column.name not in places and (name := next(likely, None)):
            found[column.name] = name
    return found


def _refuse_missing(table: TableFormat, places: Mapping[str, int], names: Sequence[str]) -> None:
    missing = [name for name in table.required if name not in places]
    if not missing:
        return
    listed = ", ".join(name[:40] for name in names[:20] if name) or "nothing"
    found = f"Found: {listed}{', ...' if len(names) > 20 else ''}."
    word = "columns" if len(missing) > 1 else "column"
    raise RefusedFile(
        Why.NO_REQUIRED_COLUMN,
        f"{table.file} needs the {word} {', '.join(missing)}. {found}{_hint(table, missing, names)}",
        column=missing[0],
    )


def _hint(table: TableFormat, missing: Sequence[str], names: Sequence[str]) -> str:
    if len(names) == 1:
        return " Columns are separated by commas, tabs, semicolons or vertical bars."
    likely = suggest_mapping(names, table)
    pairs = [f"{likely[name]} for {name}" for name in missing if name in likely]
    return f" Perhaps {'; '.join(pairs)}: say so on the mapping step." if pairs else ""
