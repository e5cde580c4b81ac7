"""Fetching over SFTP from a real SSH server: pinned keys, clear sentences, and no file taken in half."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, Refused, settings
from ew_app.services.sources import keeping, sftp, ssh
from ew_app.services.sources.fetching import ask_of, fetcher
from ew_app.services.sources.keeping import Wanted
from models.base import db
from models.org import Source
from models.pulls import Pull
from tests.services.lincoln_and_carver import build, csv, query, standing
from tests.services.looks import became, files, look
from tests.services.ssh_servers import PASSWORD, SSHD, USER, Server, library_server, openssh_server

FIRST = csv("ana lincoln 08-17 A", "ben lincoln 08-17 T", "fay carver 08-17 E")
KINDS = ["library", "openssh"] if SSHD else ["library"]  # where it is installed, OpenSSH answers the same questions
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture(autouse=True)
def world(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    build()
    path = tmp_path / "client_key"
    CLIENT_KEY.write_private_key(path)
    monkeypatch.setenv("EW_SOURCE_KEY_FILE", str(path))
    monkeypatch.setenv("EW_SOURCE_PASSWORD", PASSWORD)
    monkeypatch.setenv("EW_SOURCE_WRONG", "wrong")
    for name in ("EW_SOURCE_PASSWORD", "EW_SOURCE_WRONG"):
        monkeypatch.setenv(f"{name}_HOST", "sftp.example.org, 127.0.0.1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        if request.param == "library":
            yield stack.enter_context(library_server(root, CLIENT_KEY))
        else:
            yield stack.enter_context(openssh_server(root, CLIENT_KEY, tmp_path))


@pytest.fixture
def own(root: Path) -> Iterator[Server]:
    """The library's server alone, for what OpenSSH does not do on request."""
    with library_server(root, CLIENT_KEY) as running:
        yield running


def wanted(server: Server, **more: Any) -> Wanted:
    where = {"host": "127.0.0.1", "port": server.port, "user": USER, "folder": server.remote}
    proof = {} if "password" in more else {"key": "EW_SOURCE_KEY"}
    return Wanted("sftp", location={**where, "host_keys": server.fingerprint, "quiet": 0, **proof, **more})


def source(server: Server, **more: Any) -> None:
    keeping.add("sis", wanted(server, **more), by=OPERATOR)


def put(server: Server, name: str, content: bytes, at: int = 0) -> None:
    path = server.folder / name
    path.write_bytes(content)
    os.utime(path, (1_790_000_000 + at, 1_790_000_000 + at))


def large(megabytes: int) -> bytes:
    """A zip of that size with a small attendance file in it."""
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as entries:
        entries.writestr("attendance.csv", FIRST)
        entries.writestr("pictures.bin", os.urandom(megabytes << 20))
    return bundle.getvalue()


def failed(told: Pull) -> str:
    assert told.ended == "failed" and told.batches == []
    assert query("SELECT count(*) FROM batch") == [(0,)]
    return told.sentence


# -- taking --------------------------------------------------------------------------------------------------


def test_what_a_slow_writer_adds_after_its_file_was_moved_is_taken_too(server: Server) -> None:
    source(server, move="yes")
    with (server.folder / "attendance.csv").open("wb") as file:
        file.write(FIRST)
        file.flush()
        assert became(look()) == ["applied"] and files(server.folder) == ["taken/attendance.csv"]
        assert look().sentence == "Nothing new."
        file.write(b"ana,lincoln,2026-08-18,A\n")
    told = look()
    assert became(told) == ["applied"]
    assert told.told == ["attendance.csv went on after it was put away, and is read once more."]
    assert standing()["ana 08-18"] == "A" and files(server.folder) == ["taken/attendance.csv"]
    assert look().sentence == "Nothing new."


def test_a_file_is_taken_once_and_left_where_it_is(server: Server) -> None:
    source(server)
    put(server, "attendance.csv", FIRST)
    assert became(look()) == ["applied"]
    assert standing() == {"ana 08-17": "A", "ben 08-17": "T", "fay 08-17": "E"}
    assert look().ended == "nothing"
    put(server, "attendance.csv", FIRST, at=60)
    assert look().ended == "nothing", "touched, with the same content"
    put(server, "attendance.csv", csv("ana lincoln 08-17 E"), at=120)
    assert became(look()) == ["applied"]
    assert files(server.folder) == ["attendance.csv"]


