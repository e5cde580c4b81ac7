"""What can be said of a model at work: while a year goes on, only whom it names; when it is over, what became of them.

Nobody is chronically absent before the year ends, so a running year has no hits and misses and none are made up for
it. All counts are told in tens or as shares, kept back where they would tell about fewer than ten.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rules.risk.cohort import Bools
from rules.risk.features import Floats, Ints
from rules.risk.group_names import said
from rules.suppression import HIDDEN, LEAST, share_words, tens_words

LIKELY = 5  # tenths: from here on it expected chronic absence more often than not
Line = dict[str, str]


def first_of(order: Floats, ties: NDArray[np.uint64], size: int) -> Bools:
    """[S] the `size` students of the highest scores."""
    found = np.zeros(len(order), dtype=bool)
    found[np.lexsort((ties, -order))[:size]] = True
    return found


def running(groups: Mapping[str, Bools], listed: Bools, first: Bools, chances: Floats) -> list[Line]:
    """Of each group: how many the rule lists, how many the model puts on a list as long, what it expects of them."""
    return [_running(name, members, listed, first, chances) for name, members in sorted(groups.items())]


def _running(name: str, members: Bools, listed: Bools, first: Bools, chances: Floats) -> Line:
    size = int(members.sum())
    if min(size, len(members) - size) < LEAST:
        return {"name": said(name)} | dict.fromkeys(("students", "flagged", "flagged_by_rule", "expected"), HIDDEN)
    expected = round(float(chances[members].sum()))
    return {
        "name": said(name),
        "students": tens_words(size),
        "flagged": share_words(int((first & members).sum()), size),
        "flagged_by_rule": share_words(int((listed & members).sum()), size),
        "expected": share_words(expected, size),
    }


def by_range(ranges: Ints, chronic: Bools, reached: Bools) -> list[Line]:
    """Of each range that was told: how many students, and how many of them were chronically absent in the end.

    `reached`: [S] whom staff were in touch with after that evening; told apart, because help changes what comes.
    """
    found = []
    for place in range(10):
        here = ranges == place
        lines = {"range": f"{10 * place}% to {10 * place + 10}%", "students": tens_words(int(here.sum()))}
        for name, some in (("came", here), ("came_in_touch", here & reached), ("came_others", here & ~reached)):
            lines[name] = share_words(int((chronic & some).sum()), int(some.sum()))
        found.append(lines)
    return found


def by_group(groups: Mapping[str, Bools], ranges: Ints, listed: Bools, chronic: Bools) -> list[Line]:
    """Of everybody and of each group: what the rule's list found in the end, and what the model thought likely."""
    likely, everybody = ranges >= LIKELY, np.ones(len(ranges), dtype=bool)
    whole = _found("all students", everybody, likely, listed, chronic)
    return [whole, *(_found(said(name), groups[name], likely, listed, chronic) for name in sorted(groups))]


def _found(name: str, members: Bools, likely: Bools, listed: Bools, chronic: Bools) -> Line:
    size, others = int(members.sum()), int((~members).sum())
    keys = ("students", "chronic", "flagged", "flagged_by_rule", "found", "found_by_rule", "right", "right_by_rule")
    if size < LEAST or 0 < others < LEAST:
        return {"name": name} | dict.fromkeys(keys, HIDDEN)
    came = members & chronic
    told = {"name": name, "students": tens_words(size), "chronic": share_words(int(came.sum()), size)}
    for suffix, flagged in (("", likely & members), ("_by_rule", listed & members)):
        hits = int((flagged & came).sum())
        told |= {
            f"flagged{suffix}": share_words(int(flagged.sum()), size),
            f"found{suffix}": share_words(hits, int(came.sum())),
            f"right{suffix}": share_words(hits, int(flagged.sum())),
        }
    return told
