"""From the fields of a record to the text of one of our columns, as a format's YAML says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ew_app.feeds.exports import field_key

Record = Mapping[str, Any]  # field -> text, or a list of texts where it stands several times
Texts = dict[str, str]

_WORDS: Final = frozenset(
    {"from", "map", "else", "always", "flags", "join", "with", "minus", "when", "first_of", "or_rejected", "plus"}
)
_NOT_SET: Final = frozenset({"", "false", "f", "no", "n"})


class NotTold(ValueError):
    """What a column asks for cannot be worked out from the record; the sentence says why the row stays out."""


@dataclass(frozen=True, slots=True)
class Taker:
    """What fills a column: the fields it looks at and the text it takes from a record.

    needed: a record that says nothing of it is a rejected row, also where the export has none of the fields.
    """

    fields: frozenset[str]
    take: Callable[[Record], str]
    needed: bool = False


def column(spec: Any, said: Texts) -> Taker:
    """The taker for one entry under `columns`. `said`: what stands for $ids in a name, and the text of $periods.

    ValueError for words we do not know.
    """
    if isinstance(spec, str):
        return _always(said.get(spec, "")) if spec == "$periods" else _field(named(spec, said))
    if isinstance(spec, list):
        return _first([column(one, said) for one in spec])
    if unknown := set(spec) - _WORDS:
        raise ValueError(f"Unknown word for a column: {', '.join(sorted(unknown))}.")
    taker = _worked_out(spec, said)
    if "map" in spec:
        taker = _mapped(taker, spec)
    if "when" in spec:
        taker = _only_when(taker, condition({name: _lower(values) for name, values in spec["when"].items()}))
    if "or_rejected" in spec and "minus" not in spec:
        taker = _needed(taker, " ".join(spec["or_rejected"].split()))
    return taker


def cells_of(record: Record, takers: Iterable[Taker]) -> tuple[list[str], str]:
    """The cells of a row, and why it stays out, if it does; then the cell that cannot be worked out is empty."""
    cells, reason = [], ""
    for taker in takers:
        try:
            cells.append(taker.take(record))
        except NotTold as why:
            cells.append("")
            reason = str(why)
    return cells, reason


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a record is one of those that are meant."""

    fields: frozenset[str]
    holds: Callable[[Record], bool]
    said: Callable[[Record], tuple[str, str]]  # what decided: the text, and in which field (or fields, if it is '')


def condition(values: Mapping[str, frozenset[str]]) -> Condition:
    """All of the fields (alternatives with |) have one of their texts, in any case; '' is nothing, '*' anything."""
    tests = [([field_key(one) for one in name.split("|")], wanted) for name, wanted in values.items()]

    def holds(record: Record) -> bool:
        return all(_is_one_of(first_text(record, names).lower(), wanted) for names, wanted in tests)

    def said(record: Record) -> tuple[str, str]:
        deciding = [names for names, wanted in tests if not _is_one_of(first_text(record, names).lower(), wanted)]
        names = next(iter(deciding), tests[0][0])
        text, told = next(((found, [name]) for name in names if (found := text_of(record.get(name, "")))), ("", names))
        return text, " or ".join(spelled[name] for name in told)

    spelled = {field_key(one): one.rsplit(".", 1)[-1] for name in values for one in name.split("|")}
    return Condition(frozenset(spelled), holds, said)


def _is_one_of(text: str, wanted: frozenset[str]) -> bool:
    return text in wanted or bool(text and "*" in wanted)


def first_text(record: Record, names: Iterable[str]) -> str:
    """The first of these fields that says something."""
    for name in names:
        if found := text_of(record.get(name, "")):
            return found
    return ""


def text_of(value: Any) -> str:
    """A field's text; of several the first that says something."""
    if value.__class__ is str:
        return value
    return next((text for text in value if text), "")


def is_set(text: str) -> bool:
    """Whether a flag or an amount says more than no or nothing."""
    word = text.strip().lower()
    if word in _NOT_SET:
        return False
    try:
        return Decimal(word) != 0
    except InvalidOperation:
        return True


