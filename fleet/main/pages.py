"""Serves the built web pages, under a policy that lets nothing in from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = "; ".join(
    (
        "default-src 'self'",
        "worker-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
}
PAGES = {
    "/": "resident/index.html",
    "/report": "resident/report.html",
    "/r/{code}": "resident/request.html",
    "/sign-in": "signin/index.html",
    "/control": "control/index.html",
    "/cab/": "cab/index.html",
}
ASK_AGAIN = {"Cache-Control": "no-cache"}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class SecurityHeaders:
    """ASGI middleware: every HTTP answer carries the headers unless it set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


def install(app: FastAPI, dist: Path) -> None:
    """Add the pages under `dist` (see `webbuild.ensure_built`) and the security headers."""
    app.include_router(page_router(dist))
    app.add_middleware(SecurityHeaders)


def page_router(dist: Path) -> APIRouter:
    """Routes of the pages, their hashed assets and the cab's service worker."""
    router = APIRouter(include_in_schema=False)

    def page(file: str) -> Response:
        path = dist / file
        if not path.is_file():
            return PlainTextResponse(
                "The web pages are not built yet: start with `safai serve`, which builds them.\n",
                status_code=503,
            )
        return FileResponse(path, headers=ASK_AGAIN)

    def endpoint(file: str) -> Callable[[], Response]:
        return lambda: page(file)

    for route, file in PAGES.items():
        router.add_api_route(route, endpoint(file), methods=["GET", "HEAD"])

    @router.get("/cab")
    def cab() -> Response:
        # The service worker's scope is the folder, so the page must live in it.
        return RedirectResponse("/cab/", status_code=308)

    @router.get("/cab/sw.js")
    def cab_worker() -> Response:
        worker = page("cab/sw.js")
        worker.headers["Service-Worker-Allowed"] = "/cab/"
        return worker

    @router.get("/assets/{name}")
    def asset(name: str) -> Response:
        # The router hands over one path segment; `..` is the only one that leads out.
        path = dist / "assets" / name
        if name in {".", ".."} or not path.is_file():
            return PlainTextResponse("No such file.\n", status_code=404, headers=ASK_AGAIN)
        return FileResponse(path, headers=FOREVER)

    return router
