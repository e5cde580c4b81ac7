"""An Ed-Fi API with a district in it, and an empty installation that pulls from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ew_app.config import Settings
from tests.edfi_district import settled
from tests.edfi_server import EdfiServer, running
from tests.services.edfi.feed import Feed
from tests.services.rosters import open_district


@pytest.fixture
def server() -> Iterator[EdfiServer]:
    with running(settled(EdfiServer())) as found:
        yield found


@pytest.fixture
def district(settings: Settings) -> Iterator[None]:
    with open_district(replace(settings, private_hosts="ods.example.org, 127.0.0.1")):
        yield


@pytest.fixture
def feed(server: EdfiServer, tmp_path: Path, district: None) -> Feed:
    return Feed(server, tmp_path)
