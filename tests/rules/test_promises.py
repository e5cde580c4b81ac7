"""What can become of something asked for inside a compartment, move by move."""

from __future__ import annotations

import pytest

from rules.promises import PROMISES_FILE, CannotMove, State, check_step, is_settled, promises
from rules.roles import FieldClass

WAY = ("asked", "approved", "issued")
ENDS = ("in_hand", "not_wanted", "refused")


@pytest.mark.parametrize("now", [*WAY, *ENDS])
@pytest.mark.parametrize("then", [*WAY, *ENDS])
@pytest.mark.parametrize("note", ["", "because"])
def test_every_move(now: str, then: str, note: str) -> None:
    """Forward freely; back, out of an end, and to a refusal with a word on why; never to where it stands."""
    forward = now in WAY and (then in ("in_hand", "not_wanted") or (then in WAY and WAY.index(then) > WAY.index(now)))
    allowed = now != then and (forward or bool(note))
    if allowed:
        return check_step(State(now), State(then), note=note, settled=now in ENDS)
    with pytest.raises(CannotMove):
        check_step(State(now), State(then), note=note, settled=now in ENDS)


def test_a_refusal_can_be_written_again_until_the_family_knows_how_to_appeal() -> None:
    check_step(State.REFUSED, State.REFUSED, note="told on the phone", settled=False)
    assert not is_settled(State.REFUSED, appeal_told=False)
    assert is_settled(State.REFUSED, appeal_told=True)
    assert is_settled(State.IN_HAND, appeal_told=False) and not is_settled(State.ISSUED, appeal_told=True)


def test_every_kind_lies_in_a_compartment_that_has_words_for_every_state() -> None:
    table = promises()
    assert {kind.compartment for kind in table.kinds.values()} == set(table.states) == {"stls", "health"}
    assert all(set(words) == set(State) for words in table.states.values())
    assert all(kind.due > 0 and kind.label for kind in table.kinds.values())
    assert {"ventra", "uniform", "supplies", "fees", "records", "school_of_origin"} <= set(table.kinds)


def test_only_what_a_small_child_needs_somebody_for_is_asked_for_a_caregiver() -> None:
    assert {kind.key for kind in promises().kinds.values() if kind.caregiver} == {"ventra", "bus"}
    assert promises().kinds["ventra"].words("caregiver") == "Ventra card for the caregiver"
    assert [kind.key for kind in promises().of(FieldClass.HEALTH) if kind.district_cause] == ["immunization"]
    assert "never rename" in PROMISES_FILE.read_text(encoding="utf-8")
