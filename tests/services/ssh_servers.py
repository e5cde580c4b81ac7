"""Real SSH servers on this machine: the library's own, and OpenSSH's where it is installed."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

USER = getpass.getuser()
PASSWORD = "correct horse 7"
SSHD = shutil.which("sshd") or next((path for path in ("/usr/sbin/sshd",) if Path(path).exists()), None)


@dataclass
class Server:
    """A server that runs: where, who may sign in, and what it shows."""

    port: int
    fingerprint: str
    folder: Path  # as this machine sees it
    remote: str  # as a client names it
    trouble: Trouble = field(default_factory=lambda: Trouble())


@dataclass
class Trouble:
    """What the library's own server does wrong on purpose."""

    breaks_after: int = 0  # bytes of a file, once
    waits: float = 0  # seconds before each answer to a read
    denies: bool = False  # every file


class _Files(asyncssh.SFTPServer):
    """Serves a folder, with trouble."""

    def __init__(self, channel: asyncssh.SSHServerChannel, root: Path, trouble: Trouble) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._line, self._trouble = channel.get_connection(), trouble

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self._trouble.denies:
            raise asyncssh.SFTPPermissionDenied("not for you")
        return super().open(path, pflags, attrs)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        await asyncio.sleep(self._trouble.waits)
        if self._trouble.breaks_after and offset + size > self._trouble.breaks_after:
            self._trouble.breaks_after = 0
            self._line.abort()
        return bytes(super().read(file_obj, offset, size))


class _Door(asyncssh.SSHServer):
    """Lets one user in, by password or key."""

    def __init__(self, public: asyncssh.SSHKey) -> None:
        self._public = public

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._public


@contextmanager
def library_server(root: Path, client_key: asyncssh.SSHKey, *host_keys: asyncssh.SSHKey) -> Iterator[Server]:
    """The library's server in a thread with a loop of its own; `root` is all it serves."""
    trouble, loop, ready = Trouble(), asyncio.new_event_loop(), threading.Event()
    keys = list(host_keys) or [asyncssh.generate_private_key("ssh-ed25519")]
    stop, port = asyncio.Event(), [0]

    async def serve() -> None:
        listening = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=keys,
            server_factory=lambda: _Door(client_key.convert_to_public()),
            sftp_factory=lambda channel: _Files(channel, root, trouble),
        )
        port[0] = listening.get_port()
        ready.set()
        await stop.wait()
        listening.close()
        await listening.wait_closed()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    try:
        yield Server(port[0], keys[0].get_fingerprint(), root, ".", trouble)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextmanager
def openssh_server(root: Path, client_key: asyncssh.SSHKey, home: Path) -> Iterator[Server]:
    """OpenSSH's own server for this user, with a key of this test's; what it writes lies in `home`."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    host_key.write_private_key(home / "host_key")
    (home / "host_key").chmod(0o600)
    client_key.write_public_key(home / "authorized_keys")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {home}/host_key\nPidFile {home}/pid\nStrictModes no\n"
        f"AuthorizedKeysFile {home}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (home / "log").open("wb") as log:
        running = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(home / "sshd_config")], stderr=log)
        try:
            _wait_for(port)
            yield Server(port, host_key.get_fingerprint(), root, str(root))
        finally:
            running.terminate()
            running.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")
