"""Supports that a plan can use (policies/interventions.yaml): which fit a tier and a cause, and where each is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.roles import FieldClass
from rules.tiers import Tier
from rules.vocabulary import vocabulary

CATALOGUE_FILE = Path(__file__).parent / "policies" / "interventions.yaml"
TIERS: Mapping[int, Tier] = {1: Tier.ONE, 2: Tier.TWO, 3: Tier.THREE}


@dataclass(frozen=True, slots=True)
class Dose:
    """How often a support is given: in words, how many times, over how many school days."""

    words: str
    times: int
    days: int


@dataclass(frozen=True, slots=True)
class Intervention:
    """One support. `causes` is empty for one that fits whatever gets in the way; `restricted`: its own compartment."""

    key: str
    label: str
    tier: Tier
    causes: frozenset[str]
    restricted: FieldClass | None
    what: str
    dose: Dose
    owner: str
    measure: str
    family: str
    source: str

    @property
    def limited(self) -> bool:
        """Whether it is only for causes that those alone see who read the notes of a case."""
        return bool(self.causes) and all(vocabulary().causes[code].limited for code in self.causes)

    def fits(self, tier: Tier) -> bool:
        """Whether it may be used in this tier: supports of the tiers below always may."""
        return self.tier <= max(tier, Tier.ONE)

    def answers(self, causes: Collection[str]) -> bool:
        """Whether it is meant for one of these causes."""
        return not self.causes.isdisjoint(causes)

    def for_family(self, first_name: str) -> str:
        """What it is, in a sentence for the family; '' where it stands on no printed plan."""
        return self.family.replace("{first_name}", first_name)


@cache
def catalogue() -> Mapping[str, Intervention]:
    """Every support by key, in the order of the file."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(CATALOGUE_FILE.read_text(encoding="utf-8"))
    return {key: _read(key, entry) for key, entry in document.items()}


def intervention(key: str) -> Intervention:
    """The support with this key. KeyError with a sentence for any other word."""
    if key not in catalogue():
        raise KeyError("Choose a support from the list.")
    return catalogue()[key]


def kept_in(one: Intervention, cause: str | None) -> FieldClass | None:
    """The compartment in which a support lives: that of the cause it is for, else its own; None outside all."""
    of_cause = vocabulary().causes[cause].restricted if cause else None
    return of_cause or one.restricted


def offered(tier: Tier, writable: Collection[FieldClass]) -> tuple[Intervention, ...]:
    """The supports of a tier that may be chosen by somebody who writes these classes."""
    return tuple(
        one for one in catalogue().values() if one.fits(tier) and (one.restricted is None or one.restricted in writable)
    )


def in_groups(offered: Iterable[Intervention], causes: Collection[str]) -> list[tuple[str, list[Intervention]]]:
    """The same under headings: meant for what gets in the way, good for everybody, kept apart, the rest.

    `causes` are those that everybody on the case may read, so that a heading tells of no compartment.
    """
    groups: dict[str, list[Intervention]] = {
        "For what gets in the way": [], "Whatever gets in the way": [], "Only for some to read": [],
        "For other causes": [],
    }  # fmt: skip
    meant, everybody, apart, others = groups.values()
    for one in sorted(offered, key=lambda one: -one.tier):
        place = apart if one.restricted else meant if one.answers(causes) else others if one.causes else everybody
        place.append(one)
    return [(words, found) for words, found in groups.items() if found]


def _read(key: str, entry: Mapping[str, Any]) -> Intervention:
    causes = _causes(entry["causes"])
    return Intervention(
        key=key,
        label=entry["label"],
        tier=TIERS[entry["tier"]],
        causes=causes,
        restricted=_compartment_of(causes),
        what=entry["what"],
        dose=Dose(**entry["dose"]),
        owner=entry["owner"],
        measure=entry["measure"],
        family=entry.get("family", ""),
        source=entry.get("source", ""),
    )


def _causes(written: str | list[str]) -> frozenset[str]:
    if written == "all":
        return frozenset()
    known = vocabulary().causes
    families = (name.removesuffix("*") for name in written if name.endswith("*"))
    named = {name for name in written if not name.endswith("*")}
    if unknown := named - known.keys():
        raise ValueError(f"interventions.yaml names causes that vocabulary.yaml does not have: {sorted(unknown)}.")
    return frozenset(named.union(*({code for code in known if code.startswith(family)} for family in families)))


def _compartment_of(causes: frozenset[str]) -> FieldClass | None:
    """The one compartment that all of these causes belong to."""
    places = {vocabulary().causes[code].restricted for code in causes}
    return places.pop() if len(places) == 1 else None
