"""Settings: read once from the environment, typed, and each with a sentence that says what it is for."""

from __future__ import annotations

import datetime
import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from ew_app import data_folder
from ew_app import setting_texts as read

MASK = "********"
SOURCE_SECRETS = "EW_SOURCE_"  # names that the district gives to secrets of its sources; no settings of ours


class ConfigError(Exception):
    """A setting that cannot be used; the text names the variable and what it may be."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `ew config`: the value as it may be shown, where it came from and what it means."""

    name: str
    value: str
    source: str
    meaning: str


# -- the table of settings -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    parse: Callable[[str], Any]
    default: str | None
    meaning: str
    secret: bool


def _setting(
    name: str, parse: Callable[[str], Any], meaning: str, *, default: str | None = None, secret: bool = False
) -> Any:
    return field(repr=not secret, metadata={"setting": _Setting(name, parse, default, meaning, secret)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the product. Build it with `load_settings`, pass it on, never change it."""

    database_url: str | None = _setting(
        "EW_DATABASE_URL", read.database_url, "Your PostgreSQL. Unset: one is started here.", secret=True
    )
    database_password: str | None = _setting(
        "EW_DATABASE_PASSWORD", read.as_given, "Password for EW_DATABASE_URL when the address has none.", secret=True
    )
    redis_url: str | None = _setting(
        "EW_REDIS_URL", read.redis_url, "Your Redis or Valkey. Unset: one is started here.", secret=True
    )
    redis_password: str | None = _setting(
        "EW_REDIS_PASSWORD", read.as_given, "Password for EW_REDIS_URL when the address has none.", secret=True
    )
    secret_key: str | None = _setting(
        "EW_SECRET_KEY", read.secret_key, "Signs sessions. Unset: made once and kept in EW_DATA_DIR.", secret=True
    )
    data_dir: Path = _setting(
        "EW_DATA_DIR", read.folder, "Folder for uploads, logs and, if started here, the servers.", default="var"
    )
    drop_dir: Path | None = _setting(
        "EW_DROP_DIR", read.folder, "Folder that holds the drop folders of sources. Unset: drop in EW_DATA_DIR."
    )
    private_hosts: str | None = _setting(
        "EW_PRIVATE_HOSTS", read.as_given, "Hosts inside the district's network that sources may ask, with commas."
    )
    policy: str = _setting(
        "EW_POLICY", read.as_given, "Policy of a fresh database: a shipped preset or a path.", default="default"
    )
    policy_dir: Path | None = _setting(
        "EW_POLICY_DIR", read.folder, "Folder with the district's own policy files, beside the shipped ones."
    )
    policy_approval: str = _setting(
        "EW_POLICY_APPROVAL",
        read.either("one", "two"),
        "Who agrees to a policy before it holds: one person, or two (a second one approves).",
        default="one",
    )
    useful_percent: int = _setting(
        "EW_USEFUL_PERCENT",
        read.whole(0, 100),
        "Rules whose flags were useful in fewer percent of closed cases are proposed for monitor mode.",
        default="30",
    )
    useful_answers: int = _setting(
        "EW_USEFUL_ANSWERS",
        read.whole(10, 100_000),
        "From how many yes and no answers at closing that proposal is made.",
        default="20",
    )
    risk_shadow_days: int = _setting(
        "EW_RISK_SHADOW_DAYS",
        read.whole(0, 365),
        "Days for which a risk model is on trial, seen by nobody, before two people may let it work.",
        default="42",
    )
    timezone: ZoneInfo = _setting(
        "EW_TIMEZONE", read.timezone, "The district's clock: decides which day it is.", default="America/Chicago"
    )
    today: datetime.date | None = _setting(
        "EW_TODAY", read.date, "A fixed date in place of the clock, for pilots and tests."
    )
    host: str = _setting("EW_HOST", read.as_given, "Address the web server listens on.", default="127.0.0.1")
    port: int = _setting("EW_PORT", read.whole(1, 65535), "Port the web server listens on.", default="8000")
    public_url: str | None = _setting(
        "EW_PUBLIC_URL", read.public_url, "Address people type. With https, cookies travel on https only."
    )
    smtp_url: str | None = _setting(
        "EW_SMTP_URL", read.smtp_url, "Your mail server, for e-mails to staff. Unset: none are sent.", secret=True
    )
    smtp_password: str | None = _setting(
        "EW_SMTP_PASSWORD", read.as_given, "Password for EW_SMTP_URL when the address has none.", secret=True
    )
    mail_from: str | None = _setting("EW_MAIL_FROM", read.as_given, "The address that e-mails to staff come from.")
    upload_mb: int = _setting(
        "EW_UPLOAD_MB", read.whole(1, 4096), "Largest file taken in the browser, in megabytes.", default="64"
    )
    upload_rows: int = _setting(
        "EW_UPLOAD_ROWS", read.whole(1, 100_000_000), "Most rows taken in the browser.", default="1000000"
    )

    embedded: bool = False
    """The database is one that this command starts or shares; it stays true when its address is filled in."""

    @property
    def secure(self) -> bool:
        """People come by https: cookies are Secure and `__Host-`, and HSTS is sent."""
        return self.address.startswith("https://")

    @property
    def address(self) -> str:
        """Where people find the product, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What a child process needs to use the same servers, folder, key and date as this one."""
        given = {
            "EW_DATABASE_URL": self.database_url,
            "EW_REDIS_URL": self.redis_url,
            "EW_SECRET_KEY": self.secret_key,
            "EW_DATA_DIR": str(self.data_dir),
            "EW_TODAY": self.today and self.today.isoformat(),
        }
        return {**os.environ, **{name: value for name, value in given.items() if value}}

    @property
    def drops(self) -> Path:
        """The folder in which drop folders lie; as its owner made it, or ours, closed to other users."""
        return self.drop_dir or self.folder("drop")

    def folder(self, name: str) -> Path:
        """The folder `name` inside the data folder, made on first use and closed to other users."""
        path = data_folder.make(self.data_dir) / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """The settings in `env` (default: this process's environment). Raises ConfigError."""
    values = {name: value for name, (value, _, _) in _read_all(_environment(env)).items()}
    return Settings(**values, embedded=values["database_url"] is None)


def describe(env: Mapping[str, str] | None = None) -> list[Line]:
    """Every setting with its value (secrets masked), its source and its meaning, in the table's order."""
    given = _read_all(_environment(env))
    return [
        Line(setting.name, _shown(setting, given[name][0]), given[name][1], setting.meaning)
        for name, setting in _table().items()
    ]


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: as set, or made once (embedded mode only). Raises ConfigError."""
    if settings.secret_key:
        return settings.secret_key
    if not settings.embedded:
        raise ConfigError(
            "EW_SECRET_KEY is not set. With a database of your own, set EW_SECRET_KEY or EW_SECRET_KEY_FILE "
            "to the same secret for every web and worker process."
        )
    return data_folder.private_word(data_folder.make(settings.data_dir) / "secret_key")


def masked(url: str) -> str:
    """An address without its password, fit for a screen or a log."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{MASK}@{place}"))


# -- reading -------------------------------------------------------------------------------------------------

_Read = tuple[Any, str, str]  # value, source, text as given


def _environment(env: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if env is None else env


def _table() -> dict[str, _Setting]:
    return {item.name: item.metadata["setting"] for item in fields(Settings) if "setting" in item.metadata}


def _read_all(env: Mapping[str, str]) -> dict[str, _Read]:
    _refuse_misspelled(env)
    found = {name: _read(setting, env) for name, setting in _table().items()}
    for url in ("database", "redis", "smtp"):
        found[f"{url}_url"] = _with_password(found[f"{url}_url"], found[f"{url}_password"][0])
    if found["database_url"][0] is None:
        found["data_dir"] = _reachable_data_dir(found["data_dir"])
    return found


def _read(setting: _Setting, env: Mapping[str, str]) -> _Read:
    text, source = _given(setting, env)
    if text is None:
        return None, source, ""
    try:
        return setting.parse(text), source, text
    except ValueError as error:
        shown = MASK if setting.secret else repr(text)
        raise ConfigError(f"{setting.name} is {shown}; it must be {error}.") from error


def _given(setting: _Setting, env: Mapping[str, str]) -> tuple[str | None, str]:
    """The text of a setting and its source. A secret may come from the file that NAME_FILE names."""
    if text := env.get(setting.name, "").strip():
        return text, "environment"
    if setting.secret and (path := env.get(f"{setting.name}_FILE", "").strip()):
        return _file_text(setting.name, path), f"file {path}"
    if setting.name == "EW_DATA_DIR":
        return str(data_folder.default()), "default"
    return setting.default, "default"


def _file_text(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE names {path}, which cannot be read: {error}.") from error
    if not text:
        raise ConfigError(f"{name}_FILE names {path}, which is empty; it must hold the value of {name}.")
    return text


def _with_password(url: _Read, password: str | None) -> _Read:
    """The address with the password put in, unless it carries one or there is none."""
    address, source, text = url
    if address is None or not password or urlsplit(address).password:
        return url
    parts = urlsplit(address)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}")), source, text


def _reachable_data_dir(data_dir: _Read) -> _Read:
    path, source, text = data_dir
    place = data_folder.reachable(path)
    if place == path:
        return data_dir
    return place, f"{source}, moved: PostgreSQL does not run as root and cannot reach {path}", text


def _refuse_misspelled(env: Mapping[str, str]) -> None:
    """A misspelled setting would be silently ignored, and the product would run on the wrong database."""
    known = {setting.name for setting in _table().values()}
    known |= {f"{setting.name}_FILE" for setting in _table().values() if setting.secret}
    ours = (name for name in env if name.startswith("EW_") and not name.startswith(SOURCE_SECRETS))
    for name in sorted(name for name in ours if name not in known):
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            raise ConfigError(f"{name} is not a setting. Did you mean {close[0]}?")


def _shown(setting: _Setting, value: Any) -> str:
    if value is None:
        return ""
    if not setting.secret:
        return str(value)
    return masked(value) if "://" in value else MASK
