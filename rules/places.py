"""Where a person works and where a case stands: the district, a network, or a school."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PlaceKind(StrEnum):
    DISTRICT = "district"
    NETWORK = "network"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Place:
    """`district`, `network:ID` or `school:ID`; a school may carry the network it belongs to."""

    kind: PlaceKind
    key: str = ""
    network: str | None = field(default=None, compare=False)

    @classmethod
    def district(cls) -> Place:
        return cls(PlaceKind.DISTRICT)

    @classmethod
    def of_network(cls, key: str) -> Place:
        return cls(PlaceKind.NETWORK, key)

    @classmethod
    def of_school(cls, key: str, network: str | None = None) -> Place:
        return cls(PlaceKind.SCHOOL, key, network)

    @classmethod
    def parse(cls, text: str) -> Place:
        """Reads what `str(place)` writes; ValueError with a sentence for anything else."""
        kind, _, key = text.strip().partition(":")
        kind, key = kind.strip().lower(), key.strip()
        if kind == PlaceKind.DISTRICT and not key:
            return cls.district()
        if kind in (PlaceKind.NETWORK, PlaceKind.SCHOOL) and key:
            return cls(PlaceKind(kind), key)
        raise ValueError(f"{text!r} is not a place. Write district, network:ID or school:ID.")

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else str(self.kind)

    def covers(self, other: Place) -> bool:
        """Whether someone placed here works for `other` too; a school is in a network only if it says so."""
        if self.kind is PlaceKind.DISTRICT or self == other:
            return True
        return self.kind is PlaceKind.NETWORK and other.kind is PlaceKind.SCHOOL and other.network == self.key

    @property
    def breadth(self) -> int:
        """0 for a school, 1 for a network, 2 for the district: the nearest person is asked first."""
        return (PlaceKind.SCHOOL, PlaceKind.NETWORK, PlaceKind.DISTRICT).index(self.kind)

    def upwards(self) -> tuple[Place, ...]:
        """The place itself and those it lies in, the nearest first."""
        network = (Place.of_network(self.network),) if self.network else ()
        return tuple(dict.fromkeys((self, *network, Place.district())))
