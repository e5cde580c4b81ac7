"""Whatever is delivered, corrected and taken back, in whatever order: a dictionary tells what must stand."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from tests.services.any_files import File, Key, any_file
from tests.services.lincoln_and_carver import build, load_files, query, standing

DAYS = ("08-17", "08-18", "08-19")

State = dict[Key, tuple[str, int | None]]


def lay(state: State, file: File) -> Counter[str]:
    """What a delivery does, row by row."""
    counts: Counter[str] = Counter()
    for key, (code, hour) in file.rows.items():
        stood = state.get(key)
        if stood is None:
            fate = "applied"
        elif stood[0] == code:
            fate = "unchanged"
        else:
            fate = "unchanged" if hour and stood[1] and hour < stood[1] else "superseded"
        if fate != "unchanged" or (stood and stood[0] == code and hour and hour > (stood[1] or 0)):
            state[key] = (code, hour)
        counts[fate] += 1
    for key in [key for key in state if (key[0], key[2]) in file.whole() and key not in file.rows]:
        del state[key]
        counts["removed"] += 1
    return counts


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 20))])
def test_what_stands_is_what_the_remaining_files_say(app: Flask, seed: int) -> None:
    build()
    chance = random.Random(seed)
    accepted: list[tuple[int, File]] = []
    for _ in range(14):
        if accepted and chance.random() < 0.3:
            _take_back(accepted, chance.randrange(len(accepted)))
        elif accepted and chance.random() < 0.2:
            _deliver(chance.choice(accepted)[1], accepted)
        else:
            _deliver(any_file(chance, DAYS), accepted)
        state = _replay(accepted)
        assert standing() == {f"{name} {day}": code for (_, name, day), (code, _) in state.items()}
        _check_the_ledger(accepted)


def _deliver(file: File, accepted: list[tuple[int, File]]) -> None:
    if not file.rows:
        return
    told = load_files(file.contents(), feed=file.feed, accept_held=True)
    if told["status"] == "duplicate":
        assert file in [other for _, other in accepted]
        stands = _replay(accepted)
        assert lay(dict(stands), file)["unchanged"] == len(file.rows)
        accepted.append((told["batch"], file))
        return
    expected = lay(_replay(accepted), file)
    assert {name: told[name] for name in ("applied", "unchanged", "superseded", "removed")} == {
        name: expected[name] for name in ("applied", "unchanged", "superseded", "removed")
    }
    accepted.append((told["batch"], file))


def _take_back(accepted: list[tuple[int, File]], place: int) -> None:
    """Take one back; one that only repeated an earlier one cannot be, and stands by itself once that one is gone."""
    batch = accepted[place][0]
    if ingest.describe(batch)["status"] == "duplicate":
        return
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    del accepted[place]


def _replay(accepted: list[tuple[int, File]]) -> State:
    state: State = {}
    for _, file in accepted:
        lay(state, file)
    return state


def _check_the_ledger(accepted: list[tuple[int, File]]) -> None:
    """Each school-day that a remaining file speaks of is there, full if any of them was a full feed."""
    feeds: dict[tuple[str, str], str] = {}
    rows = Counter((school, day) for school, _, day in _replay(accepted))
    for _, file in accepted:
        for at in {(school, day) for school, _, day in file.rows} | set(file.covers):
            feeds[at] = "full" if "full" in (file.feed, feeds.get(at)) else "exception"
    found = query(
        "SELECT s.key, to_char(day, 'MM-DD'), d.feed, rows FROM school_day d JOIN school s ON s.id = school_id"
    )
    assert {(school, day): (feed, count) for school, day, feed, count in found} == {
        at: (feed, rows[at]) for at, feed in feeds.items()
    }
