"""The JSON API against a fuzzer that reads its OpenAPI document: fitting and unfitting queries, with every check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

from ew_app.kernel import today
from ew_app.services.people import accounts, api_tokens
from ew_app.web.limits import limiter

CHECKS = [
    checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.status_code_conformance,
    checks.ignored_auth,
    checks.unsupported_method,
]


@pytest.mark.parametrize("examples", [12, pytest.param(1000, marks=pytest.mark.deep)])
def test_nothing_a_fuzzer_sends_makes_it_fall_over(
    app: Flask,
    world: dict[str, int],
    examples: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(limiter, "enabled", False)
    with app.app_context():
        shown = {login: _token(login) for login in ("principal", "system_admin")}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    told: dict[tuple[str, int], int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            also = [checks.negative_data_rejection] if mode is GenerationMode.NEGATIVE else []
            login = "system_admin" if operation.path.endswith("/tiers") else "principal"
            _try(operation, mode, examples, shown[login], told, [*CHECKS, *also])
    with capsys.disabled():
        print(f"\n{sum(told.values())} calls of a fuzzer: {sorted(told.items())}")
    assert {path for path, code in told if code == 200} == set(schema)  # every address answered as well


def _token(login: str) -> str:
    return api_tokens.new(name="Fuzzer", last_day=today() + timedelta(days=1), by=accounts.acting_as(login))


def _try(
    operation: Any, mode: GenerationMode, examples: int, token: str, told: dict[tuple[str, int], int], held: list[Any]
) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        answer = case.call_and_validate(checks=held, headers={"Authorization": f"Bearer {token}"})
        key = (operation.path, answer.status_code)
        told[key] = told.get(key, 0) + 1

    one()
