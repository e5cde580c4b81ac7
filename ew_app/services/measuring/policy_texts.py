"""Policy files as they are kept: each once, by the hash of what it says, with the files it extends and its comments."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record
from models.base import db
from models.policies import PolicyText
from rules.policy import PRESETS, Policy, PolicyError

SHORTEST = 8  # letters of a version that are enough to name it
LARGEST = 512 * 1024  # bytes; the shipped file has 20,000
NAME = "policy.yaml"


def check(path: Path) -> Policy:
    """The policy in a file. Refused with file, line, key and what is allowed."""
    try:
        return Policy.load(path)
    except PolicyError as error:
        raise Refused(str(error)) from error


@operation
def keep(content: str, *, by: Actor) -> Policy:
    """Keep a frozen policy, once for all who bring the same. PolicyError for one that cannot be used."""
    policy = usable(content)
    row = {"version": policy.version, "name": policy.name, "content": content, "kept_by": by.login, "kept_at": now()}
    added = insert(PolicyText).values(row).on_conflict_do_nothing(index_elements=[PolicyText.version])
    if db.session.execute(added.returning(PolicyText.id)).first():
        record("policy_kept", by=by, subject=subject(policy.version), name=policy.name)
    return policy


def text_row(version: str) -> PolicyText:
    """The kept row of a version, or of its first letters. NotFound."""
    wanted = PolicyText.version.startswith(version, autoescape=True)
    found = db.session.scalars(select(PolicyText).where(wanted).limit(2)).all() if len(version) >= SHORTEST else []
    if len(found) != 1:
        raise NotFound("There is no such version of the policy.")
    return found[0]


def stored(version: str) -> Policy:
    """The policy of a version that was ever kept: put in force, planned, or only tried. NotFound."""
    return thawed(text_row(version).content)


def check_usable(version: str) -> None:
    """Refused where less was asked of a policy when this version was kept, and it cannot be used as it stands."""
    try:
        usable(text_row(version).content)
    except PolicyError as error:
        raise Refused(f"This version cannot be used any more. {error}") from error


def given(version: str) -> str:
    """The file of a version as somebody wrote it."""
    return main_text(text_row(version).content)


def subject(version: str) -> str:
    """How events name a version."""
    return f"policy:{version[:12]}"


# -- frozen content ------------------------------------------------------------------------------------------


def frozen_file(path: Path) -> str:
    """A file and all it might extend, as one text: a shipped file may change with a later version."""
    beside = {**_texts(PRESETS), **_texts(path.parent), path.name: path.read_text(encoding="utf-8")}
    return json.dumps({"main": path.name, "files": beside})


def frozen_text(text: str, name: str = NAME) -> str:
    """The same for a text that somebody handed over: it may extend the shipped policies."""
    shipped, name = _texts(PRESETS), _file_name(name)
    name = f"my-{name}" if name in shipped else name
    return json.dumps({"main": name, "files": shipped | {name: text}})


def with_main(content: str, text: str) -> str:
    """The same files with another text of the policy itself."""
    kept = json.loads(content)
    kept["files"][kept["main"]] = text
    return json.dumps(kept)


def main_text(content: str) -> str:
    """The policy's own file, as it was given."""
    kept = json.loads(content)
    text: str = kept["files"][kept["main"]]
    return text


@lru_cache(maxsize=64)
def thawed(content: str) -> Policy:
    """The policy of a frozen text that was kept; PolicyError when it cannot be read."""
    return _laid_out(content, Policy.kept)


@lru_cache(maxsize=64)
def usable(content: str) -> Policy:
    """The policy of a frozen text that is to be tried or put in force; PolicyError when it cannot be used."""
    return _laid_out(content, Policy.load)


def _laid_out(content: str, read: Callable[[Path], Policy]) -> Policy:
    kept = json.loads(content)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in kept["files"].items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return read(Path(folder) / kept["main"])


def _file_name(given: str) -> str:
    """A name somebody gave to a file, fit to be one here."""
    last = re.split(r"[/\\\\]", given)[-1]
    return re.sub(r"[^\w.-]", "_", last).lstrip(".")[:60] or NAME


def _texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml")) if _is_policy(file)}


def _is_policy(file: Path) -> bool:
    return any(line.startswith("name:") for line in file.read_text(encoding="utf-8").splitlines())
