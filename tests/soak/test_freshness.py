"""An edit made with the stock command line is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from datahub_cli import run_datahub
from logged_process import wait_until
from spoke_stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.sales.orders,PROD)"
PARCELS = "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.shipping.parcels,PROD)"
# How long it takes is measured by `benchmarks/vector_sync.py fresh`; here it only has to happen.
SECONDS = 30.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("freshness"), "dataspoke-events") as started:
        put(started, ORDERS, "datasetProperties", {"name": "orders", "description": "Book orders"})
        put(started, PARCELS, "datasetProperties", {"name": "parcels", "description": "Parcels"})
        soon(lambda: found(started, "orders") and found(started, "parcels"), "both tables")
        yield started


def put(stack: Stack, urn: str, aspect: str, value: dict[str, Any]) -> None:
    path = stack.home / "aspect.json"
    path.write_text(json.dumps(value))
    datahub(stack, "put", "--urn", urn, "--aspect", aspect, "--aspect-data", str(path))


def datahub(stack: Stack, *args: str) -> None:
    run_datahub(*args, hub_url=stack.hub.url, home=stack.home / "cli")


def found(stack: Stack, query: str, **params: Any) -> list[str]:
    return [result["urn"] for result in stack.search.find(query, **params)]


def soon(check: Callable[[], Any], what: str) -> None:
    wait_until(lambda: bool(check()), what=what, timeout=SECONDS)


def test_a_renamed_table_is_found_under_its_new_name(stack: Stack) -> None:
    put(stack, PARCELS, "datasetProperties", {"name": "consignments", "description": "Freight"})
    soon(lambda: found(stack, "consignments")[:1] == [PARCELS], "the new name first")
    put(stack, PARCELS, "datasetProperties", {"name": "parcels", "description": "Parcels"})
    soon(lambda: found(stack, "parcels")[:1] == [PARCELS], "the old name first again")


def test_a_tag_is_a_filter_and_a_renamed_tag_reaches_the_tables_that_carry_it(
    stack: Stack,
) -> None:
    put(stack, ORDERS, "globalTags", {"tags": [{"tag": "urn:li:tag:gold"}]})
    soon(lambda: found(stack, "", filter="tag:eq:gold") == [ORDERS], "the tag as a filter")
    put(stack, "urn:li:tag:gold", "tagProperties", {"name": "Certified", "description": ""})
    soon(
        lambda: ORDERS in found(stack, "", filter="tag:eq:certified"), "the tag under its new name"
    )


def test_a_removed_table_is_gone_and_a_restored_one_is_back(stack: Stack) -> None:
    datahub(stack, "delete", "--urn", PARCELS, "--soft", "--force")
    soon(lambda: PARCELS not in found(stack, "parcels"), "the soft-deleted table gone")
    put(stack, PARCELS, "status", {"removed": False})
    soon(lambda: PARCELS in found(stack, "parcels"), "the restored table back")
    datahub(stack, "delete", "--urn", PARCELS, "--hard", "--force")
    soon(lambda: PARCELS not in found(stack, "parcels"), "the hard-deleted table gone")
    assert stack.difference() == ""
