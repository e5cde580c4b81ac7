"""A line to an SSH server: the pinned key first, then our name and our proof, each step with a time limit.

Nothing of this machine is read along the way: no configuration, no agent, no keys of the user we run as.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncssh

from ew_app.services.sources.fetching import CannotFetch
from ew_app.services.sources.host_keys import FAMILIES, Doorkeeper, family_of, refusal
from ew_app.services.sources.secrets import secret, secret_for

CONNECT_WITHIN: Final = 15
LOGIN_WITHIN: Final = 30
NOBODY_KNOWN: Final[tuple[list[Any], list[Any], list[Any]]] = ([], [], [])  # beside the pins no key is trusted


@dataclass(frozen=True, slots=True)
class Line:
    """A signed-in connection and its file channel; `where` names the server in sentences."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient
    where: str

    async def close(self) -> None:
        """Hang up; a server that does not answer is not waited for."""
        self.connection.abort()
        await self.connection.wait_closed()


async def connect(location: Mapping[str, Any]) -> Line:
    """A line to the server of a location. CannotFetch: another key, not let in, or no answer."""
    where = _where(location)
    proof = _proof(location)
    try:
        connection = await _to_the_pinned(location, proof)
        channel = connection.start_sftp_client(path_encoding="utf-8", path_errors="surrogateescape")
        return Line(connection, await asyncio.wait_for(channel, LOGIN_WITHIN), where)
    except asyncssh.PermissionDenied:
        raise CannotFetch(
            f"{location['user']} was not let in at {where}. The password or key is not the one that the server knows; "
            "ask whoever runs it. It is not tried again by itself before its next time, so that nobody is locked out.",
            again=False,
        ) from None
    except (TimeoutError, OSError, asyncssh.Error) as error:
        raise CannotFetch(f"The server {where} does not answer: {_why(error)}. It is tried again.") from None


async def _to_the_pinned(location: Mapping[str, Any], proof: Mapping[str, Any]) -> asyncssh.SSHClientConnection:
    """Signed in at a server that showed a pinned key, whichever of its keys that is. CannotFetch: it showed none."""
    pins: Sequence[str] = location.get("host_keys", ())
    keeper = Doorkeeper(pins)
    try:
        return await _signed_in(location, keeper, proof)
    except asyncssh.HostKeyNotVerifiable:
        shown = await _other_keys(location, keeper.shown)
    for family, fingerprint in shown.items():
        if fingerprint in pins:
            return await _signed_in(location, Doorkeeper(pins), proof, server_host_key_algs=list(FAMILIES[family]))
    raise CannotFetch(refusal(_where(location), shown, pins), again=False)


async def _signed_in(
    location: Mapping[str, Any], keeper: Doorkeeper, proof: Mapping[str, Any], **more: Any
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        location["host"],
        location["port"],
        username=location["user"],
        client_factory=lambda: keeper,
        known_hosts=NOBODY_KNOWN,
        config=None,
        agent_path=None,
        gss_host=None,
        connect_timeout=CONNECT_WITHIN,
        login_timeout=LOGIN_WITHIN,
        keepalive_interval=15,
        **proof,
        **more,
    )


async def _other_keys(location: Mapping[str, Any], shown: Mapping[str, str]) -> dict[str, str]:
    """Every key that the server has, family -> fingerprint; asked for without saying who we are."""
    found = dict(shown)
    for family, algorithms in FAMILIES.items():
        if family in found:
            continue
        try:
            asked = asyncssh.get_server_host_key(
                location["host"], location["port"], server_host_key_algs=list(algorithms), config=None
            )
            key = await asyncio.wait_for(asked, CONNECT_WITHIN)
        except (TimeoutError, OSError, asyncssh.Error):
            continue
        if key is not None:
            found[family_of(key)] = key.get_fingerprint()
    return found


def _proof(location: Mapping[str, Any]) -> dict[str, Any]:
    """What we sign in with. CannotFetch: a secret is not there, or is no key."""
    proof: dict[str, Any] = {"client_keys": None, "password": None}
    if name := location.get("key"):
        phrase = secret(location["passphrase"]) if location.get("passphrase") else None
        try:
            proof["client_keys"] = [asyncssh.import_private_key(secret(name), phrase)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            raise CannotFetch(
                f"{name} does not hold a private key that can be read, or its passphrase is not the right one.",
                again=False,
            ) from None
    if name := location.get("password"):
        proof["password"] = secret_for(name, location["host"])
    return proof


def _where(location: Mapping[str, Any]) -> str:
    return f"{location['host']}" if location["port"] == 22 else f"{location['host']} port {location['port']}"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing came within {CONNECT_WITHIN} seconds"
    if isinstance(error, socket.gaierror):
        return "there is no such name"
    if isinstance(error, OSError):
        return (error.strerror or "the connection failed").lower()
    reason = str(getattr(error, "reason", "")) or type(error).__name__
    return "".join(letter for letter in reason if letter.isprintable())[:200].rstrip(".")
