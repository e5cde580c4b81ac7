"""A small Ed-Fi API on loopback, for tests: sign-in, paging, change versions, deletions, changed keys, and faults.

It holds its rows in memory and answers as an ODS/API does where a client can tell the difference: one counter of
change versions for all resources, pages ordered by when a row was first written, `Total-Count` only when asked for,
page tokens where they are switched on, 401 without a token that is still good, 400 for a page that is too long.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

Row = dict[str, Any]
Fault = Callable[[Request], Response | None]

KEYS = {
    "schools": ("schoolId",),
    "localEducationAgencies": ("localEducationAgencyId",),
    "sessions": ("schoolId", "schoolYear", "sessionName"),
    "students": ("studentUniqueId",),
    "calendars": ("calendarCode", "schoolId", "schoolYear"),
    "calendarDates": ("calendarCode", "schoolId", "schoolYear", "date"),
    "studentSchoolAssociations": ("studentUniqueId", "schoolId", "entryDate"),
    "studentSchoolAttendanceEvents": (
        "studentUniqueId", "schoolId", "schoolYear", "sessionName", "eventDate", "attendanceEventCategoryDescriptor",
    ),
    "studentSectionAttendanceEvents": (
        "studentUniqueId", "schoolId", "schoolYear", "sessionName", "eventDate", "attendanceEventCategoryDescriptor",
        "sectionIdentifier", "localCourseCode",
    ),
    "sectionAttendanceTakenEvents": ("schoolId", "sectionIdentifier", "eventDate"),
}  # fmt: skip


@dataclass
class Stored:
    """A row, the change version it has, and its place in the order of pages."""

    row: Row
    version: int
    place: int


@dataclass
class EdfiServer:
    """The rows and the switches of the API; change them while it runs."""

    key: str = "the-key"
    secret: str = "the-secret"
    rows: dict[str, dict[str, Stored]] = field(default_factory=lambda: {name: {} for name in KEYS})
    deletes: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in KEYS})
    key_changes: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in KEYS})
    version: int = 0
    oldest: int = 0
    page: int = 500
    counts: bool = True
    page_tokens: bool = False
    change_queries: bool = True
    refused: dict[str, int] = field(default_factory=dict)  # resource -> status, as for one outside the claim set
    token_seconds: int = 1800
    faults: list[Fault] = field(default_factory=list)  # each is asked before every answer; the first to answer counts
    asked: list[str] = field(default_factory=list)
    signed_in: int = 0
    address: str = ""
    also: dict[str, str] = field(default_factory=dict)  # said in the description besides, or instead
    _tokens: dict[str, float] = field(default_factory=dict)
    _places: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- writing, as a student information system does -------------------------------------------------------

    def put(self, resource: str, *rows: Row) -> list[str]:
        """Store rows, each under the id that its key has or a new one; the ids."""
        with self._lock:
            return [self._put(resource, row) for row in rows]

    def delete(self, resource: str, row_id: str, *, keys: bool = True) -> None:
        """Take a row out and remember it; keys: whether the API is new enough to tell the key of what is gone."""
        with self._lock:
            gone = self.rows[resource].pop(row_id)
            self.version += 1
            told = {"id": row_id, "changeVersion": self.version}
            self.deletes[resource].append(told | ({"keyValues": key_of(resource, gone.row)} if keys else {}))

    def rekey(self, resource: str, row_id: str, **changed: Any) -> None:
        """Give a row another key in place."""
        with self._lock:
            stored = self.rows[resource][row_id]
            old = key_of(resource, stored.row)
            stored.row = stored.row | changed
            self.version += 1
            stored.version = self.version
            new = key_of(resource, stored.row)
            told = {"id": row_id, "changeVersion": self.version, "oldKeyValues": old, "newKeyValues": new}
            self.key_changes[resource].append(told)

    def rename_student(self, old: str, new: str) -> None:
        """Give a student another id; rows about the student name the new one from then on and count as unchanged."""
        with self._lock:
            (row_id,) = [n for n, stored in self.rows["students"].items() if stored.row["studentUniqueId"] == old]
            self.rekey("students", row_id, studentUniqueId=new)
            about = [stored for rows in self.rows.values() for stored in rows.values()]
            for stored in about:
                if stored.row.get("studentReference") == {"studentUniqueId": old}:
                    stored.row = stored.row | {"studentReference": {"studentUniqueId": new}}

    def _put(self, resource: str, row: Row) -> str:
        key = key_of(resource, row)
        known = [row_id for row_id, stored in self.rows[resource].items() if key_of(resource, stored.row) == key]
        row_id = known[0] if known else token_hex(16)
        self._places += not known
        self.version += 1
        place = self.rows[resource][row_id].place if known else self._places
        self.rows[resource][row_id] = Stored({"id": row_id, **row}, self.version, place)
        self.deletes[resource] = [gone for gone in self.deletes[resource] if gone.get("keyValues") != key]
        return row_id

    # -- answering -------------------------------------------------------------------------------------------

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        return self._answer(request)(environ, start)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.full_path.rstrip("?"))
        for fault in list(self.faults):
            if (response := fault(request)) is not None:
                return response
        with self._lock:
            path = request.path.strip("/")
            if not path:
                return _json(self._description())
            if path == "oauth/token":
                return self._sign_in(request)
            if self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), 0) < time.monotonic():
                return _json({"detail": "no token, or an old one"}, 401)
            if path == "changeQueries/v1/availableChangeVersions" and self.change_queries:
                return _json({"oldestChangeVersion": self.oldest, "newestChangeVersion": self.version})
            if path.startswith("data/v3/ed-fi/"):
                return self._data(path.removeprefix("data/v3/ed-fi/").split("/"), request)
            return _json({"detail": "nothing here"}, 404)

    def _description(self) -> Row:
        urls = {"dataManagementApi": f"{self.address}/data/v3/", "oauth": f"{self.address}/oauth/token"}
        if self.change_queries:
            urls["changeQueries"] = f"{self.address}/changeQueries/v1/"
        return {"version": "7.3", "apiMode": "Single Tenant", "urls": urls | self.also}

    def _sign_in(self, request: Request) -> Response:
        said = request.headers.get("Authorization", "").removeprefix("Basic ")
        good = b64decode(said).decode() == f"{self.key}:{self.secret}"
        if request.method != "POST" or not good or request.form.get("grant_type") != "client_credentials":
            return _json({"error": "invalid_client"}, 401)
        token = token_hex(16)
        self._tokens[token] = time.monotonic() + self.token_seconds
        self.signed_in += 1
        return _json({"access_token": token, "expires_in": self.token_seconds, "token_type": "bearer"})

    def forget_tokens(self) -> None:
        """End every sign-in at once, as a restart of the API does."""
        self._tokens.clear()

    def _data(self, path: list[str], request: Request) -> Response:
        resource, *more = path
        if resource not in KEYS or "/".join(path) in self.refused or resource in self.refused:
            return _json({"detail": "not for you"}, self.refused.get("/".join(path), self.refused.get(resource, 404)))
        said = request.args
        limit = int(said.get("limit", said.get("pageSize", 25)))
        if limit > self.page or ("pageToken" in said and "offset" in said):
            return _json({"detail": "the page is too long"}, 400)
        low, high = int(said.get("minChangeVersion", 0)), int(said.get("maxChangeVersion", 1 << 62))
        if more:
            log = {"deletes": self.deletes, "keyChanges": self.key_changes}[more[0]][resource]
            found = [row for row in log if low <= row["changeVersion"] <= high]
        else:
            found = self._found(resource, said, low, high)
        return self._paged(found, limit, request, tokens=self.page_tokens and not more)

    def _found(self, resource: str, said: Any, low: int, high: int) -> list[Row]:
        wanted = {name: said[name] for name in KEYS[resource] if name in said}
        stored = sorted(self.rows[resource].values(), key=lambda one: one.place)
        return [
            one.row | {"_at": one.place}
            for one in stored
            if low <= one.version <= high
            and all(str(key_of(resource, one.row)[name]) == text for name, text in wanted.items())
        ]

    def _paged(self, found: list[Row], limit: int, request: Request, *, tokens: bool) -> Response:
        said = request.args
        headers = {"Total-Count": str(len(found))} if self.counts and said.get("totalCount") == "true" else {}
        if "pageToken" in said:
            page = [row for row in found if row["_at"] > int(said["pageToken"].removeprefix("after-"))][:limit]
        else:
            offset = int(said.get("offset", 0))
            page = found[offset : offset + limit]
        if tokens and page and "offset" not in said:
            headers["Next-Page-Token"] = f"after-{page[-1]['_at']}"
        return _json([{name: value for name, value in row.items() if name != "_at"} for row in page], headers=headers)


def key_of(resource: str, row: Row) -> Row:
    """The key values of a row, wherever in it they stand."""
    flat = dict(row)
    for value in row.values():
        if isinstance(value, dict):
            flat = {**value, **flat}
    return {name: flat.get(name) for name in KEYS[resource]}


# -- faults --------------------------------------------------------------------------------------------------


def once(part: str, answer: Callable[[Request], Response], times: int = 1) -> Fault:
    """Answer so the first times that an address with this part is asked for."""
    left = Counter({part: times})

    def fault(request: Request) -> Response | None:
        if part not in request.full_path or left[part] <= 0:
            return None
        left[part] -= 1
        return answer(request)

    return fault


def status(number: int, **headers: str) -> Callable[[Request], Response]:
    """A bare status; headers as Retry_After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response("busy", status=number, headers=named)


def torn(_: Request) -> Response:
    """Good headers and the beginning of a list."""
    return Response('[{"id": "1", "eventDa', content_type="application/json")


def cut_off(_: Request) -> Response:
    """A connection that ends before what was promised."""
    response = Response("[{", content_type="application/json")
    response.headers["Content-Length"] = "1000"
    response.headers["Connection"] = "close"
    return response


def slow(seconds: float) -> Callable[[Request], Response]:
    """An answer that comes late."""

    def answer(_: Request) -> Response:
        time.sleep(seconds)
        return Response("[]", content_type="application/json")

    return answer


def _json(said: Any, number: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(said), status=number, content_type="application/json", headers=headers)


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def running(server: EdfiServer) -> Iterator[EdfiServer]:
    """The server on a free port of loopback, until the end of the block."""
    web = make_server("127.0.0.1", 0, server, threaded=True, request_handler=_Quiet)
    server.address = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        thread.join(10)
        web.server_close()
