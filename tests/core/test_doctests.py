"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    ["documents.keys", "documents.words", "errors", "hub.columns", "hub.reader", "urns"],
)
def test_the_examples_of_a_module_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"dataspoke.core.{module}"))
    assert result.attempted
    assert not result.failed
