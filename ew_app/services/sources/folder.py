"""A drop folder on this machine: a system or a person puts files in, we take them and put them away."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ew_app.kernel import Refused, settings
from ew_app.services.sources import looking
from ew_app.services.sources.clearing import MOVE
from ew_app.services.sources.fetching import Answer, Ask, CannotFetch, Field, no_room
from ew_app.services.sources.looking import LEAVE, FileFetcher, yes
from ew_app.services.sources.places import Entry

BLOCK: Final = 1 << 20


class Folder(FileFetcher):
    """Fetching from a folder below EW_DROP_DIR."""

    fields = (
        Field("folder", "Folder", "Its name inside the drop folder of this installation.", required=True),
        *looking.FIELDS,
        Field(
            "leave",
            "Leave files where they are",
            "For a folder that we may only read. Otherwise they are moved to taken or refused inside it.",
            Answer.YES_NO,
        ),
    )

    def checked(self, location: Mapping[str, Any]) -> dict[str, Any]:
        """The folder and how to look. Raises Refused."""
        given = dict(location)
        if "leave" in given:
            given["afterwards"] = LEAVE if yes(given["leave"]) else MOVE
        return {"folder": _inside(str(given.get("folder") or "")), **looking.checked(given, moves=True)}

    @contextmanager
    def opened(self, ask: Ask) -> Iterator[LocalPlace]:
        yield LocalPlace(_path(str(ask.location["folder"])))


class LocalPlace:
    """A folder of this machine. Links are not followed: whoever may write here must not read elsewhere through us."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self, below: str = "") -> list[Entry]:
        """What lies there now, or in a folder below."""
        parts = PurePosixPath(below).parts
        if any(self.path.joinpath(*parts[: depth + 1]).is_symlink() for depth in range(len(parts))):
            return []
        try:
            with os.scandir(self.path / below) as found:
                return [entry for item in found if (entry := _entry(item)) is not None]
        except OSError as error:
            if below and isinstance(error, FileNotFoundError | NotADirectoryError):
                return []
            raise self._cannot("read", error) from error

    def read(self, entry: Entry, to: Path) -> str:
        """A copy of the file; returns its sha256. CannotFetch: it is not the file that was listed, or not for us."""
        digest, size = hashlib.sha256(), 0
        try:
            descriptor = os.open(self.path / entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as source, to.open("wb") as copy:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise CannotFetch(f"{entry.name} is no longer a file. It is looked at again.")
                while size <= entry.size and (block := source.read(BLOCK)):
                    size += len(block)
                    digest.update(block)
                    copy.write(block)
        except OSError as error:
            words = f"{entry.name} cannot be read: {error.strerror}. {_MEND}"
            raise (no_room(error) or CannotFetch(words)) from error
        return digest.hexdigest()

    def move(self, entry: Entry, folder: str, note: str) -> None:
        """Into a folder below; one that was replaced in the same moment goes back to where it lay."""
        place = self.path / folder
        try:
            place.mkdir(parents=True, exist_ok=True)
            target = _free(place, entry.name)
            (self.path / entry.name).rename(target)
            moved = target.lstat()
            if (moved.st_size, str(moved.st_mtime_ns)) != (entry.size, entry.modified):
                os.link(target, self.path / entry.name)  # never over a file that came since
                target.unlink()
                return
            if note:
                target.with_name(f"{target.name}.why.txt").write_text(note, encoding="utf-8")
        except FileNotFoundError:
            return  # somebody else has moved it
        except OSError as error:
            raise self._cannot("move files in", error) from error

    def bring_back(self, path: str, name: str) -> bool:
        """From a path below to the folder itself, the same file for whoever still writes into it."""
        try:
            os.link(self.path / path, self.path / name, follow_symlinks=False)  # never over a file that came since
        except (FileExistsError, FileNotFoundError):
            return False
        except OSError as error:
            if (self.path / name).exists() or error.errno not in _NO_LINKS:
                raise self._cannot("move files in", error) from error
            (self.path / path).rename(self.path / name)
            return True
        (self.path / path).unlink()
        return True

    def _cannot(self, verb: str, error: OSError) -> CannotFetch:
        return CannotFetch(f"We cannot {verb} the folder {self.path.name}: {error.strerror}. {_MEND}")


_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # a mount that has no second names
_MEND: Final = "Look at its rights, and whether the disk is mounted on every machine that runs a worker."


def _entry(item: os.DirEntry[str]) -> Entry | None:
    try:
        told = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    plain = stat.S_ISREG(told.st_mode)
    return Entry(item.name, told.st_size if plain else 0, str(told.st_mtime_ns), told.st_mtime, plain)


def _free(place: Path, name: str) -> Path:
    """A path that nothing has: a second file of a name becomes `name (2)`."""
    stem, dot, ending = name.rpartition(".")
    numbered = (f"{stem} ({n}).{ending}" if dot else f"{name} ({n})" for n in range(2, 10_000))
    return next(place / free for free in (name, *numbered) if not (place / free).exists())


def _inside(name: str) -> str:
    """A folder's name inside the drop folder. Raises Refused."""
    root = settings().drops
    given = PurePosixPath(name.strip())
    parts = given.relative_to(root).parts if given.is_absolute() and given.is_relative_to(root) else given.parts
    if not parts or given.is_absolute() and parts == given.parts or ".." in parts:
        raise Refused(f"Give the name of a folder inside {root}. EW_DROP_DIR says where drop folders lie.")
    return str(PurePosixPath(*parts))


def _path(name: str) -> Path:
    """The folder, which may be a mount but lies nowhere else. CannotFetch: it is not there."""
    root = settings().drops
    path = root / name
    if not path.is_dir():
        raise CannotFetch(f"There is no folder {name} in {root}. Make it, and let us read and write in it.")
    if not path.resolve().is_relative_to(root.resolve()):
        raise CannotFetch(
            f"The folder {name} leads out of {root}. Mount it there instead of linking to it.", again=False
        )
    return path


FETCHER: Final = Folder()
