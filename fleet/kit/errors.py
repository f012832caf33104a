"""One error shape: RFC 9457 ``application/problem+json`` with field, reason and remedy.

Tree::

    Problem                 any status
    ├── Malformed       422 input that cannot be read as what it should be
    ├── Unauthenticated 401 nobody is signed in
    ├── Forbidden       403 signed in, but not allowed
    ├── NotFound        404
    ├── Conflict        409 the state moved, or the same id came with another body
    ├── Refused         409 a business rule says no, and says why
    ├── TooLarge        413
    ├── TooMany         429
    └── Busy            503 try again shortly
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fleet.kit.i18n import speaking, t

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_CONTENT = {
    MEDIA_TYPE: {
        "schema": {
            "title": "Problem",
            "description": "RFC 9457. `field`: the input at fault; `remedy`: what to do.",
            "type": "object",
            "properties": {
                "type": {"type": "string", "pattern": "^urn:safai:"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "field": _TEXT_OR_NULL,
                "remedy": _TEXT_OR_NULL,
            },
            "required": ["type", "title", "status", "detail", "field", "remedy"],
        }
    }
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused; the problem says why.", "content": _CONTENT},
    503: {"description": "Busy; try again shortly.", "content": _CONTENT},
}
"""For ``FastAPI(responses=…)``: what every operation may answer besides its own."""


class Problem(Exception):  # noqa: N818 - the RFC's word
    """An error that a person or client can act on.

    Args:
        detail: one sentence on what is wrong, here and now.
        type: stable slug of the kind of problem; sent as ``urn:safai:<slug>``.
        title: the kind in words, the same each time.
        status: HTTP status.
        field: the input that is at fault.
        remedy: what to do about it.
        headers: HTTP headers to send along.
        extra: further members of the JSON object.
    """

    default_type: ClassVar[str] = "problem"
    default_title: ClassVar[str] = "Something is wrong"
    default_status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str = "",
        *,
        type: str | None = None,
        title: str | None = None,
        status: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.type = type or self.default_type
        self.title = title or self.default_title
        self.status = status or self.default_status
        self.detail = detail or self.title
        self.field = field
        self.remedy = remedy
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.detail} {self.remedy}" if self.remedy else self.detail

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are pickled by their positional arguments; ours are named.
        return _rebuild, (self.__class__, dict(self.__dict__))

    def body(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "type": f"urn:safai:{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "field": self.field,
            "remedy": self.remedy,
            **self.extra,
        }


def _rebuild(cls: type[Problem], state: dict[str, Any]) -> Problem:
    return cls(**state)


class Malformed(Problem):
    default_type = "malformed"
    default_title = "The input cannot be read"
    default_status = 422


class Unauthenticated(Problem):
    default_type = "unauthenticated"
    default_title = "Nobody is signed in"
    default_status = 401


class Forbidden(Problem):
    default_type = "forbidden"
    default_title = "Not allowed"
    default_status = 403


class NotFound(Problem):
    default_type = "not-found"
    default_title = "Not found"
    default_status = 404


class Conflict(Problem):
    default_type = "conflict"
    default_title = "The state has changed"
    default_status = 409


class Refused(Problem):
    default_type = "refused"
    default_title = "Refused"
    default_status = 409


class TooLarge(Problem):
    default_type = "too-large"
    default_title = "Too large"
    default_status = 413


class TooMany(Problem):
    default_type = "too-many"
    default_title = "Too many attempts"
    default_status = 429


class Busy(Problem):
    default_type = "busy"
    default_title = "Busy"
    default_status = 503


def problem_response(p: Problem) -> JSONResponse:
    """The HTTP answer for a problem."""
    return JSONResponse(p.body(), p.status, headers=p.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of an app leave in the one shape."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return _refuse(request, error)


def _refuse(request: Request, problem: Problem) -> JSONResponse:
    """Log and answer; never the query or body, which may hold names and passwords."""
    log.log(
        logging.WARNING if problem.status >= 500 else logging.INFO,
        "request_refused",
        method=request.method,
        path=request.url.path,
        status=problem.status,
        problem=problem.type,
        field=problem.field,
        why=problem.detail,
    )
    return problem_response(problem)


def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"field": _field(fault["loc"]), "reason": str(fault["msg"])} for fault in error.errors()
    ]
    return _refuse(
        request,
        Malformed(
            "; ".join(f"{fault['field']}: {fault['reason']}" for fault in faults),
            field=faults[0]["field"] if faults else None,
            remedy=t(speaking.get(), "kit.malformed_remedy"),
            extra={"errors": faults},
        ),
    )


def _field(loc: Sequence[int | str]) -> str:
    """``("body", "fixes", 0, "lon")`` → ``fixes.0.lon``; the place stays when nothing follows."""
    parts = loc[1:] if len(loc) > 1 else loc
    return ".".join(str(part) for part in parts)


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    remedies = {404: "kit.unknown_remedy", 405: "kit.method_remedy"}
    remedy = remedies.get(error.status_code)
    return _refuse(
        request,
        Problem(
            f"{request.method} {request.url.path}: {error.detail}",
            type=phrase.lower().replace(" ", "-"),
            title=phrase,
            status=error.status_code,
            remedy=None if remedy is None else t(speaking.get(), remedy),
            headers=error.headers,
        ),
    )


def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected_error", path=request.url.path, exc_info=error)
    return problem_response(
        Problem(
            t(speaking.get(), "kit.internal"),
            type="internal",
            title="Internal error",
            status=500,
            remedy=t(speaking.get(), "kit.internal_remedy"),
        )
    )
