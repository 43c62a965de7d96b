from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataspoke.core.hub import codec

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture(params=["orjson", "json"])
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(codec, "_fast_loads", None)
        monkeypatch.setattr(codec, "_fast_dumps", None)


@given(values)
def test_what_is_encoded_is_decoded_and_others_read_it(value: Any) -> None:
    assert codec.decode(codec.encode(value)) == value
    assert json.loads(codec.encode(value)) == value


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"caf\\u00e9"', "café"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"a\\ud83db"', "a?b"),
        (b'{"a": [1, null]}', {"a": [1, None]}),
    ],
)
def test_both_libraries_read_the_same(raw: bytes, value: Any) -> None:
    assert codec.decode(raw) == value
    assert codec.decode(codec.encode(value)) == value


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"a":', b"\xff"])
def test_what_is_no_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec.decode(raw)
