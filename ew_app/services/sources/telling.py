"""How each source stands, in words: the same for the command line and the screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ew_app.kernel import NotFound
from ew_app.services.sources import clearing, expecting, refusals, starting
from ew_app.services.sources.expecting import Alarm
from models.attendance import Batch
from models.org import Source
from models.pulls import Pull
from models.queries import pulls as rows
from rules.counting import many
from rules.timetable import Timetable, text

KIND_WORDS = {
    "by_hand": "Files come by hand",
    "folder": "Drop folder",
    "sftp": "SFTP server",
    "edfi_api": "Ed-Fi API",
}
BRINGS_WORDS = {"attendance": "attendance", "roster": "the roster", "both": "the roster and attendance"}


class State(StrEnum):
    """How a source stands, the worst first."""

    LATE = "late"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_CLEARED = "not cleared"
    LOOKING = "looking"
    PAUSED = "paused"
    NEW = "new"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Standing:
    """One source: where it is, when it is looked at, what the last look and the last delivery were."""

    source: Source
    state: State
    sentence: str
    last: Pull | None
    next: datetime | None  # on the district's clock, without a zone
    came: Batch | None

    @property
    def kind(self) -> str:
        return KIND_WORDS[self.source.kind]

    @property
    def where(self) -> str:
        """The place in a few words; nothing of it is secret."""
        place = self.source.location
        at = {"folder": ("folder",), "sftp": ("host", "folder"), "edfi_api": ("address",)}[self.source.kind]
        return ", ".join(str(place[name]) for name in at if place.get(name) not in (None, "", "."))

    @property
    def timetable(self) -> str:
        return Timetable.of(self.source.timetable).words()

    @property
    def expected(self) -> str:
        """`by 18:30, the same day`; nothing where nothing is expected."""
        if self.source.expected_by is None:
            return ""
        day = "the same day" if self.source.expected_day == "same" else "the school day before"
        return f"by {text(self.source.expected_by)}, {'each school day' if self.source.brings == 'roster' else day}"


def all_standings() -> list[Standing]:
    """Every source that is fetched from, by name."""
    late = {alarm.source: alarm for alarm in expecting.alarms()}
    return [_standing(source, late.get(source.name)) for source in rows.fetched_from()]


def standing(name: str) -> Standing:
    """One source. NotFound."""
    source = rows.source(name)
    if source is None or source.kind == "by_hand":
        raise NotFound(f"There is no source {name} that is fetched from.")
    late = next((alarm for alarm in expecting.alarms() if alarm.source == name), None)
    return _standing(source, late)


def deliveries_of(looks: list[Pull]) -> dict[int, tuple[str, str]]:
    """Batch -> (status, sentence) of everything these looks brought."""
    return rows.statuses([number for look in looks for number in look.batches])


def _standing(source: Source, late: Alarm | None) -> Standing:
    last, open_look = rows.last_pull(source.id), rows.open_pull(source.id)
    state, sentence = _state(source, late, last, open_look)
    coming = None if source.paused else starting.next_look(source)
    return Standing(source, state, sentence, last, coming, rows.last_came(source.id))


def _state(source: Source, late: Alarm | None, last: Pull | None, open_look: Pull | None) -> tuple[State, str]:
    if open_look is not None:
        return State.LOOKING, "It is being looked at now." if open_look.started_at else "A look is about to begin."
    if source.paused:
        return State.PAUSED, "Paused: nothing is fetched and nothing is expected."
    if late is not None:
        words = late.sentence.removeprefix(f"{source.name}: ")
        return State.LATE, words[:1].upper() + words[1:]
    if last is None:
        return State.NEW, "It has not been looked at yet."
    if trouble := expecting.trouble_of(last):
        return State.FAILED, trouble
    if refused := refusals.trouble_of(source):
        return State.REFUSED, refused
    if uncleared := clearing.trouble_of(source):
        return State.NOT_CLEARED, uncleared
    held = [status for status, _ in rows.statuses(last.batches).values() if status == "held"]
    if held:
        return State.WELL, f"{many(len(held), 'delivery', 'deliveries')} held: somebody has to look at it."
    return State.WELL, last.sentence
