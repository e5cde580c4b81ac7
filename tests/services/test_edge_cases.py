"""Every case of tests/spec/edge_cases.yaml, on a real database, through the doors that files come in by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ew_app.config import load_settings
from ew_app.factory import create_app
from models.base import db
from tests.services.edge_cases import TODAY, Case, cases

CASES = cases()


@pytest.fixture(scope="module", autouse=True)
def district(worker_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One application for all cases; each keeps to names of its own."""
    settings = load_settings(
        {
            "EW_DATABASE_URL": worker_database,
            "EW_REDIS_URL": redis_url,
            "EW_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "EW_SECRET_KEY": "a key for tests only",
        }
    )
    with create_app(replace(settings, today=TODAY), screens=False).app_context():
        yield
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def worker_database(new_database: Callable[[], str], drop_database: Callable[[str], None]) -> Iterator[str]:
    url = new_database()
    yield url
    drop_database(url)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['case']} {case['title']}")
def test_the_edge_case_comes_out_right(case: dict[str, Any]) -> None:
    Case(case).run()


def test_cases_are_numbered_in_order() -> None:
    numbers = [case["case"] for case in CASES]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 79))
