"""The built pages, their caching and the policy that they are served under."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fleet.main import pages

FILES = {
    "resident/index.html": "home",
    "resident/report.html": "report",
    "resident/request.html": "request",
    "signin/index.html": "sign-in",
    "control/index.html": "control",
    "cab/index.html": "cab",
    "cab/sw.js": "worker",
    "assets/a-1.js": "script",
    "build.json": "{}",
}
PACKED_SCRIPT = gzip.compress(b"script")


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "assets" / "a-1.js.gz").write_bytes(PACKED_SCRIPT)
    app = FastAPI()
    app.include_router(pages.page_router(tmp_path))
    return TestClient(app)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "home"),
        ("/report", "report"),
        ("/r/7K3QXW2M", "request"),
        ("/sign-in", "sign-in"),
        ("/control", "control"),
        ("/cab/", "cab"),
        ("/cab", "cab"),
    ],
)
def test_every_page_is_served_and_asked_for_again(client: TestClient, path: str, text: str) -> None:
    """A page must never be older than the assets that it names."""
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/html")


def test_hashed_assets_are_kept_for_ever(client: TestClient) -> None:
    """Their names change with their contents."""
    assert client.get("/assets/a-1.js").headers["cache-control"].endswith("immutable")
    assert client.get("/assets/gone.js").status_code == 404


@pytest.mark.parametrize(("accepts", "coding"), [("gzip, br", "gzip"), ("identity", None)])
def test_an_asset_is_packed_for_whom_it_may(
    client: TestClient, accepts: str, coding: str | None
) -> None:
    """Same script, same type, fewer bytes; caches keep the two apart."""
    answer = client.get("/assets/a-1.js", headers={"accept-encoding": accepts})
    assert answer.headers.get("content-encoding") == coding
    assert answer.text == "script"
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"].endswith("immutable")


@pytest.mark.parametrize("path", ["/assets/..%2fbuild.json", "/assets/%2e%2e", "/assets/."])
def test_nothing_outside_the_assets_leaks(client: TestClient, path: str) -> None:
    """Encoded climbing finds no file."""
    assert client.get(path).status_code == 404


def test_the_cabs_worker_rules_its_folder_alone(client: TestClient) -> None:
    """Its scope is /cab/, and an update is seen at the next start."""
    answer = client.get("/cab/sw.js")
    assert answer.headers["service-worker-allowed"] == "/cab/"
    assert answer.headers["cache-control"] == "no-cache"
    assert "javascript" in answer.headers["content-type"]


def test_the_policy_lets_nothing_in_from_elsewhere(client: TestClient) -> None:
    """No unsafe word, no foreign host, on pages, assets and refusals alike."""
    for path in ("/control", "/assets/a-1.js", "/assets/gone.js", "/cab/sw.js"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert directives["default-src"] == directives["style-src"] == "'self'"
        assert directives["img-src"] == "'self' data:"
        sources = {word for words in directives.values() for word in words.split()}
        assert sources == {"'self'", "'none'", "data:"}
        assert headers["x-content-type-options"] == "nosniff"


def test_pages_that_are_not_built_say_so(tmp_path: Path) -> None:
    """The API works without them."""
    app = FastAPI()
    app.include_router(pages.page_router(tmp_path))
    answer = TestClient(app).get("/control")
    assert answer.status_code == 503
    assert "safai serve" in answer.text
