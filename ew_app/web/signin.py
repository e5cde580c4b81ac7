"""S01: Am I who I say? Password, then the code of an app; at a first sign-in the app is added on the way."""

from __future__ import annotations

from collections.abc import Callable

import segno
from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup

from ew_app.kernel import Refused
from ew_app.services.people import credentials, demo_people, passwords, signing_in
from ew_app.services.people.signing_in import Opened
from ew_app.web import guard, limits, nav
from ew_app.web.guard import requires
from ew_app.web.page import moment

screen = Blueprint("signin", __name__)

by_login = limits.limiter.limit(
    limits.SIGN_IN_BY_LOGIN, key_func=limits.login_name, methods=["POST"], deduct_when=limits.was_refused
)
by_address = limits.limiter.shared_limit(
    limits.SIGN_IN_BY_ADDRESS,
    scope="sign-in",
    key_func=limits.address,
    methods=["POST"],
    deduct_when=limits.was_refused,
)


@screen.get("/")
@requires()
def home() -> ResponseReturnValue:
    """The first place this person may open."""
    first = nav.start(current_app, guard.actor().grants)
    return redirect(first) if first else render_template("signin_nothing.html")


@screen.route("/sign-in", methods=["GET", "POST"])
@by_login
@by_address
def sign_in() -> ResponseReturnValue:
    next_url = guard.local_path(request.values.get("next"))
    if request.method == "GET":
        return redirect(next_url) if g.visitor else _password_page(next_url)
    login, password = request.form.get("login", ""), request.form.get("password", "")
    here = guard.on_this_machine()
    try:
        opened = signing_in.by_password(login, password, ip=request.remote_addr or "", on_this_machine=here)
    except Refused as refusal:
        return _password_page(next_url, login, str(refusal)), 401
    return _go_on(opened, next_url)


def _password_page(next_url: str, login: str = "", error: str = "") -> str:
    demo = demo_people.logins() if guard.on_this_machine() else []
    banners = [("demo", "This system holds invented people and students only.")] if demo else []
    return render_template(
        "signin.html", login=login, error=error, next_url=next_url, demo_logins=demo, banners=banners
    )


def _go_on(opened: Opened, next_url: str) -> ResponseReturnValue:
    """To the page that was asked for, or to the second factor first."""
    guard.let_in(opened)
    if opened.proved:
        if opened.last_time:
            flash(f"You last signed in {moment(opened.last_time)}.", "info")
        return redirect(next_url)
    session["next"] = next_url
    return redirect(url_for("signin.code"))


@screen.route("/sign-in/code", methods=["GET", "POST"])
@by_address
def code() -> ResponseReturnValue:
    """The six digits of an app that is known already."""
    who = guard.waiting()
    if who is None or who.proved:
        return redirect(url_for("signin.sign_in"))
    if not who.enrolled:
        return redirect(url_for("signin.app"))
    if request.method == "GET":
        return render_template("signin.html", ask_code=True)
    return _prove(None, lambda error: render_template("signin.html", ask_code=True, error=error))


@screen.route("/sign-in/app", methods=["GET", "POST"])
@by_address
def app() -> ResponseReturnValue:
    """Add an authenticator app: the secret is shown once and kept when a code shows that the app has it."""
    who = guard.waiting()
    if who is None or who.proved or who.enrolled:
        return redirect(url_for("signin.code"))
    login = who.actor.login
    offer, secret = _offer(request.form.get("offer"))

    def page(error: str = "") -> str:
        link = signing_in.app_link(login, secret)
        return render_template(
            "signin_app.html", secret=secret, link=link, picture=_picture(link), offer=offer, error=error
        )

    return page() if request.method == "GET" else _prove(secret, page)


def _picture(link: str) -> Markup:
    """The link as a QR code drawn into the page: nothing is asked of any server, and it needs no style of its own."""
    code = segno.make(link, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, svgclass="qr", lineclass=None, light="white"))


def _offer(sealed: str | None) -> tuple[str, str]:
    """The secret offered to this session and its sealed form, which the page carries; a new one if need be."""
    seal = URLSafeTimedSerializer(str(current_app.secret_key), salt=f"offer {guard.token()}")
    try:
        return sealed or "", str(seal.loads(sealed or "", max_age=int(signing_in.TO_PROVE.total_seconds())))
    except BadSignature:
        secret = signing_in.new_secret()
        return str(seal.dumps(secret)), secret


def _prove(offered: str | None, page: Callable[[str], str]) -> ResponseReturnValue:
    next_url = guard.local_path(session.get("next"))
    given = request.form.get("code", "")
    try:
        opened = signing_in.by_code(guard.token(), given, ip=request.remote_addr or "", offered=offered)
    except Refused as refusal:
        return page(str(refusal)), 401
    return _go_on(opened, next_url)


@screen.post("/sign-out")
@requires()
def sign_out() -> ResponseReturnValue:
    signing_in.sign_out(guard.token(), by=guard.actor())
    guard.forget()
    answer = redirect(url_for("signin.sign_in"))
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


@screen.get("/session/extend")
@requires()
def extend() -> ResponseReturnValue:
    """Someone is still there: any request keeps the session; the answer renews the tokens of open forms."""
    return {"token": generate_csrf()}


@screen.route("/set-password/<token>", methods=["GET", "POST"])
@by_address
def set_password(token: str) -> ResponseReturnValue:
    """Choose a password with the link a people manager handed over."""
    person = credentials.of_link(token)
    error = ""
    if request.method == "POST":
        first, again = request.form.get("password", ""), request.form.get("again", "")
        try:
            if first != again:
                raise Refused("The two passwords are not the same. Nothing was saved.")
            credentials.set_password(token=token, password=first)
        except Refused as refusal:
            error = str(refusal)
        else:
            guard.forget()
            flash("Your password is set. Sign in with it now.", "good")
            return redirect(url_for("signin.sign_in"))
    page = render_template(
        "signin_password.html", login=person.login, error=error, shortest=passwords.SHORTEST, longest=passwords.LONGEST
    )
    return (page, 422) if error else page
