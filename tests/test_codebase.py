"""Promises about the code itself that no single function can keep."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.words import NOT_SAID

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ew_app", "models", "rules", "workers")
CLOCK = "ew_app/kernel.py"

LONGEST_FILE = 300
VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|stuff)(_|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")

# Words that never meet a family, a student or a colleague on our screens, exports and messages.
FORBIDDEN_WORDS = NOT_SAID
# The two places whose business it is to know such words: columns and notes that are refused for them.
MAY_NAME_THEM = {"ew_app/feeds/header.py", "rules/words.py"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def own_files() -> list[Path]:
    """Every text file that we wrote: code, templates, styles, settings and documents."""
    kinds = {".py", ".html", ".css", ".js", ".yaml", ".yml", ".toml", ".md", ".txt"}
    folders = [ROOT / folder for folder in (*PACKAGES, "templates", "tests", "docs", "requirements")]
    nested = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    return sorted(nested + [path for path in ROOT.iterdir() if path.suffix in kinds])


# -- one place for each --------------------------------------------------------------------------------------


def test_one_place_commits() -> None:
    calls = [
        f"{name(path)}:{node.lineno}"
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert len(calls) == 2 and all(call.startswith("ew_app/kernel.py:") for call in calls), calls  # verbs, and reads


def test_one_place_reads_the_clock() -> None:
    reads = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\(|\btime\.time\(")
    assert [name(path) for path in python_files(*PACKAGES) if reads.search(path.read_text())] == [CLOCK]


def test_nobody_asks_the_database_for_the_time() -> None:
    asks = re.compile(r"\b(clock_timestamp|statement_timestamp|transaction_timestamp|current_date)\b|func\.now\(", re.I)
    found = [name(path) for path in python_files(*PACKAGES) if asks.search(path.read_text())]
    assert found == []


def test_there_is_one_migration_head() -> None:
    from models.migrate import heads

    assert len(heads()) == 1


def test_job_names_are_the_registered_tasks() -> None:
    from ew_app.outbox import Job

    functions = public_functions(ROOT / "workers/tasks.py")
    assert sorted(function.name for function in functions) == sorted(job.value for job in Job)


# -- what is installed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_a_lock_names_no_address_and_pins_every_package_by_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert "://" not in text
    pins = re.findall(r"^\S.*", text, re.MULTILINE)
    assert pins and all(re.match(r"[a-z0-9-]+(\[[a-z,-]+\])?==", pin) for pin in pins), pins
    for block in re.split(r"(?m)^(?=\S)", text):
        assert not block.strip() or "--hash=sha256:" in block, block


def test_the_locks_agree_and_hold_every_dependency() -> None:
    run, dev = (pinned(lock) for lock in ("run.txt", "dev.txt"))
    assert run.items() <= dev.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {plain_name(need) for need in project["project"]["dependencies"]} <= set(run)
    assert {plain_name(need) for need in project["dependency-groups"]["dev"]} <= set(dev)


def pinned(lock: str) -> dict[str, str]:
    pins = re.findall(r"(?m)^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", (ROOT / "requirements" / lock).read_text())
    return dict(pins)


def plain_name(need: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", need)
    assert found, need
    return re.sub(r"[._]+", "-", found[0]).lower()


# -- how it reads --------------------------------------------------------------------------------------------


def public_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions at the top of a module that others may call."""
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def test_every_module_and_every_public_function_of_the_verbs_and_the_judgement_says_what_it_is() -> None:
    silent = [name(path) for path in python_files(*PACKAGES) if not ast.get_docstring(tree(path))]
    silent += [
        f"{name(path)}:{function.lineno} {function.name}"
        for path in python_files("ew_app/services", "rules", "ew_app/feeds", "ew_app/local")
        for function in public_functions(path)
        if not ast.get_docstring(function)
    ]
    assert [place for place in silent if "migrations/versions" not in place] == []


def test_every_file_can_be_read_in_one_sitting() -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in python_files(*PACKAGES)}
    long = {path: lines for path, lines in long.items() if "migrations/versions" not in path}
    assert {path: lines for path, lines in long.items() if lines > LONGEST_FILE} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name(path) for path in python_files(*PACKAGES, "tests") if VAGUE_NAMES.search(path.stem)] == []


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{name(path)}: {match[0]}"
        for path in own_files()
        if name(path) != "tests/test_codebase.py"
        for match in UNFINISHED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    private = re.compile(r"(?<![\w/])/(work|home|Users|root)/\w|pypi\.org|files\.pythonhosted\.org")
    found = [f"{name(path)}: {match[0]}" for path in own_files() for match in private.finditer(path.read_text())]
    assert [place for place in found if not place.startswith("tests/test_codebase.py")] == []


def test_no_page_asks_another_host_for_anything() -> None:
    foreign = re.compile(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//""")
    pages = [path for path in own_files() if path.suffix in {".html", ".css", ".js"}]
    assert [name(path) for path in pages if foreign.search(path.read_text())] == []


def test_the_forbidden_words_are_nowhere() -> None:
    found = [
        f"{name(path)}:{number}: {match[0]}"
        for path in own_files()
        if name(path) not in MAY_NAME_THEM and not name(path).startswith(("requirements/", "tests/"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in FORBIDDEN_WORDS.finditer(line)
    ]
    assert found == [], "\n".join(found)


# Counts of children by group, grade, cause, department or way: queries -> the only modules that may ask them. Each of
# these tells through the one suppression; a page that asks a query itself could tell a small number.
CUTS = {
    "boards.by_grade": {  # exact on a page and in a review for who may open every student
        "services/watching/groups.py",
        "services/watching/review_numbers.py",
        "web/boards.py",
    },
    "groups.tiers_by_group": {"services/watching/groups.py"},
    "groups.tiers_by_flag": {"services/watching/groups.py"},
    "groups.causes": {"services/watching/groups.py"},
    "departments.tasks": {"services/watching/departments.py"},
    "departments.shut_tasks": {"services/watching/departments.py"},
    "departments.shut_promises": {"services/watching/departments.py"},
    "departments.questions": {"services/watching/departments.py"},
    "departments.causes": {"services/watching/departments.py"},
    "departments.caused": {"services/watching/departments.py"},
    "transfers.came_from_other_schools": {"services/watching/transfers.py"},
    "what_works.begun": {"services/watching/what_works.py"},
}
TELLERS = re.compile(r"\b(parts|kept|suppress\w*|LEAST)\b")


def test_counts_of_small_groups_leave_by_the_modules_that_keep_them_back() -> None:
    asked: dict[str, set[str]] = {name: set() for name in CUTS}
    for path in sorted((ROOT / "ew_app").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        imported = re.findall(r"from models\.queries import ([^\n]+)", source)
        names = dict(
            (one.split(" as ")[-1].strip(), one.split(" as ")[0].strip())
            for line in imported
            for one in line.split(",")
        )
        for alias, module in names.items():
            for function in re.findall(rf"(?<![\w.]){alias}\.(\w+)\(", source):
                asked.get(f"{module}.{function}", set()).add(str(path.relative_to(ROOT / "ew_app")))
    assert asked == CUTS
    for module in {module for modules in CUTS.values() for module in modules}:
        assert TELLERS.search((ROOT / "ew_app" / module).read_text(encoding="utf-8")), module
