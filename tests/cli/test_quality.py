"""`ew quality`: what the last look found, for people and for machines; it always ends with 0."""

from __future__ import annotations

from tests.cli.conftest import CommandLine


def test_it_tells_what_to_mend_and_where(cli: CommandLine) -> None:
    told = cli.json("quality", "--json", "--now")
    assert told["checks"] == 27 and told["findings"], "the invented district has a late school and an unknown code"
    for finding in told["findings"]:
        assert finding["title"] and finding["matters"].endswith(".") and finding["mend"].endswith(".")
        assert finding["rows"] > 0 and not finding["new"]
    page = cli("quality").stdout
    first = told["findings"][0]
    assert first["title"] in page and f"How to mend it: {first['mend']}" in page
    assert f"  {first['school_id'] or 'district'}: {first['rows']:,}, since {first['since']}" in page


def test_one_school_alone(cli: CommandLine) -> None:
    everywhere = cli.json("quality", "--json")["findings"]
    school = next(finding["school_id"] for finding in everywhere if finding["school_id"])
    here = cli.json("quality", "--school", school, "--json")["findings"]
    assert here == [finding for finding in everywhere if finding["school_id"] == school]
    assert "Nothing to mend" in cli("quality", "--school", "none-of-this-name").stdout
