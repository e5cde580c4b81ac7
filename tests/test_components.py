"""The component set keeps its promises: the strict content policy, and a gallery that leaves nothing out."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from flask import Flask, render_template
from flask_bootstrap import Bootstrap5

from ew_app.web.page import options
from rules import school_days

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"
FRAME = {
    "nav": [("Today", "/today", "today", 3), ("Caseload", "/caseload", "caseload")],
    "viewer": {"name": "Maria Ortiz", "role": "Social worker", "place": "4 schools"},
    "place": "today",
    "banners": [("demo", "Every student here is invented.")],
    "today": dt.date(2026, 11, 20),
}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The pages that need no database, rendered once."""
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(ROOT / "ew_app/static"))
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, SECRET_KEY="test")
    app.jinja_env.globals["day_text"] = school_days.day_text
    app.add_template_filter(options)
    Bootstrap5(app)
    with app.test_request_context("/"):
        codes = (404, 413, 429, 500, 503)
        made = {f"error {code}": render_template("error.html", code=code) for code in codes}
        made["gallery"] = render_template("gallery.html", **FRAME)
        made["code"] = render_template("signin.html", ask_code=True)
        demo = [("ana", "demo", "Clerk")]
        made["sign in"] = render_template("signin.html", demo_logins=demo, error="No match.")
        return made


def test_pages_hold_no_inline_style_or_script(pages: dict[str, str]) -> None:
    inline = re.compile(r"""<style|\sstyle=|\son[a-z]+=["']|<script(?![^>]*\ssrc=)""")
    assert {name for name, page in pages.items() if inline.search(page)} == set()


def test_every_id_is_used_once_on_a_page(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert sorted(set(ids)) == sorted(ids), name


def test_every_label_and_description_points_at_something(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        ids = set(re.findall(r'\sid="([^"]+)"', page))
        aims = re.findall(r'\s(?:for|aria-describedby|aria-labelledby)="([^"]+)"', page)
        assert {aim for group in aims for aim in group.split()} <= ids, name


def test_gallery_shows_every_component() -> None:
    offered = set(re.findall(r"set (\w+) = \w+\.\w+", (TEMPLATES / "_components.html").read_text("utf-8")))
    pages = ("gallery.html", "components/_sample.html")
    shown = "".join((TEMPLATES / page).read_text("utf-8") for page in pages)
    left_out = {name for name in offered if f"ui.{name}(" not in shown}
    assert left_out == set()


def test_a_tier_with_missing_days_names_the_whole_range(pages: dict[str, str]) -> None:
    assert "Watch to Tier 2" in pages["gallery"]
    assert "2 days missing" in pages["gallery"]