def test_files_are_moved_on_the_server_only_where_the_source_says_so(server: Server) -> None:
    source(server, move="yes")
    put(server, "attendance.csv", FIRST)
    put(server, "lunch.csv", b"meal,price\nsoup,3\n", at=60)
    look()
    assert files(server.folder) == ["refused/lunch.csv", "refused/lunch.csv.why.txt", "taken/attendance.csv"]


def test_several_files_go_in_by_their_time(server: Server) -> None:
    source(server)
    put(server, "attendance-08-18.csv", csv("ana lincoln 08-17 E"), at=0)
    put(server, "attendance-08-17.csv", csv("ana lincoln 08-17 A"), at=60)
    assert became(look()) == ["applied", "applied"]
    assert standing() == {"ana 08-17": "A"}


def test_a_test_takes_nothing(server: Server) -> None:
    source(server)
    put(server, "attendance.csv", FIRST)
    said = fetcher("sftp").test(ask_of(db.session.query(Source).one()))
    assert said[0].startswith("1 file would be taken: attendance.csv")
    assert query("SELECT count(*) FROM arrival") == [(0,)]


def test_a_password_does_as_well(own: Server) -> None:
    source(own, password="EW_SOURCE_PASSWORD")
    put(own, "attendance.csv", FIRST)
    assert became(look()) == ["applied"]


# -- who is at the other end ---------------------------------------------------------------------------------


def test_a_server_that_was_not_pinned_is_told_nothing_and_its_fingerprint_is_shown(server: Server) -> None:
    source(server, host_keys="")
    sentence = failed(look())
    assert server.fingerprint in sentence and "not known here yet" in sentence and "on a phone number" in sentence
    keeping.change("sis", wanted(server), by=OPERATOR)
    assert look().ended == "nothing"


def test_a_changed_key_is_refused_and_both_fingerprints_are_shown(server: Server) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    source(server, host_keys=other)
    told = look()
    sentence = failed(told)
    assert server.fingerprint in sentence and other in sentence and "not the pinned one" in sentence
    assert told.retry_at is None, "waiting mends nothing"


