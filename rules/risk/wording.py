"""What a model has not shown, in sentences for people who run schools: what was asked, what came, in the same unit.

Shares are told as percent and students as "of every 100"; a figure that rounds to its limit is told more precisely, so
that no sentence asks for what it says was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MOST_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and its two figures by themselves for a table."""

    sentence: str
    wanted: str
    got: str


def on_day(day: int) -> str:
    """How sentences about a day begin."""
    return f"On school day {day}"


def numbers(wanted: float, got: float, decimals: int = 1) -> tuple[str, str]:
    """Both as text, with so many decimals that they differ where the numbers do; `unknown` for what is none."""
    if not math.isfinite(got):
        return f"{wanted:.{decimals}f}".removesuffix(".0"), "unknown"
    while decimals < MOST_DECIMALS and wanted != got and f"{wanted:.{decimals}f}" == f"{got:.{decimals}f}":
        decimals += 1
    return f"{wanted:.{decimals}f}".removesuffix(".0"), f"{got:.{decimals}f}"


def _told(sentence: str, how: str, wanted: str, got: str, unit: str = "%") -> Told:
    return Told(sentence, f"{how} {wanted}{unit}", f"{got}{unit}" if got != "unknown" else got)


def error_of_rate(day: int, wanted: float, got: float) -> Told:
    """Its error beside that of the plain rate."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)} its estimates are not enough better than the plain absence rate: their error was {found}% of"
        f" the rate's, and at most {most}% is allowed."
    )
    return _told(sentence, "at most", most, found)


def error_of_last_year(day: int, wanted: float, got: float) -> Told:
    """Its error beside that of two rates together."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)} its estimates are not enough better than this year's and last year's absence rates together:"
        f" their error was {found}% of theirs, and at most {most}% is allowed."
    )
    return _told(sentence, "at most", most, found)


def unlisted(day: int, wanted: float, got: float) -> Told:
    """What it finds where the rule sees nothing yet."""
    least, found = numbers(wanted, got, 2)
    sentence = (
        f"{on_day(day)}, among students whom the rule had not listed, the tenth that it put first held {found} times as"
        " many who became chronically absent as the tenth that the plain rate put first; at least"
        f" {least} times as many are asked."
    )
    return _told(sentence, "at least", least, found, " times")


def more_found(day: int, wanted: float, got: float) -> Told:
    """What it finds beyond the rule with a list as long."""
    least, found = numbers(100 * wanted, 100 * got)
    many = f"{found.removeprefix('-')} {'fewer' if got < 0 else 'more'}"
    sentence = (
        f"{on_day(day)}, with a list as long as the rule's, it found {many} of every 100 students who became"
        f" chronically absent than the rule did; at least {least} more are asked."
    )
    return Told(sentence, f"at least {least} more of 100", f"{many} of 100" if found != "unknown" else found)


def kept(day: int, wanted: float, got: float) -> Told:
    """What is left of the gain of a larger model."""
    least, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)} it keeps {found}% of what a larger model, made only to compare, gains over the plain rate; at"
        f" least {least}% is asked."
    )
    return _told(sentence, "at least", least, found)


def may_be_chance(day: int, high: float) -> Told:
    """The whole range of its gain over the rate must be a gain."""
    least, found = numbers(100, 100 * high)
    sentence = (
        f"{on_day(day)} its gain over the plain rate may be chance: with other students of the same kind its error may"
        f" have been up to {found}% of the rate's, and less than {least}% is asked."
    )
    return _told(sentence, "under", least, found)


