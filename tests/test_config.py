"""Settings: a good one arrives typed, a bad one stops the start with a sentence that names it."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest

from ew_app import config, data_folder
from ew_app.config import ConfigError, describe, load_settings
from ew_app.setting_texts import SHORTEST_SECRET_KEY


def shown(env: dict[str, str]) -> dict[str, config.Line]:
    return {line.name: line for line in describe(env)}


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings({})
    assert settings.embedded
    assert (settings.host, settings.port, settings.address) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert (settings.policy, str(settings.timezone)) == ("default", "America/Chicago")
    assert (settings.upload_mb, settings.upload_rows) == (64, 1_000_000)
    assert not settings.secure


def test_values_arrive_typed() -> None:
    settings = load_settings({"EW_TODAY": "2026-09-30", "EW_PORT": "8080", "EW_POLICY_DIR": "/srv/policies"})
    assert settings.today == datetime.date(2026, 9, 30)
    assert settings.port == 8080
    assert settings.policy_dir == Path("/srv/policies")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_is_taken(scheme: str) -> None:
    assert load_settings({"EW_DATABASE_URL": f"{scheme}://a@db/ew"}).database_url == "postgresql://a@db/ew"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EW_PORT", "0", "EW_PORT is '0'; it must be a whole number from 1 to 65535."),
        ("EW_PORT", "http", "EW_PORT is 'http'; it must be a whole number from 1 to 65535."),
        ("EW_PORT", "٨٠", "EW_PORT is '٨٠'; it must be a whole number from 1 to 65535."),
        ("EW_TODAY", "30/9/2026", "EW_TODAY is '30/9/2026'; it must be a date like 2026-09-30."),
        (
            "EW_TIMEZONE",
            "Chicago",
            "EW_TIMEZONE is 'Chicago'; it must be a time zone name like America/Chicago.",
        ),
        (
            "EW_TIMEZONE",
            "../etc",
            "EW_TIMEZONE is '../etc'; it must be a time zone name like America/Chicago.",
        ),
        (
            "EW_PUBLIC_URL",
            "ew.example.org",
            "EW_PUBLIC_URL is 'ew.example.org'; it must be the address people type, "
            "like https://attendance.example.org.",
        ),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({name: value})
    assert str(caught.value) == sentence


def test_another_database_is_refused_and_its_password_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="PostgreSQL is the only database") as caught:
        load_settings({"EW_DATABASE_URL": "mysql://root:hunter2@db/ew"})
    assert "hunter2" not in str(caught.value)


def test_names_of_the_secrets_of_sources_are_the_districts_own() -> None:
    assert load_settings({"EW_SOURCE_KEY_FILE": "/run/secrets/key", "EW_SOURCE_SECRET_KEY": "x"}).host


def test_a_misspelled_setting_is_not_ignored() -> None:
    with pytest.raises(ConfigError, match="EW_DATABSE_URL is not a setting. Did you mean EW_DATABASE_URL?"):
        load_settings({"EW_DATABSE_URL": "postgresql://db/ew"})


def test_a_name_unlike_any_setting_is_none_of_our_business() -> None:
    load_settings({"EW_REQUIRE_BROWSER": "1"})


def test_an_address_without_password_gets_the_one_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/word\n")
    env = {"EW_DATABASE_URL": "postgresql://app@db:5432/ew", "EW_REDIS_URL": "redis://redis:6379/0"}
    files = {f"EW_{name}_PASSWORD_FILE": str(tmp_path / "password") for name in ("DATABASE", "REDIS")}
    settings = load_settings(env | files)
    assert settings.database_url == "postgresql://app:p%40ss%2Fword@db:5432/ew"
    assert settings.redis_url == "redis://:p%40ss%2Fword@redis:6379/0"


def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="EW_SECRET_KEY_FILE names .*nowhere, which cannot be read"):
        load_settings({"EW_SECRET_KEY_FILE": str(tmp_path / "nowhere")})
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigError, match="which is empty"):
        load_settings({"EW_SECRET_KEY_FILE": str(tmp_path / "empty")})


def test_the_list_of_settings_masks_secrets_and_says_where_each_came_from(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sixteen characters and more")
    lines = shown(
        {
            "EW_DATABASE_URL": "postgresql://app:hunter2@db/ew",
            "EW_SECRET_KEY_FILE": str(tmp_path / "key"),
            "EW_PORT": "81",
        }
    )
    assert lines["EW_DATABASE_URL"].value == "postgresql://app:********@db/ew"
    assert lines["EW_SECRET_KEY"].value == "********"
    assert lines["EW_SECRET_KEY"].source == f"file {tmp_path / 'key'}"
    assert (lines["EW_PORT"].value, lines["EW_PORT"].source) == ("81", "environment")
    assert lines["EW_HOST"].source == "default"
    assert all(line.meaning.endswith(".") for line in lines.values())


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    env = {
        "EW_DATABASE_URL": "postgresql://app:hunter2@db/ew",
        "EW_SECRET_KEY": "sixteen characters and more",
    }
    assert "hunter2" not in repr(load_settings(env))
    assert "sixteen" not in repr(load_settings(env))


def test_https_makes_cookies_secure() -> None:
    assert load_settings({"EW_PUBLIC_URL": "https://attendance.example.org/"}).secure


def test_the_secret_key_is_made_once_and_only_we_can_read_it(data_dir: Path) -> None:
    settings = load_settings({"EW_DATA_DIR": str(data_dir)})
    first, second = config.secret_key(settings), config.secret_key(settings)
    assert first == second
    assert len(first) >= SHORTEST_SECRET_KEY
    assert stat.S_IMODE((settings.data_dir / "secret_key").stat().st_mode) == 0o600


def test_with_a_database_of_your_own_the_secret_key_must_be_set() -> None:
    with pytest.raises(ConfigError, match="set EW_SECRET_KEY or EW_SECRET_KEY_FILE to the same secret"):
        config.secret_key(load_settings({"EW_DATABASE_URL": "postgresql://db/ew"}))


def test_a_folder_of_the_data_folder_is_closed_to_others(settings: config.Settings) -> None:
    folder = settings.folder("uploads")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert settings.folder("uploads") == folder


def test_the_default_folder_does_not_depend_on_where_the_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = data_folder.default()
    monkeypatch.chdir(tmp_path)
    assert data_folder.default() == before == data_folder.ROOT / "var"


@pytest.mark.parametrize(("mode", "reachable"), [(0o711, True), (0o700, False)])
def test_a_closed_folder_on_the_way_is_noticed(tmp_path: Path, mode: int, reachable: bool) -> None:
    middle = tmp_path / "middle"
    (middle / "data").mkdir(parents=True)
    (middle / "data").chmod(0o755)
    before = data_folder.reachable_by_others(tmp_path)
    middle.chmod(mode)
    assert data_folder.reachable_by_others(middle / "data") == (before and reachable)


def test_as_root_a_data_folder_that_postgresql_cannot_reach_is_moved_and_the_list_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "is_root", lambda: True)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    line = shown({"EW_DATA_DIR": str(closed)})["EW_DATA_DIR"]
    assert line.value.startswith("/var/lib/early-warning/")
    assert str(closed) in line.source
    own_server = {"EW_DATA_DIR": str(closed), "EW_DATABASE_URL": "postgresql://db/ew"}
    assert shown(own_server)["EW_DATA_DIR"].value == str(closed)
