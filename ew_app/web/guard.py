"""The guard at the door: who is asking, and may they open this page at all?

Every view says so itself with `@requires(...)`; a view that says nothing and is not in PUBLIC opens for nobody.
What the page then shows of which school or student is decided by scope: out of reach looks like not there (404).
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from itsdangerous import BadSignature, URLSafeSerializer

from ew_app.kernel import Actor, NotFound, Refused, Trace, settings, trace
from ew_app.services.people import accounts, api_tokens, signing_in
from ew_app.services.people.signing_in import Opened, Visitor
from rules import access
from rules.access import Permission, Place, Scope

P = ParamSpec("P")
T = TypeVar("T")

ASSETS = frozenset({"static", "bootstrap.static", "health.healthz", "health.readyz"})
PUBLIC = ASSETS | {"signin.sign_in", "signin.code", "signin.app", "signin.set_password", "calendar.feed", "api.openapi"}

log = logging.getLogger("ew.web")
logins = LoginManager()


class SignedIn(UserMixin):
    """What Flask-Login keeps for one request: the token of the cookie and who holds it."""

    def __init__(self, token: str, who: Visitor | None = None) -> None:
        self.token = token
        self.who = who

    def get_id(self) -> str:
        return self.token


@logins.user_loader
def _holder(token: str) -> SignedIn | None:
    who = signing_in.visitor(token, on_this_machine=on_this_machine())
    return SignedIn(token, who) if who else None


def requires(*permissions: Permission) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Open a view to whoever holds one of these permissions anywhere; with none named, to anyone signed in."""

    def mark(view: Callable[P, T]) -> Callable[P, T]:
        view.requires = permissions  # type: ignore[attr-defined]
        return view

    return mark


def admit() -> ResponseReturnValue | None:
    """Before every request: let in, send to the sign-in page, or refuse."""
    trace.set(Trace(request.remote_addr or "", g.request_id))
    endpoint = request.endpoint
    if endpoint in ASSETS:
        return None
    g.visitor = _script() if _of_script() else visitor()
    if endpoint is None or endpoint in PUBLIC:
        return None
    needed = getattr(current_app.view_functions[endpoint], "requires", None)
    if needed is None:
        log.error("view %s has no @requires and opens for nobody", endpoint)
        abort(404)
    if g.visitor is None:
        return _to_sign_in()
    _check(needed)
    return None


def _of_script() -> bool:
    """Whether the request shows a token: only the API takes one, and then no cookie counts beside it."""
    return request.path.startswith("/api/") and "Authorization" in request.headers


def _script() -> Visitor | None:
    """The person whose script shows a token that is taken now."""
    kind, _, shown = request.headers["Authorization"].partition(" ")
    if kind.lower() != "bearer":
        return None
    by = api_tokens.holder(shown.strip(), ip=request.remote_addr or "", on_this_machine=on_this_machine())
    return Visitor(by, is_demo=False, proved=True, enrolled=True) if by else None


def _check(needed: tuple[Permission, ...]) -> None:
    by = actor()
    if needed and not any(access.can(by.grants, permission) for permission in needed):
        accounts.note_refusal(by=by, page=request.endpoint or "")
        access.check(by.grants, needed[0])


def _to_sign_in() -> ResponseReturnValue:
    """A person is asked to sign in and comes back here; a script is told so."""
    if request.path.startswith("/api/") or request.headers.get("X-Fragment") or request.method != "GET":
        abort(401)
    return redirect(url_for("signin.sign_in", next=request.full_path.rstrip("?")))


# -- who is asking -------------------------------------------------------------------------------------------


def visitor() -> Visitor | None:
    """Whoever holds a session with every factor given."""
    holder = waiting()
    return holder if holder and holder.proved else None


def waiting() -> Visitor | None:
    """Whoever holds a session, even one that still waits for its second factor."""
    return current_user.who if current_user.is_authenticated else None


def actor() -> Actor:
    """The person behind this request, to hand to a service as `by`."""
    who: Visitor | None = g.get("visitor")
    if who is None:
        abort(401)
    return who.actor


def token() -> str:
    """The session token of this request's cookie."""
    return current_user.get_id() or ""


def let_in(opened: Opened) -> None:
    """Put a fresh session into the cookie; whatever the cookie held before is gone."""
    session.clear()
    login_user(SignedIn(opened.token))


def forget() -> None:
    """Empty the cookie."""
    logout_user()
    session.clear()


def on_this_machine() -> bool:
    """The request comes from the machine the server runs on, by a loopback name and through no proxy."""
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"))
    return not proxied and _loopback(request.remote_addr) and _loopback(urlsplit(f"//{request.host}").hostname)


def _loopback(address: str | None) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address((address or "").strip("[]")).is_loopback
    except ValueError:
        return False


# -- what they may reach -------------------------------------------------------------------------------------


def scope(permission: Permission) -> Scope:
    """Whose records this person reaches for a permission: hand it to a function of models.queries."""
    return access.scope_of(actor().grants, permission)


def must_reach(permission: Permission, place: Place) -> None:
    """Raises NotFound unless the permission holds at that place: elsewhere looks like nowhere."""
    if not access.can(actor().grants, permission, place):
        raise NotFound("There is nothing here for you to open.")


def found(thing: T | None) -> T:
    """The thing, or NotFound when a scoped query gave nothing."""
    if thing is None:
        raise NotFound("There is nothing here for you to open.")
    return thing


# -- forms that must count once ------------------------------------------------------------------------------


def new_once() -> str:
    """A key for one filling-in of one form by this person; templates call it as `once()`."""
    return _signer().dumps([actor().person_id, secrets.token_urlsafe(16)])


def once() -> str:
    """The key of the posted form, to hand to the service: the same key twice is the same act. Raises Refused."""
    try:
        person_id, key = _signer().loads(request.form.get("once", ""))
    except (BadSignature, ValueError):
        person_id, key = None, ""
    if not key or person_id != actor().person_id:
        raise Refused("This form is from an earlier sign-in. Nothing was saved; load the page and send it again.")
    return str(key)


def filled_in_by() -> int | None:
    """Whose form was posted, by the key that we signed into it; None for a form without one."""
    try:
        person_id, _ = _signer().loads(request.form.get("once", ""))
    except (BadSignature, ValueError):
        return None
    return int(person_id) if person_id is not None else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="once")


def local_path(text: str | None) -> str:
    """A path on this server to go on to, or the start page for anything that leads elsewhere."""
    path = text or ""
    elsewhere = not path.startswith("/") or path.startswith(("//", "/\\"))
    if elsewhere or "\\" in path or any(ord(letter) < 33 for letter in path):
        return "/"
    return path


def minutes_idle() -> int:
    """After how many minutes without a click a session ends."""
    return int(signing_in.IDLE.total_seconds() // 60)


def public_address() -> str:
    """Where people find the product, for links that leave it."""
    return settings().address
