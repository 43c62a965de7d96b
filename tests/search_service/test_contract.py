"""The service against its own OpenAPI document: no 5xx and no answer that it does not describe."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from starlette.testclient import TestClient

from dataspoke.core.settings import Settings
from dataspoke.search_service.app import create_app

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

checks = pytest.importorskip("schemathesis.specs.openapi.checks")
positive_data_acceptance = checks.positive_data_acceptance

SCHEMA = schemathesis.openapi.from_dict(create_app(Settings.from_env({})).openapi())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


GOOD, BAD = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
LONGEST_URL = 60_000


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        pytest.param(operation, mode, id=f"{mode.value} {operation.label}")
        for operation in OPERATIONS
        for mode in (GOOD, BAD)
        # What takes nothing cannot be asked wrongly.
        if mode is GOOD or operation.body or list(operation.iter_parameters())
    ],
)
def test_every_answer_is_one_that_the_document_describes(
    airline_client: TestClient, operation: Any, mode: Any
) -> None:
    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def asks(case: Any) -> None:
        request = case.as_transport_kwargs(base_url="http://testserver")
        request.pop("cookies", None)
        if isinstance(request.get("data"), bytes | str):
            request["content"] = request.pop("data")
        assume(len(urlencode(request.get("params") or {}, doseq=True)) < LONGEST_URL)
        answer = airline_client.request(**request)
        assert answer.status_code < 500, answer.text
        # A text may be a filter of the right form, and still name no field that there is: 400.
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])

    asks()
