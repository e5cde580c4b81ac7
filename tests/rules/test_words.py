"""Free text: what is refused, what is not, and that the refusal repeats nothing."""

from __future__ import annotations

import pytest

from rules.words import Subject, UnfitWords, check_words, findings

REFUSED = {
    Subject.IMMIGRATION: [
        "Mother says they are undocumented.",
        "Family worried about immigration at the bus stop",
        "afraid of ICE near the school",
        "Dad was deported in May",
        "Student overstayed visa",
        "they have no papers",
        "asked about citizenship",
        "La familia está sin papeles",
        "El padre es indocumentado",
        "seeking ASYLUM",
        "no legal status",
        "family are recent immigrants",
        "new migrant family",
        "familia inmigrante",
    ],
    Subject.BIRTHPLACE: [
        "Student was born in Honduras.",
        "place of birth unknown",
        "Birthplace: see file",
        "nationality asked by clerk",
        "El niño nació en México",
        "Country of origin noted",
    ],
    Subject.SSN: [
        "SSN on file",
        "her number is 219-09-9999",
        "219 09 9999",
        "gave social security number",
        "número de seguro social",
    ],
}

FINE = [
    "",
    "Grandmother will bring her on Monday; interpreter for Spanish needed.",
    "Slipped on ice, home for two days. Ice cream social on Friday.",
    "Twin brother born in May starts kindergarten.",
    "Paid with a Visa card at the office.",
    "Call 312-555-0142 after 15:00, or 773 555 0199.",
    "Student ID 900123456, room 219.",
    "Case 219-09 discussed; 12 of 40 days.",
    "Bus does not come. Father works nights and has no paper forms.",
    "Student wants to be a good citizen and joined the council.",
    "Baby sister born in October, he cares for her.",
    "Class studies bird migrations? No: behind in reading.",
    "It is not legal to leave the little one alone, so she stays home.",
    "Talked about the status of the plan.",
]


@pytest.mark.parametrize(("subject", "text"), [(s, text) for s, texts in REFUSED.items() for text in texts])
def test_refused(subject: Subject, text: str):
    assert subject in {finding.subject for finding in findings(text)}


@pytest.mark.parametrize("text", FINE)
def test_fine(text: str):
    assert findings(text) == ()
    check_words(text)


def test_the_refusal_advises_and_repeats_nothing():
    with pytest.raises(UnfitWords) as refused:
        check_words("Undocumented, born in Honduras, SSN 219-09-9999, undocumented since May")
    sentence = str(refused.value)
    assert sentence.startswith("This was not saved. ")
    assert "interpreter" in sentence and "student ID is enough" in sentence
    assert not any(word in sentence for word in ("Undocumented", "Honduras", "219"))
    assert sentence.count("Please leave out") == 3


def test_a_finding_tells_where():
    (found,) = findings("his SSN please")
    assert (found.start, found.end) == (4, 7)