def does_not_match(day: int, wanted: float, got: float) -> Told:
    """Chance and what came, in groups of similar students."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)} its chances do not match what came: among students of similar chance, on average {found} of"
        f" every 100 more or fewer became chronically absent than it expected; at most {most} are allowed."
    )
    return Told(sentence, f"at most {most} of 100", f"{found} of 100" if found != "unknown" else found)


def expects(day: int, wanted: float, got: float) -> Told:
    """What it expects of everybody together."""
    most, found = numbers(100 * wanted, 100 * got)
    if found == "unknown":
        sentence = f"{on_day(day)} what it expects of all students together can't be held against what came."
        return Told(sentence, f"at most {most} more or fewer of 100", found)
    many = f"{found.removeprefix('-')} {'fewer' if got < 0 else 'more'}"
    sentence = (
        f"{on_day(day)} it expected chronic absence of {many} of every 100 students than it came to; at most {most}"
        " more or fewer are allowed."
    )
    return Told(sentence, f"at most {most} more or fewer of 100", f"{many} of 100")


def spread(day: int, wanted: tuple[float, float], got: float) -> Told:
    """Whether chances are too bold or too timid."""
    low, high = (f"{100 * end:.0f}" for end in wanted)
    found = numbers(100 * (wanted[0] if got < 1 else wanted[1]), 100 * got, 0)[1]
    how = "too bold: too near to none and to all" if not got > 1 else "too timid: too near to the average"
    sentence = (
        f"{on_day(day)} its chances are {how}. They would have fitted what came with {found}% of their distance from"
        f" the average; {low}% to {high}% is allowed."
    )
    return Told(sentence, f"{low}% to {high}%", f"{found}%" if found != "unknown" else found)


def worse_error(day: int, got: float) -> Told:
    """On a day on which it only must lose nothing."""
    most, found = numbers(100, 100 * got)
    sentence = (
        f"{on_day(day)} its estimates are worse than the plain absence rate: their error was {found}% of the rate's,"
        f" and at most {most}% is allowed."
    )
    return _told(sentence, "at most", most, found)


def worse_order(day: int, wanted: float, got: float) -> Told:
    """The same of the order in which it puts students."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)} it puts students in a worse order than the plain absence rate: of every 100 pairs of a student"
        f" who became chronically absent and one who did not it has {found} fewer the right way round; at most {most}"
        " fewer are allowed."
    )
    return Told(sentence, f"at most {most} of 100 fewer", f"{found} of 100 fewer" if found != "unknown" else found)


def groups_tell_more(day: int, wanted: float, got: float) -> Told:
    """What the groups would add to attendance."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"{on_day(day)}, knowing which groups students belong to would set {found} more of every 100 pairs of students"
        f" the right way round than attendance alone; at most {most} are allowed. Find out why before a model is used."
    )
    return Told(sentence, f"at most {most} of 100", f"{found} of 100")


def names_too_many(wanted: float, got: float) -> Told:
    """Students on its lists who were not chronically absent in the end."""
    most, found = numbers(100 * wanted, 100 * got)
    sentence = (
        "Its lists name too many students who were not chronically absent when the year was over: "
        f"{found} for every 100 whom the rule's lists named; at most {most} are allowed."
    )
    return Told(sentence, f"at most {most} for 100 of the rule's", f"{found} for 100" if found != "unknown" else found)


def changes_more(wanted: float, got: float) -> Told:
    """How much of a list stays on the next one."""
    least, found = numbers(100 * wanted, 100 * got)
    sentence = (
        f"Its lists change more from one time to the next than the rule's: {found}% of the students on two lists in a"
        f" row stand on both, and {least}% with the rule's."
    )
    return _told(sentence, "at least", least, found)


def finds_fewer(day: int, group: str, model: str, rule: str, most: float) -> Told:
    """A group of whose students the rule finds more."""
    sentence = (
        f"{on_day(day)}, with lists of the same length, it finds fewer {group} than the rule alone: {model} of those"
        f" who became chronically absent, and the rule {rule}; it may find at most {100 * most:.0f} of every 100 fewer."
    )
    return Told(sentence, f"at most {100 * most:.0f} of 100 fewer than the rule's {rule}", model)


def expects_of_group(day: int, group: str, most: float, got: float) -> Told:
    """A group of which it expects too much or too little."""
    limit, found = numbers(100 * most, 100 * got)
    many = f"{found.removeprefix('-')} {'fewer' if got < 0 else 'more'}"
    sentence = (
        f"{on_day(day)} it expects chronic absence too {'seldom' if got < 0 else 'often'} of {group}: of {many} of"
        f" every 100 than it came to; at most {limit} more or fewer are allowed."
    )
    return Told(sentence, f"at most {limit} more or fewer of 100", f"{many} of 100")
