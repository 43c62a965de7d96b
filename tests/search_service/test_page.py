from __future__ import annotations

import re
from pathlib import Path

import pytest
from airline_catalogue import airline
from starlette.testclient import TestClient

import dataspoke.search_service
from dataspoke.core.documents.render import render
from dataspoke.search_service.examples import example_questions

WEB = Path(dataspoke.search_service.__path__[0]) / "web"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/?q=flights", "text/html"),
        ("/web/app.js", "text/javascript"),
        ("/web/style.css", "text/css"),
        ("/web/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_and_its_files_are_served_for_themselves_only(
    airline_client: TestClient, path: str, kind: str
) -> None:
    answer = airline_client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_other_file_is_served(airline_client: TestClient) -> None:
    for path in ("/web/app.py", "/web/../app.py", "/web/%2e%2e%2fapp.py", "/web/none.js"):
        answer = airline_client.get(path)
        assert answer.status_code == 404
        assert answer.json()["status"] == 404


@pytest.mark.parametrize("name", ["index.html", "style.css", "app.js", "icon.svg"])
def test_the_page_loads_nothing_from_elsewhere_and_needs_no_exception(name: str) -> None:
    text = (WEB / name).read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "innerHTML" not in text
    assert not re.search(r"\s(style|on\w+)=[\"']", text)


def test_every_element_that_the_script_looks_for_is_in_the_page() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    script = (WEB / "app.js").read_text(encoding="utf-8")
    for name in re.findall(r"\$\(\"#([\w-]+)\"\)", script):
        assert f'id="{name}"' in page
    icons = set(re.findall(r'icon\("(\w+)"\)', script))
    assert icons
    for name in icons:
        assert f'id="i-{name}"' in page


def test_the_page_knows_the_size_of_the_index_and_asks_about_it(airline_client: TestClient) -> None:
    facts = airline_client.get("/web/page.json").json()
    assert facts["ready"] is True
    assert facts["entities"] == len(airline())
    assert len(facts["examples"]) == 4


def test_examples_are_made_of_the_catalogue_alone() -> None:
    payloads = [render(snapshot, model_id="hash").payload for snapshot in airline()]
    questions = example_questions(payloads)
    assert len(questions) == len(set(questions)) == 4
    assert questions == example_questions(payloads[::-1])
    assert "bag_scans" in questions


@pytest.mark.parametrize("count", [0, 1])
def test_examples_of_next_to_nothing_are_few(count: int) -> None:
    payloads = [
        render(snapshot, model_id="hash").payload for snapshot in airline()[10 : 10 + count]
    ]
    assert len(example_questions(payloads)) <= 3 * count
