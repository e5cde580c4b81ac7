"""Clerks at the import page of a running web server: each signed in, with a browser's cookies, forms and patience."""

from __future__ import annotations

import hashlib
import html
import io
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import Cookie, CookieJar

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, now, today, transaction
from ew_app.local import child
from ew_app.services.people import accounts
from models.base import db
from models.staff import SignIn
from tests.browser.system import service, wait_for
from tests.durability.machine import PATIENCE
from tests.opened import on

LOOKS_EVERY = 2.0  # seconds; so often the page asks by itself how far the file is
COOKIE, HOST = "ew", "127.0.0.1"

Files = Mapping[str, bytes]
NOTHING: Files = {}


class _Here(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer of its own: it names the delivery that was made."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Page:
    """What the server answered: where it is, and its text."""

    path: str
    text: str

    @property
    def heading(self) -> str:
        """The answer of the page, in plain words."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.S)
        return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else ""

    @property
    def is_on_its_way(self) -> bool:
        return "data-poll=" in self.text

    def hidden(self, name: str) -> str:
        """The value of the first hidden field of that name."""
        found = re.search(rf'name="{name}" value="([^"]+)"', self.text)
        assert found, f"{self.path} has no field {name}: {self.heading}"
        return html.unescape(found[1])


@dataclass(slots=True)
class Clerk:
    """One clerk of one school, with a file to bring in."""

    address: str
    browser: urllib.request.OpenerDirector
    files: Files
    page: Page | None = None  # that stands open
    waited: list[float] = field(default_factory=list)  # seconds, from each click to the page that answers it

    def sit_down(self) -> None:
        """Have the import page open."""
        self.page = self._ask("/imports")

    def bring_in(self) -> Page:
        """The steps from there: send, look at what would happen, apply; the page at the end."""
        assert self.page
        page = self._click("/imports", self.page, self.files)
        if f"{page.path}/apply" in page.text:
            page = self._click(f"{page.path}/apply", page)
        return page

    def _click(self, path: str, form: Page, files: Files = NOTHING) -> Page:
        """Send a form of a page and wait as the next page does, until it has an answer."""
        fields = {name: form.hidden(name) for name in ("csrf_token", "once")}
        began = time.monotonic()
        page = self._ask(path, fields, files)
        while page.is_on_its_way:
            time.sleep(LOOKS_EVERY)
            page = self._ask(page.path)
            assert time.monotonic() - began < PATIENCE, f"{page.path} is still on its way: {page.heading}"
        self.waited.append(time.monotonic() - began)
        return page

    def _ask(self, path: str, fields: Mapping[str, str] | None = None, files: Files = NOTHING) -> Page:
        """A page, by GET; with fields by POST, and then the page it leads to."""
        request = urllib.request.Request(f"{self.address}{path}")
        if fields is not None:
            sent = [FileStorage(io.BytesIO(content), name, content_type="text/csv") for name, content in files.items()]
            boundary, request.data = encode_multipart({**fields, "files": sent})
            request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        try:
            with self.browser.open(request, timeout=PATIENCE) as answer:
                return Page(path, answer.read().decode())
        except urllib.error.HTTPError as answer:
            code, text, leads_to = answer.code, answer.read().decode(), answer.headers.get("Location")
            answer.close()  # before anything else is asked: the server waits for it
        assert code == 302, f"{path} answers {code}: {text[:2000]}"
        return self._ask(urllib.parse.urlsplit(leads_to).path)


@dataclass(frozen=True, slots=True)
class Office:
    """A web server on this district's database, and who signs in there."""

    settings: Settings

    def clerk(self, login: str, school: str, files: Files) -> Clerk:
        """A clerk of that school who has signed in already."""
        token = secrets.token_urlsafe(32)
        with on(self.settings) as app:
            with transaction():
                person = accounts.add_person(
                    login=login, name=f"Clerk {login}", role="attendance_clerk", place=f"school:{school}",
                    by=OPERATOR, starts=today(),
                )  # fmt: skip
                at, sealed = now(), hashlib.sha256(token.encode()).hexdigest()
                times = {"created_at": at, "last_seen": at, "proved_at": at}
                db.session.add(SignIn(token_hash=sealed, person_id=person.id, ip="127.0.0.1", **times))
            return Clerk(self.settings.address, _signed_in(app, token), files)


def _signed_in(app: Flask, token: str) -> urllib.request.OpenerDirector:
    """A browser that keeps its cookies, and holds that of somebody who has signed in."""
    seal = SecureCookieSessionInterface().get_signing_serializer(app)
    assert seal
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies), _Here)
    session = str(seal.dumps({"_user_id": token}))
    cookies.set_cookie(
        Cookie(
            0, COOKIE, session, None, False, HOST, True, False, "/", True, False, None, False, None, None, {}
        )
    )  # fmt: skip
    return browser


@contextmanager
def open_office(settings: Settings, *, workers: int = 2) -> Iterator[Office]:
    """The web server as in use, on a free port, while the block runs."""
    office = Office(replace(settings, port=child.free_port(None)))
    with service(office.settings, "web", "--workers", str(workers)):
        wait_for(f"{office.settings.address}/healthz")
        yield office
