"""At the edge: commits before answers, one error shape, request ids."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column
from structlog.testing import capture_logs

from fleet.kit.db import Base
from fleet.kit.errors import MEDIA_TYPE, Refused, install
from fleet.kit.logs import RequestContext
from fleet.kit.times import iso
from fleet.kit.web import Kit, KitDep, Now, Reading, UnitOfWork
from tests.conftest import START

router = APIRouter()


class Note(Base):
    __tablename__ = "test_notes"

    id: Mapped[str] = mapped_column(primary_key=True)


class Body(BaseModel):
    lon: float
    names: list[int] = []


@router.post("/notes/{note_id}")
def write(note_id: str, session: UnitOfWork) -> dict[str, str]:
    session.add(Note(id=note_id))
    return {"id": note_id}


@router.post("/refused/{note_id}")
def refuse(note_id: str, session: UnitOfWork) -> None:
    session.add(Note(id=note_id))
    session.flush()
    raise Refused(
        "The lane was served.",
        type="lane-served",
        title="No miss",
        field="lane_id",
        remedy="Look again tomorrow.",
        headers={"Retry-After": "60"},
    )


@router.get("/count")
def count(reading: Reading, now: Now) -> dict[str, Any]:
    return {"count": reading.scalar(select(func.count(Note.id))), "now": iso(now)}


@router.post("/body")
def body(given: Body) -> Body:
    return given


@router.get("/broken")
def broken(kit: KitDep) -> None:
    structlog.get_logger("test").info("about_to_break")
    raise RuntimeError("the password is 12345")


@router.get("/teapot")
def teapot() -> None:
    raise HTTPException(418, "short and stout")


@pytest.fixture
def client(kit: Kit) -> Iterator[TestClient]:
    app = FastAPI()
    app.state.kit = kit
    install(app)
    app.include_router(router)
    app.add_middleware(RequestContext)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def problem(response: Any) -> dict[str, Any]:
    assert response.headers["content-type"] == MEDIA_TYPE
    found: dict[str, Any] = response.json()
    assert found.keys() >= {"type", "title", "status", "detail", "field", "remedy"}
    assert found["status"] == response.status_code
    return found


def test_a_write_is_committed_when_its_answer_arrives(client: TestClient) -> None:
    assert client.post("/notes/a").json() == {"id": "a"}
    assert client.get("/count").json() == {"count": 1, "now": iso(START)}


def test_a_refusal_rolls_back_and_says_why(client: TestClient) -> None:
    response = client.post("/refused/a")
    assert problem(response) == {
        "type": "urn:safai:lane-served",
        "title": "No miss",
        "status": 409,
        "detail": "The lane was served.",
        "field": "lane_id",
        "remedy": "Look again tomorrow.",
    }
    assert response.headers["retry-after"] == "60"
    assert client.get("/count").json()["count"] == 0


def test_an_error_at_the_commit_is_the_answer(client: TestClient) -> None:
    client.post("/notes/a")
    response = client.post("/notes/a", headers={"Accept-Language": "hi"})
    assert problem(response)["type"] == "urn:safai:conflict"
    assert problem(response)["detail"] == "यह पहले से मौजूद है।"


def test_writers_beyond_the_thread_pool_all_get_through(client: TestClient) -> None:
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda n: client.post(f"/notes/{n}").status_code, range(120)))
    assert answers == [200] * 120
    assert client.get("/count").json()["count"] == 120


def test_malformed_input_names_its_fields(client: TestClient) -> None:
    found = problem(client.post("/body", json={"lon": "east", "names": [1, "x"]}))
    assert (found["status"], found["field"]) == (422, "lon")
    assert [fault["field"] for fault in found["errors"]] == ["lon", "names.1"]
    assert problem(client.post("/body", content=b"{"))["status"] == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/count", 405), ("GET", "/teapot", 418)],
)
def test_routing_errors_have_the_shape_too(
    client: TestClient, method: str, path: str, status: int
) -> None:
    found = problem(client.request(method, path))
    assert found["status"] == status
    assert path in found["detail"]


def test_an_unexpected_error_is_logged_and_not_leaked(client: TestClient) -> None:
    with capture_logs() as logs:
        response = client.get("/broken")
    assert problem(response)["status"] == 500
    assert "12345" not in response.text
    (entry,) = (log for log in logs if log["event"] == "unexpected_error")
    assert str(entry["exc_info"]) == "the password is 12345"


def test_a_request_keeps_a_plain_id_and_gets_one_for_another(client: TestClient) -> None:
    given = client.get("/count", headers={"X-Request-ID": "proxy-1"})
    assert given.headers["x-request-id"] == "proxy-1"
    made = client.get("/count", headers={"X-Request-ID": "<script>"})
    assert made.headers["x-request-id"].startswith("rq_")


def test_log_lines_carry_the_requests_id(client: TestClient) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        client.get("/broken", headers={"X-Request-ID": "proxy-1"})
    assert {"about_to_break"} <= {log["event"] for log in logs}
    assert all(log["request_id"] == "proxy-1" for log in logs if log["event"] == "about_to_break")


def test_a_reader_does_not_wait_for_a_writer(client: TestClient, kit: Kit) -> None:
    with kit.db.unit_of_work() as session:
        session.add(Note(id="a"))
        session.flush()
        assert client.get("/count").json()["count"] == 0
    assert client.get("/count").json()["count"] == 1
