#!/usr/bin/env python3
"""Everything a developer or a first visitor does, on a machine with Python 3.11 and nothing else.

    python3 dev.py run [--no-demo]     the whole system on this machine; Ctrl-C stops all of it
    python3 dev.py test [--deep] ...   all tests; further words go to pytest
    python3 dev.py check               lint, format, types, import contracts, shipped policies
    python3 dev.py bench ...           time the daily import and print the ratios
    python3 dev.py ew ...              the ew command, for example: dev.py ew config
    python3 dev.py lock                choose versions anew and write requirements/*.txt
    python3 dev.py setup [dev]         only make or renew the environment in .venv

The first call makes .venv from requirements/run.txt (test, check, bench and lock: dev.txt), where every
package is pinned by hash. Later calls start at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

if sys.version_info < (3, 11):  # noqa: UP036 (this line is for those who have an older one)
    sys.exit(f"This needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "early-warning.json"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "dev": ROOT / "requirements" / "dev.txt"}
# Three, also on two cores: a third of the time a test waits for a process, a browser or a clock.
AT_ONCE = ("-n3", "--dist=loadfile", "--no-loadscope-reorder")
PRESETS = ("default", "five-ten", "rates")
EW = '#!/bin/sh\nexec "$(dirname "$0")/python" -m ew_app "$@"\n'


class SetupError(Exception):
    """The environment cannot be made; the text says what to do."""


# -- the commands --------------------------------------------------------------------------------------------


def run(words: list[str]) -> NoReturn:
    demo = [] if {"--demo", "--no-demo"} & set(words) else ["--demo"]
    ew(["up", *demo, *words])


def ew(words: list[str]) -> NoReturn:
    become("run", "-m", "ew_app", *words)


def test(words: list[str]) -> NoReturn:
    os.chdir(ROOT)
    chosen = any(word.startswith("-n") for word in words)
    become("dev", "-m", "pytest", *([] if chosen else AT_ONCE), *words)


def bench(words: list[str]) -> NoReturn:
    become("dev", "-m", "tests.bench", *words)


def check(_: list[str]) -> int:
    """Every check runs, also after one has failed, so that one call shows all there is to mend.

    All at once, as the longest leaves a core idle; what each says is told in their order.
    """
    environment("dev")
    checks = [
        ["mypy"],
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["lint-imports"],
        *(["ew", "policy", "check", preset] for preset in PRESETS),
    ]
    begun = [(" ".join(words), begin(words)) for words in checks]
    failed = [told for told, process in begun if not passes(told, process)]
    print(f"Failed: {'; '.join(failed)}." if failed else "All checks pass.")
    return 1 if failed else 0


def begin(words: list[str]) -> subprocess.Popen[bytes]:
    program = VENV / "bin" / words[0]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([program, *words[1:]], cwd=ROOT, env=clean_environ(), **both)


def passes(told: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether a check that was begun ends well. What it says is read to its end first: a full pipe would hold it up."""
    said, _ = process.communicate()
    print(f"-- {told}", flush=True)
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    return process.returncode == 0


def lock(_: list[str]) -> int:
    """The same versions for every Python from 3.11 and every system, without the address of a registry."""
    environment("dev")
    options = ["--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--upgrade"]
    command: list[str | Path] = [VENV / "bin" / "uv", "pip", "compile", *options, "pyproject.toml"]
    more: dict[str, list[str | Path]] = {"run": [], "dev": ["--group=dev", "-c", LOCKS["run"]]}
    for kind, words in more.items():
        subprocess.run([*command, *words, "-o", LOCKS[kind]], cwd=ROOT, env=clean_environ(), check=True)
    addresses = [path.name for path in LOCKS.values() if "://" in path.read_text()]
    if addresses:
        raise SetupError(f"{addresses} name the address of a registry; they must not.")
    return 0


def setup(words: list[str]) -> int:
    environment("dev" if "dev" in words else "run")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run, "test": test, "check": check, "bench": bench, "ew": ew, "lock": lock, "setup": setup,
}  # fmt: skip


