"""Which server it is: the fingerprints that were pinned, and no trust on first use.

A server proves itself with one of several keys. The pinned one may be of any kind, so where the first that is shown
is not it, the others are asked for before anybody is refused. Nothing of ours is sent until one of them fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncssh

from ew_app.kernel import Refused

FAMILIES: Final[Mapping[str, Sequence[str]]] = {
    "ED25519": ("ssh-ed25519",),
    "ECDSA": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    "RSA": ("rsa-sha2-512", "rsa-sha2-256"),
}
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_CHECK: Final = (
    "Nothing was sent to it, no name and no password. Ask whoever runs the server for the fingerprint of its key, on a "
    "phone number that you know. Only if it is the same, put it under Host keys of this source."
)


def pinned(text: str) -> list[str]:
    """The fingerprints in what somebody pasted: one a line, or lines of a known_hosts or .pub file. Raises Refused."""
    return list(dict.fromkeys(_fingerprint(line) for line in text.splitlines() if _says_something(line)))


def refusal(where: str, shown: Mapping[str, str], pins: Sequence[str]) -> str:
    """Why this server is not talked to, with every fingerprint it showed, and how to pin one after checking."""
    keys = " and ".join(f"{family} {fingerprint}" for family, fingerprint in shown.items())
    if not pins:
        return f"The server {where} is not known here yet. It shows {_noun(shown)} {keys}. {_CHECK}"
    return (
        f"The server {where} shows {_noun(shown)} {keys}, and not the pinned one, {' or '.join(pins)}. Either its keys "
        f"were changed, or it is another machine. {_CHECK}"
    )


def family_of(key: asyncssh.SSHKey) -> str:
    """What people call this kind of key."""
    name = key.get_algorithm()
    return next((family for family in FAMILIES if family.lower() in name), "RSA" if "rsa" in name else name)


class Doorkeeper(asyncssh.SSHClient):
    """Lets a connection go on only to a server with a pinned key, and keeps what was shown."""

    def __init__(self, pins: Iterable[str]) -> None:
        self.pins = frozenset(pins)
        self.shown: dict[str, str] = {}

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether it is a pinned key."""
        self.shown[family_of(key)] = fingerprint = key.get_fingerprint()
        return fingerprint in self.pins


def _noun(shown: Mapping[str, str]) -> str:
    return "the keys" if len(shown) > 1 else "the key"


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _fingerprint(line: str) -> str:
    if found := _FINGERPRINT.search(line):
        return found.group().rstrip("=")
    words = line.split()
    for start in range(len(words) - 1):
        try:
            return asyncssh.import_public_key(" ".join(words[start : start + 2])).get_fingerprint()
        except asyncssh.KeyImportError:
            continue
    raise Refused(
        "A host key is written as its fingerprint, SHA256: and 43 characters, or as a line of a known_hosts file. "
        "Nothing was kept."
    )
