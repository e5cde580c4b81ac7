"""The public summary as a page that stands alone: a district puts it on its own site beside the files."""

from __future__ import annotations

import json
from html import escape

from ew_app.services.watching import sheets
from ew_app.services.watching.public import COLUMNS, DEFINITION, HOW_TOLD, MEASURE, Line, Summary

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1b2530;background:#fff;max-width:60rem}"
    "body{margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}"
    "th,td{text-align:left;padding:.4rem .5rem;border-bottom:1px solid #d5dce3;font-variant-numeric:tabular-nums}"
    "tr.district th,tr.network th{font-weight:600}tr.school th{font-weight:400;padding-left:1.5rem}"
    "p{max-width:70ch}.muted{color:#52606d}@media print{body{margin:0}}"
)


def page(found: Summary) -> str:
    """One HTML document without a script or a request to anywhere."""
    day = f"{found.as_of:%B} {found.as_of.day}, {found.as_of.year}"
    defined = f"{found.defined_on:%B} {found.defined_on.day}, {found.defined_on.year}"
    rows = "\n".join(_row(line) for line in found.lines)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chronic absence, as of {day}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>Chronic absence, as of {day}</h1>
<p>{escape(_answer(found.lines[0]))}</p>
<table>
<caption>Students and the share that is chronically absent</caption>
<thead><tr><th scope="col">Place</th><th scope="col">Students</th><th scope="col">{MEASURE}</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<h2>What is counted</h2>
<p>{escape(DEFINITION)} This wording holds since {defined}.</p>
<h2>How it is told</h2>
<p>{escape(HOW_TOLD)}</p>
{_behind(found)}<p class="muted">From what was known at {escape(found.known_at)}. The same table is in
chronic-absence.csv and chronic-absence.json.</p>
</main>
</body>
</html>
"""


def _behind(found: Summary) -> str:
    """Which schools are told as of an earlier day, so that no figure claims too much."""
    if not found.behind:
        return ""
    named = escape(", ".join(found.behind))
    return f"<h2>Not in yet</h2>\n<p>As of an earlier day, as far as attendance had come: {named}.</p>\n"


def _answer(district: Line) -> str:
    return f"{district.students.capitalize()} students: chronically absent {district.chronically_absent}."


def _row(line: Line) -> str:
    name = line.school or line.network or "The district"
    cells = f"<td>{escape(line.students)}</td><td>{escape(line.chronically_absent)}</td>"
    return f'<tr class="{line.level}"><th scope="row">{escape(name)}</th>{cells}</tr>'


def files(found: Summary) -> dict[str, bytes]:
    """The three files that are published together: name -> content."""
    told = {
        "as_of": str(found.as_of),
        "known_at": found.known_at,
        "measure": MEASURE,
        "definition": DEFINITION,
        "defined_on": str(found.defined_on),
        "how_told": HOW_TOLD,
        "behind": found.behind,
        "rows": found.rows(),
    }
    return {
        "index.html": page(found).encode(),
        "chronic-absence.csv": sheets.as_csv(COLUMNS, found.rows()),
        "chronic-absence.json": (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode(),
    }
