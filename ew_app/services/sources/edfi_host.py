"""Questions to the one host of an Ed-Fi API: asked again when it is busy, never passed on to another host.

Nothing here knows what is asked for. What comes back is JSON of bounded size, or a sentence why there is none.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3

from ew_app.kernel import now

LARGEST_ANSWER: Final = 64 << 20  # bytes, unpacked
_BLOCK: Final = 64 << 10
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_MOVED: Final = range(300, 400)

Headers = Mapping[str, str]


class ApiFault(Exception):
    """Why nothing more can be had from the API now; a sentence for whoever looks after the source.

    again: whether waiting may mend it.
    """

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


class _Passing(Exception):
    """A fault that may be gone at the next try. wait: seconds that the host asked for, or None."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a question is asked and how long anything may take; all in seconds."""

    tries: int = 6
    first_pause: float = 1.0  # doubled from try to try
    longest_pause: float = 120.0
    to_connect: float = 10.0
    silence: float = 90.0  # between two pieces of an answer
    answer: float = 600.0  # a whole answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, its headers by names in lower case, and the JSON of a good answer."""

    status: int
    headers: Headers = field(default_factory=dict)
    said: Any = None


class Host:
    """The host of one address. Refuses to carry a question, or a key, to any other.

    also: a second address that was set up, such as that of a sign-in service. certificates: a file with the
    authorities to trust, where those of the machine do not do. private: names of hosts that may lie inside the
    network we are in; of all others no address in there is asked, whatever their name leads to. ApiFault: an address
    that cannot be used.
    """

    def __init__(
        self,
        address: str,
        *,
        also: str = "",
        certificates: str | None = None,
        private: Collection[str] = (),
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._origins = {_origin(one) for one in (address, also) if one}
        self.patience, self._pause = patience or Patience(), pause
        self._pool = urllib3.PoolManager(
            ssl_context=ssl.create_default_context(cafile=certificates),
            timeout=urllib3.Timeout(connect=self.patience.to_connect, read=self.patience.silence),
            retries=False,
        )
        self._pool.pool_classes_by_scheme = _pools(frozenset(private))

    def ask(
        self, url: str, query: Mapping[str, Any] | None = None, *, headers: Headers, form: Headers | None = None
    ) -> Answer:
        """The answer to a GET, or to a POST of a form. ApiFault: busy or broken through all tries.

        A status that says no (400, 401, 403, 404 ...) is an answer; what it means is for the caller to say.
        """
        if _origin(url) not in self._origins:
            raise ApiFault(
                f"The API points to {_origin(url)}, which is not the address that was set up. Nothing was sent there. "
                "If it belongs to the API, name it in the source's settings."
            )
        whole = f"{url}?{urlencode(query)}" if query else url
        for turn in range(1, self.patience.tries + 1):
            try:
                return self._once(whole, headers, form)
            except _Passing as passing:
                if turn == self.patience.tries:
                    raise ApiFault(f"{passing} It was asked {turn} times; nothing was taken.", again=True) from None
                self._pause(self._how_long(turn, passing))
        raise AssertionError("a question is asked at least once")

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def _once(self, url: str, headers: Headers, form: Headers | None) -> Answer:
        where = urlsplit(url).path
        try:
            response = self._pool.request(
                "POST" if form else "GET",
                url,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip", **headers}
                | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {}),
                body=urlencode(form) if form else None,
                redirect=False,
                preload_content=False,
            )
            with response:
                body = self._body(response, where)
        except urllib3.exceptions.SSLError as error:
            raise ApiFault(
                f"There is no safe connection to {urlsplit(url).netloc}: {_reason(error)}. Nothing was sent."
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _Passing(
                f"{urlsplit(url).netloc} did not answer {where} to its end ({type(error).__name__})."
            ) from error
        return self._understood(response, body, where)

    def _body(self, response: urllib3.BaseHTTPResponse, where: str) -> bytes:
        """All of an answer, within what it may weigh and how long it may take."""
        until, blocks, size = time.monotonic() + self.patience.answer, [], 0
        for block in response.stream(_BLOCK, decode_content=True):
            blocks.append(block)
            size += len(block)
            if size > LARGEST_ANSWER:
                raise ApiFault(f"The answer to {where} is larger than {LARGEST_ANSWER >> 20} MB and was not read.")
            if time.monotonic() > until:
                raise _Passing(f"The answer to {where} took longer than {self.patience.answer:.0f} seconds.")
        return b"".join(blocks)

    def _understood(self, response: urllib3.BaseHTTPResponse, body: bytes, where: str) -> Answer:
        status, headers = response.status, {name.lower(): value for name, value in response.headers.items()}
        if status in _BUSY:
            raise _Passing(f"The API is busy or broken ({status}) at {where}.", _asked_to_wait(headers))
        if status in _MOVED:
            raise ApiFault(f"The API sends {where} on to another address, which is not followed. Set up that address.")
        if status != 200:
            return Answer(status, headers)
        try:
            return Answer(status, headers, json.loads(body))
        except (ValueError, RecursionError):
            raise _Passing(f"The answer to {where} is not whole JSON.") from None

    def _how_long(self, turn: int, passing: _Passing) -> float:
        """Seconds until the next try. ApiFault: the host asks for more patience than there is."""
        if passing.wait is None:
            return min(self.patience.first_pause * (1 << (turn - 1)), self.patience.longest_pause)
        if passing.wait > self.patience.longest_pause:
            raise ApiFault(f"{passing} It asks to wait {passing.wait:.0f} seconds; nothing was taken.", again=True)
        return passing.wait


def _pools(private: frozenset[str]) -> dict[str, Any]:
    """Connections that look at where they arrived before they say a word."""

    class Plain(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _outside(super()._new_conn(), self.host, private)

    class Safe(urllib3.connection.HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _outside(super()._new_conn(), self.host, private)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SafePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Safe

    return {"http": PlainPool, "https": SafePool}


def _outside(line: socket.socket, host: str, private: frozenset[str]) -> socket.socket:
    """The connection, if it leads out of our own network or to a host that may be in it. ApiFault."""
    name = host.strip("[]").lower()
    there = ip_address(line.getpeername()[0].partition("%")[0])
    if (getattr(there, "ipv4_mapped", None) or there).is_global or name in private:
        return line
    line.close()
    raise ApiFault(
        f"{name} leads to an address inside this network. If it is meant, the operator of this system names it in "
        "EW_PRIVATE_HOSTS. Nothing was sent."
    )


def _origin(url: str) -> str:
    """Scheme, host and port. ApiFault: no address, a key in it, or a way that others can read."""
    parts = urlsplit(url.strip())
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    if not parts.hostname or port is None or parts.username is not None:
        raise ApiFault("The address of the API must look like https://api.example.org/path, without a key in it.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise ApiFault(
            f"The address of the API begins with http://, which others can read. Use https://{parts.netloc}."
        )
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _asked_to_wait(headers: Headers) -> float | None:
    """Retry-After in seconds, which may also be written as a time of day."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _reason(error: Exception) -> str:
    inner = error.args[0] if error.args else error
    return getattr(inner, "verify_message", "") or str(getattr(inner, "reason", inner))
