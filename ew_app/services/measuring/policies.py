"""Policies in the database: which file was put in force, from which day, by whom; and the timeline they make."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select

from ew_app.config import ConfigError
from ew_app.kernel import OPERATOR, Actor, Refused, now, operation, record, settings
from ew_app.services.measuring.touched import ask_for_evaluation, touch_everyone
from models.base import db
from models.tiers import PolicyVersion
from rules.policy import PRESETS, Policy, PolicyError
from rules.timeline import Timeline

FIRST_DAY = date(2000, 1, 1)


def timeline() -> Timeline:
    """Every policy put in force so far; a fresh database starts with the one the settings name."""
    kept = db.session.execute(
        select(PolicyVersion.starts, PolicyVersion.content).order_by(PolicyVersion.starts, PolicyVersion.id)
    ).all()
    if not kept:
        _start()
        return timeline()
    return Timeline({starts: _from_text(content) for starts, content in kept}.items())


def check(path: Path) -> Policy:
    """The policy in a file. Refused with file, line, key and what is allowed."""
    try:
        return Policy.load(path)
    except PolicyError as error:
        raise Refused(str(error)) from error


@operation
def activate(path: Path, *, starts: date, by: Actor) -> Policy:
    """Put a policy in force from a day; every day from then on is decided again by it."""
    policy = check(path)
    _keep(policy, path, starts, by)
    touch_everyone(starts)
    ask_for_evaluation()
    return policy


def find(name: str) -> Path:
    """A shipped preset, a file of EW_POLICY_DIR, or a path."""
    folders = [PRESETS] + ([settings().policy_dir] if settings().policy_dir else [])
    tried = [folder / f"{name}.yaml" for folder in folders if folder] + [Path(name)]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        shipped = ", ".join(Policy.presets())
        raise ConfigError(f"There is no policy {name}. Shipped: {shipped}; or give the path of a file.")
    return found


@operation
def _start() -> None:
    path = find(settings().policy)
    _keep(check(path), path, FIRST_DAY, OPERATOR)


def _keep(policy: Policy, path: Path, starts: date, by: Actor) -> None:
    row = PolicyVersion(
        version=policy.version,
        name=policy.name,
        content=_as_text(path),
        starts=starts,
        activated_by=by.login,
        activated_at=now(),
    )
    db.session.add(row)
    record(
        "policy_activated",
        by=by,
        subject=f"policy:{policy.version[:12]}",
        starts=str(starts),
        name=policy.name,
    )


def _as_text(path: Path) -> str:
    """The file and all it might extend, frozen together: a shipped file may change with a later version."""
    beside = {**_texts(PRESETS), **_texts(path.parent), path.name: path.read_text(encoding="utf-8")}
    return json.dumps({"main": path.name, "files": beside})


def _texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml")) if _is_policy(file)}


def _is_policy(file: Path) -> bool:
    return any(line.startswith("name:") for line in file.read_text(encoding="utf-8").splitlines())


@lru_cache(maxsize=32)
def _from_text(content: str) -> Policy:
    kept = json.loads(content)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in kept["files"].items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return Policy.load(Path(folder) / kept["main"])