def _worked_out(spec: Mapping[str, Any], said: Texts) -> Taker:
    if "always" in spec:
        return _always(str(spec["always"]))
    if "flags" in spec:
        return _flags(spec["flags"], str(spec.get("else", "")))
    if "join" in spec:
        return _joined([column(one, said) for one in spec["join"]], spec.get("with", " "))
    if "minus" in spec:
        whole, part = (column(one, said) for one in spec["minus"])
        return _minus(whole, part, " ".join(spec.get("or_rejected", "").split()))
    taker = column(spec["from"], said)
    if "plus" in spec:
        return _plus(taker, int(spec["plus"]))
    if mark := spec.get("first_of"):
        return Taker(taker.fields, lambda record: taker.take(record).split(mark, 1)[0].strip())
    return taker


def named(name: str, said: Texts) -> str:
    """A field's name with the chosen kind of id in place of $ids."""
    return name.replace("$ids", said.get("$ids", ""))


def _always(text: str) -> Taker:
    return Taker(frozenset(), lambda record: text)


def _field(name: str) -> Taker:
    key = field_key(name)
    return Taker(frozenset({key}), lambda record: text_of(record.get(key, "")))


def _first(takers: list[Taker]) -> Taker:
    def take(record: Record) -> str:
        for taker in takers:
            if found := taker.take(record):
                return found
        return ""

    return Taker(_all_fields(takers), take)


def _mapped(taker: Taker, spec: Mapping[str, Any]) -> Taker:
    """Texts by their meaning; of several texts the first in the order of the map. Others stay, or become `else`."""
    meanings = {str(theirs).lower(): "" if ours is None else str(ours) for theirs, ours in spec["map"].items()}
    otherwise = str(spec["else"]) if "else" in spec else None
    single = field_key(spec["from"]) if isinstance(spec["from"], str) and "first_of" not in spec else None

    def take(record: Record) -> str:
        value = record.get(single, "") if single else taker.take(record)
        texts = [value] if value.__class__ is str else list(value)
        words = {text.lower() for text in texts}
        if len(words) > 1:
            return next((ours for theirs, ours in meanings.items() if theirs in words), otherwise or texts[0])
        text = texts[0] if texts else ""
        return meanings.get(text.lower(), text if otherwise is None else otherwise)

    return Taker(taker.fields, take)


def _flags(flags: Mapping[str, Any], otherwise: str) -> Taker:
    """The text behind the first flag that is set; `a+b` wants both."""
    tests = [([field_key(one) for one in str(name).split("+")], str(text)) for name, text in flags.items()]

    def take(record: Record) -> str:
        for names, text in tests:
            if all(is_set(text_of(record.get(name, ""))) for name in names):
                return text
        return otherwise

    return Taker(frozenset(name for names, _ in tests for name in names), take)


def _joined(takers: list[Taker], mark: str) -> Taker:
    def take(record: Record) -> str:
        return mark.join(text for taker in takers if (text := taker.take(record)))

    return Taker(_all_fields(takers), take)


def _minus(whole: Taker, part: Taker, rejection: str) -> Taker:
    """A number less another, never below zero; without the first nothing, or NotTold where there is something to take
    away from it."""

    def take(record: Record) -> str:
        try:
            left = Decimal(whole.take(record)) - Decimal(part.take(record) or 0)
        except InvalidOperation:
            if rejection and not whole.take(record) and is_set(part.take(record)):
                raise NotTold(rejection) from None
            return ""
        return f"{max(left, Decimal(0)):f}"

    return Taker(whole.fields | part.fields, take)


def _needed(taker: Taker, rejection: str) -> Taker:
    """What the taker takes; NotTold where that is nothing."""

    def take(record: Record) -> str:
        if found := taker.take(record):
            return found
        raise NotTold(rejection)

    return Taker(taker.fields, take, needed=True)


def _plus(taker: Taker, more: int) -> Taker:
    """A whole number and so much more; nothing where it is none."""

    def take(record: Record) -> str:
        text = taker.take(record)
        return str(int(text) + more) if text.isascii() and text.isdigit() else ""

    return Taker(taker.fields, take)


def _only_when(taker: Taker, wanted: Condition) -> Taker:
    return Taker(taker.fields | wanted.fields, lambda record: taker.take(record) if wanted.holds(record) else "")


def _all_fields(takers: list[Taker]) -> frozenset[str]:
    return frozenset().union(*(taker.fields for taker in takers))


def _lower(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values)