def test_any_kind_of_key_may_be_pinned_whichever_the_server_shows_first(root: Path) -> None:
    keys = [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")]
    with library_server(root, CLIENT_KEY, *keys) as running:
        for key in keys:
            running.fingerprint = key.get_fingerprint()
            name = f"by {key.get_algorithm()}"
            keeping.add(name, wanted(running), by=OPERATOR)
            assert look(name).ended == "nothing"
        keeping.add("unknown", wanted(running, host_keys=""), by=OPERATOR)
        assert all(key.get_fingerprint() in look("unknown").sentence for key in keys)


def test_a_line_of_known_hosts_pins_the_same_key() -> None:
    public = CLIENT_KEY.export_public_key().decode()
    for text in (CLIENT_KEY.get_fingerprint(), public, f"sftp.example.org {public}", f"# ours\n\n{public}"):
        found = sftp.FETCHER.checked({"host": "h", "user": "u", "key": "EW_SOURCE_KEY", "host_keys": text})
        assert found["host_keys"] == [CLIENT_KEY.get_fingerprint()]
    with pytest.raises(Refused, match="fingerprint"):
        sftp.FETCHER.checked({"host": "h", "user": "u", "key": "EW_SOURCE_KEY", "host_keys": "MD5:aa:bb"})


# -- who we are ----------------------------------------------------------------------------------------------


def test_a_wrong_password_is_told_and_not_tried_over_and_over(own: Server) -> None:
    source(own, password="EW_SOURCE_WRONG")
    told = look()
    assert "was not let in" in failed(told) and "wrong" not in told.sentence
    assert told.retry_at is None


def test_a_key_that_the_server_does_not_know(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "another")
    monkeypatch.setenv("EW_SOURCE_KEY_FILE", str(tmp_path / "another"))
    source(server)
    assert "was not let in" in failed(look())


def test_a_secret_that_is_not_set_is_named(own: Server) -> None:
    source(own, password="EW_SOURCE_FORGOTTEN")
    assert "EW_SOURCE_FORGOTTEN is not set" in failed(look())


def test_a_password_goes_to_no_server_that_was_not_named_with_it(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EW_SOURCE_PASSWORD_HOST", "sftp.example.org")
    source(own, password="EW_SOURCE_PASSWORD")
    assert "set EW_SOURCE_PASSWORD_HOST=127.0.0.1 for the web" in failed(look())


@pytest.mark.parametrize("name", ["hunter2", "EW_SECRET_KEY", "EW_DATABASE_PASSWORD", "EW_SOURCE_X_FILE"])
def test_only_a_name_of_a_secret_can_be_kept_and_never_one_of_the_system(own: Server, name: str) -> None:
    with pytest.raises(Refused) as refused:
        source(own, password=name)
    assert name not in str(refused.value) or name == "EW_SOURCE_X_FILE"
    assert query("SELECT count(*) FROM source") == [(0,)]


def test_no_secret_stands_in_the_database(own: Server) -> None:
    source(own, password="EW_SOURCE_PASSWORD")
    look()
    everything = query("SELECT row_to_json(s)::text FROM source s UNION ALL SELECT row_to_json(p)::text FROM pull p")
    assert not any(PASSWORD in row for (row,) in everything)


# -- what may go wrong ---------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there(server: Server) -> None:
    source(server, folder=f"{server.remote}/nowhere")
    assert "There is no folder" in failed(look()) and "nowhere" in look().sentence


def test_a_server_that_is_away_is_tried_again(root: Path) -> None:
    with library_server(root, CLIENT_KEY) as running:
        source(running)
    told = look()
    assert "does not answer" in failed(told)
    assert told.retry_at is not None


def test_a_line_that_breaks_leaves_nothing_half_and_goes_on_where_it_stopped(own: Server) -> None:
    source(own)
    put(own, "tonight.zip", large(12))
    own.trouble.breaks_after = 9 << 20
    told = look()
    assert "broke" in failed(told) and told.retry_at is not None
    kept = [path.stat().st_size for path in settings().folder("pulls").glob("*.part")]
    assert kept and 0 < kept[0] < 12 << 20
    assert became(look()) == ["applied"]
    assert list(settings().folder("pulls").iterdir()) == []


def test_a_large_file_comes_over_several_looks(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "BUDGET", 0.3)
    own.trouble.waits = 0.05
    source(own)
    put(own, "tonight.zip", large(40))
    looks = []
    while not looks or looks[-1].ended == "waits":
        looks.append(look())
        assert len(looks) < 50
    assert len(looks) > 1 and "MB are here" in looks[0].sentence
    assert became(looks[-1]) == ["applied"]


def test_a_server_that_never_answers_is_not_waited_for(own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "ANSWER_WITHIN", 0.3)
    own.trouble.waits = 5
    source(own)
    put(own, "attendance.csv", FIRST)
    assert "broke" in failed(look())


def test_links_and_odd_names_are_left_alone(server: Server, tmp_path: Path) -> None:
    source(server)
    (tmp_path / "elsewhere.csv").write_bytes(FIRST)
    (server.folder / "attendance.csv").symlink_to(tmp_path / "elsewhere.csv")
    (server.folder / "sub.csv").mkdir()
    put(server, "line\nbreak.csv", FIRST)
    (server.folder / os.fsdecode(b"caf\xe9.csv")).write_bytes(FIRST)
    told = look()
    assert told.ended == "nothing" and query("SELECT count(*) FROM batch") == [(0,)]
    said = [told.sentence, *told.told]
    assert sum("rename it" in sentence for sentence in said) == 2
    assert sum("left alone" in sentence for sentence in said) == 2


def test_a_file_that_may_not_be_read_says_whom_to_ask(own: Server) -> None:
    source(own)
    put(own, "attendance.csv", FIRST)
    own.trouble.denies = True
    assert "Ask whoever runs the server for the right" in failed(look())


def test_a_file_that_is_too_large_is_not_fetched(server: Server) -> None:
    source(server, largest=1)
    put(server, "attendance.csv", b"\n" * ((1 << 20) + 1))
    assert "more than the 1 MB" in failed(look())


def test_nothing_of_this_machine_is_read_along_the_way(own: Server, tmp_path: Path, monkeypatch: Any) -> None:
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "known_hosts").write_text(f"[127.0.0.1]:{own.port} {CLIENT_KEY.export_public_key().decode()}")
    (home / "config").write_text("Host *\n  User somebody-else\n")
    monkeypatch.setenv("HOME", str(home.parent))
    source(own)
    assert look().ended == "nothing"
    assert ssh.NOBODY_KNOWN == ([], [], [])


def test_a_place_that_is_not_one_says_so() -> None:
    with pytest.raises(Refused, match="name or address"):
        keeping.add("sis", Wanted("sftp", location={"host": "a b", "user": "u"}), by=OPERATOR)
    with pytest.raises(Refused, match="password or of a private key"):
        keeping.add("sis", Wanted("sftp", location={"host": "a", "user": "u"}), by=OPERATOR)