def main(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(__doc__)
        return 0 if words else 2
    if words[0] not in COMMANDS:
        print(f"There is no command {words[0]!r}; there are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        return COMMANDS[words[0]](words[1:])
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1


def become(kind: str, *words: str) -> NoReturn:
    """Replaces this process by Python in the environment, so that Ctrl-C and the exit code are its own."""
    environment(kind)
    sys.stdout.flush()
    os.execve(PYTHON, [str(PYTHON), *words], clean_environ())


# -- the environment -----------------------------------------------------------------------------------------


def environment(kind: str) -> None:
    """Makes .venv hold what `kind` ("run" or "dev") needs, unless it does already. Raises SetupError."""
    if is_current(kind):
        return
    with only_one():
        if is_current(kind):  # another dev.py made it while we waited
            return
        say(f"Setting up .venv from {LOCKS[kind].relative_to(ROOT)} (the first time takes up to a minute) ...")
        by_uv(kind) or by_pip(kind)
        site = next(VENV.glob("lib/python*/site-packages"))
        (site / "early_warning.pth").write_text(f"{ROOT}\n")
        (VENV / "bin" / "ew").write_text(EW)
        (VENV / "bin" / "ew").chmod(0o755)
        STAMP.write_text(json.dumps(stamp(kind)))


def is_current(kind: str) -> bool:
    try:
        made: dict[str, Any] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return all(made.get(name) == value for name, value in stamp(kind).items())


def stamp(kind: str) -> dict[str, str]:
    """What the environment was made from. dev.txt holds all of run.txt, so dev serves for both."""
    kinds = LOCKS if kind == "dev" else ["run"]
    hashes = {kind: hashlib.sha256(LOCKS[kind].read_bytes()).hexdigest() for kind in kinds}
    return {**hashes, "root": str(ROOT), "python": venv_python()}


def venv_python() -> str:
    """Version of the Python in .venv; empty if there is none or it no longer starts."""
    try:
        done = subprocess.run([PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip()


def by_uv(kind: str) -> bool:
    """With uv, if it is on the PATH: the fastest way. False if it is not there or did not succeed."""
    uv = shutil.which("uv")
    if not uv:
        return False
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        PYTHON,
        "--compile-bytecode",
        "--only-binary=:all:",
    ]
    return tried(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV) and tried(
        *install, "--require-hashes", "-r", LOCKS[kind]
    )


def by_pip(kind: str) -> bool:
    """With the standard library's venv and pip. Raises SetupError."""
    pip = make_venv()
    install = [*pip, "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    if tried(*install, "--require-hashes", "-r", LOCKS[kind], quiet=False):
        return True
    raise SetupError(
        f"pip could not install {LOCKS[kind].relative_to(ROOT)} (its words are above). "
        "Check the way to your package registry, or set PIP_INDEX_URL to a mirror, and try again."
    )


def make_venv() -> list[str | Path]:
    """Makes an empty .venv and returns the pip that installs into it. Raises SetupError."""
    inside: list[str | Path] = [PYTHON, "-m", "pip"]
    if venv_python() and tried(*inside, "--version"):
        return inside
    if tried(sys.executable, "-m", "venv", "--clear", VENV):
        return inside
    outside: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    if tried(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV) and tried(*outside, "--version"):
        return outside
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {package} with apt-get ...")
        tried("apt-get", "update", "-q")
        tried("apt-get", "install", "-qy", "--no-install-recommends", package, quiet=False)
        if tried(sys.executable, "-m", "venv", "--clear", VENV):
            return inside
    raise SetupError(f"This Python cannot make environments. Install uv or {package}, then try again.")


def tried(*command: str | Path, quiet: bool = True) -> bool:
    """Runs a command; whether it succeeded. Its output is shown only when it failed and matters."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environ(), check=False
        )
    except OSError:
        return False
    if done.returncode and not quiet:
        sys.stderr.buffer.write(done.stdout)
    return done.returncode == 0


def clean_environ() -> dict[str, str]:
    """Ours without another environment's traces. uv is to trust the authorities this system trusts.

    What Python compiled is kept also where it is told not to, as in many containers: the system and its tests start
    dozens of processes, and each would compile everything anew.
    """
    foreign = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE"}
    ours = {name: value for name, value in os.environ.items() if name not in foreign}
    return {"UV_SYSTEM_CERTS": "true", "UV_PYTHON_DOWNLOADS": "never", **ours}


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two calls at once take turns; this file is the lock."""
    import fcntl

    with open(__file__, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
