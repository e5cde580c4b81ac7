"""Files on an SFTP server: looked at and read; moved there only where the source says so, and never deleted."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import posixpath
import re
import shutil
import stat
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import asyncssh

from ew_app.kernel import Refused, settings
from ew_app.services.sources import looking
from ew_app.services.sources.clearing import MOVE
from ew_app.services.sources.fetching import Answer, Ask, CannotFetch, Field, no_room
from ew_app.services.sources.host_keys import pinned
from ew_app.services.sources.looking import LEAVE, FileFetcher, whole, yes
from ew_app.services.sources.places import Entry, NotYet
from ew_app.services.sources.secrets import checked_name
from ew_app.services.sources.ssh import Line, connect

T = TypeVar("T")

PORT: Final = 22
ANSWER_WITHIN: Final = 30  # seconds for one answer of the server
BUDGET: Final = 150  # seconds of reading in one look; a large file goes on with the next
BLOCK: Final = 4 << 20
FOLDER: Final = "the folder"
MOST_NAMES: Final = 20_000  # in the folder
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}")

logging.getLogger("asyncssh").setLevel(logging.WARNING)


class Sftp(FileFetcher):
    """Fetching over SFTP from a server whose key is pinned."""

    fields = (
        Field("host", "Server", "Its name or address.", required=True),
        Field("port", "Port", answer=Answer.NUMBER, default=str(PORT)),
        Field("user", "User", required=True),
        Field("folder", "Folder on the server", default="."),
        Field(
            "host_keys",
            "Host keys",
            "Fingerprints, one a line, as you heard them from whoever runs the server. Test shows what it offers.",
            Answer.LINES,
        ),
        Field("password", "Name of the password", "Such as EW_SOURCE_SIS_PASSWORD.", Answer.SECRET),
        Field("key", "Name of the private key", "Such as EW_SOURCE_SIS_KEY. Safer than a password.", Answer.SECRET),
        Field("passphrase", "Name of the key's passphrase", answer=Answer.SECRET),
        *looking.FIELDS,
        Field(
            "move",
            "Move files on the server",
            "to taken or refused in that folder. Otherwise they are left alone and remembered.",
            Answer.YES_NO,
        ),
    )

    def checked(self, location: Mapping[str, Any]) -> dict[str, Any]:
        """The server, the names of its secrets and how to look. Raises Refused."""
        given = dict(location)
        if "move" in given:
            given["afterwards"] = MOVE if yes(given["move"]) else LEAVE
        kept = {name: str(given.get(name) or "").strip() for name in ("host", "user", "folder")}
        if not _HOST.fullmatch(kept["host"]):
            raise Refused("Give the name or address of the server, such as sftp.example.org.")
        if not kept["user"] or not kept["user"].isprintable():
            raise Refused("Give the user that signs in at the server.")
        names = {name: checked_name(given[name]) for name in ("password", "key", "passphrase") if given.get(name)}
        if not names.keys() & {"password", "key"}:
            raise Refused("Give the name of a password or of a private key; without one nobody can sign in.")
        port = whole(given.get("port") or PORT, "port", 1, 65535)
        keys = given.get("host_keys") or ""
        kept_keys = pinned(keys if isinstance(keys, str) else "\n".join(keys))
        more = looking.checked(given, moves=False)
        return {**kept, "folder": kept["folder"] or ".", "port": port, "host_keys": kept_keys, **names, **more}

    @contextmanager
    def opened(self, ask: Ask) -> Iterator[SftpPlace]:
        """The folder on the server. Raises CannotFetch, and tells nothing to a server that is not the pinned one."""
        with asyncio.Runner() as runner:
            line = runner.run(connect(ask.location))
            try:
                yield SftpPlace(runner, line, ask)
            finally:
                runner.run(line.close())


class SftpPlace:
    """An open folder on a server."""

    def __init__(self, runner: asyncio.Runner, line: Line, ask: Ask) -> None:
        self._runner, self._sftp, self._ask = runner, line.sftp, ask
        self._folder, self._where = str(ask.location["folder"]), line.where
        self._until = time.monotonic() + BUDGET

    def entries(self, below: str = "") -> list[Entry]:
        """What lies there now, or in a folder below; links and folders are no files."""
        return [entry for item in self._now(self._names(below), FOLDER) if (entry := _entry(item))]

    def read(self, entry: Entry, to: Path) -> str:
        """The file, whole. What came before the line broke is kept for as long as the file stays the same."""
        part = _part(self._ask.source_id, entry)
        try:
            self._now(self._read(entry, part), entry.name, within=BUDGET + ANSWER_WITHIN)
        except TimeoutError:
            raise self._away() from None
        shutil.move(part, to)
        with to.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def move(self, entry: Entry, folder: str, note: str) -> None:
        """Into a folder beside it, under a name that is free."""
        self._now(self._move(entry, folder, note), entry.name)

    def bring_back(self, path: str, name: str) -> bool:
        """From a folder below back to where it lay."""
        return self._now(self._bring_back(path, name), name)

    async def _bring_back(self, path: str, name: str) -> bool:
        if await self._sftp.exists(self._at(name)) or not await self._sftp.exists(self._at(path)):
            return False
        await self._sftp.rename(self._at(path), self._at(name))
        return True

    async def _names(self, below: str) -> list[asyncssh.SFTPName]:
        found: list[asyncssh.SFTPName] = []
        if below and not await self._sftp.isdir(self._at(below)):
            return found
        async for item in self._sftp.scandir(self._at(below) if below else self._folder):
            found.append(item)
            if len(found) > MOST_NAMES:
                raise CannotFetch(
                    f"The folder {self._folder} at {self._where} holds more than {MOST_NAMES:,} names. Have old files "
                    "put away, or let us move what we have taken.",
                    again=False,
                )
        return found

    async def _read(self, entry: Entry, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        async with self._sftp.open(self._at(entry.name), "rb") as source:
            with part.open("ab") as copy:
                while have < entry.size:
                    if time.monotonic() > self._until:
                        raise NotYet(_progress(entry, have))
                    block = await asyncio.wait_for(source.read(min(BLOCK, entry.size - have), have), ANSWER_WITHIN)
                    if not block:
                        break
                    have += len(block)
                    copy.write(cast(bytes, block))
        if have != entry.size:
            part.unlink()
            raise CannotFetch(f"{entry.name} ends after {have:,} of {entry.size:,} bytes. It is fetched again.")

    async def _move(self, entry: Entry, folder: str, note: str) -> None:
        await self._sftp.makedirs(self._at(folder), exist_ok=True)
        target = await self._free(folder, entry.name)
        await self._sftp.rename(self._at(entry.name), target)
        if note:
            async with self._sftp.open(f"{target}.why.txt", "w") as file:
                await file.write(note)

    async def _free(self, folder: str, name: str) -> str:
        stem, dot, ending = name.rpartition(".")
        for number in range(1, 1000):
            tried = name if number == 1 else f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"
            path = self._at(f"{folder}/{tried}")
            if not await self._sftp.exists(path):
                return path
        raise CannotFetch(f"{folder} at {self._where} holds too many files called {name}.", again=False)

    def _at(self, name: str) -> str:
        return posixpath.join(self._folder, name)

    def _now(self, work: Awaitable[T], what: str, within: float = 4 * ANSWER_WITHIN) -> T:
        """Do it, or say in a sentence why it cannot be done."""
        try:
            return self._runner.run(asyncio.wait_for(work, within))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory):
            missing = f"the folder {self._folder}" if what == "the folder" else what
            raise CannotFetch(
                f"There is no {missing.removeprefix('the ')} at {self._where}. Look at its name."
            ) from None
        except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect):
            rights = f"{self._ask.location['user']} may not use {what} at {self._where}"
            raise CannotFetch(f"{rights}. Ask whoever runs the server for the right to it.") from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.ConnectionLost, OSError) as error:
            raise (no_room(error) or self._away()) from None
        except asyncssh.Error as error:
            raise CannotFetch(f"The server {self._where} could not give {what}: {_plain(error.reason)}.") from None

    def _away(self) -> CannotFetch:
        return CannotFetch(f"The line to {self._where} broke. What came whole is kept, and it is looked at again.")


def _entry(item: asyncssh.SFTPName) -> Entry | None:
    name, told = str(item.filename), item.attrs
    if name in (".", ".."):
        return None
    mode = told.permissions
    plain = stat.S_ISREG(mode) if mode is not None else told.type == asyncssh.FILEXFER_TYPE_REGULAR
    modified = told.mtime or 0
    return Entry(name, told.size or 0, str(modified), float(modified), plain)


def _part(source_id: int, entry: Entry) -> Path:
    """Where the beginning of a file waits for the rest; another size or time makes it another file."""
    mark = hashlib.sha256(f"{entry.name}\n{entry.size}\n{entry.modified}".encode()).hexdigest()[:20]
    return settings().folder("pulls") / f"{source_id}-{mark}.part"


def _progress(entry: Entry, have: int) -> str:
    return f"{entry.name}: {have >> 20:,} of {entry.size >> 20:,} MB are here; the rest is fetched next."


def _plain(reason: str) -> str:
    """What a server said, fit for a page."""
    return "".join(letter for letter in reason if letter.isprintable())[:200].rstrip(".")


FETCHER: Final = Sftp()
