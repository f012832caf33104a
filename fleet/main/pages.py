"""Serves the built web pages, under a policy that lets nothing in from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from fleet.main.webbuild import WEB

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
ASK_AGAIN = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
FOREVER = {**SECURITY_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def page_router(dist: Path) -> APIRouter:
    """Routes of the pages, their hashed assets and the cab's service worker."""
    router = APIRouter(include_in_schema=False)

    def page(file: str) -> Response:
        path = dist / file
        if not path.is_file():
            return PlainTextResponse(
                "The web pages are not built yet: start with `safai serve`, which builds them.\n",
                status_code=503,
                headers=ASK_AGAIN,
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
    def asset(name: str, request: Request) -> Response:
        # The router hands over one path segment; `..` is the only one that leads out.
        path = dist / "assets" / name
        if name in {".", ".."} or not path.is_file():
            return PlainTextResponse("No such file.\n", status_code=404, headers=ASK_AGAIN)
        packed = path.with_name(f"{name}.gz")
        if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
            media_type = guess_type(name)[0]
            return FileResponse(packed, headers=FOREVER | PACKED, media_type=media_type)
        return FileResponse(path, headers=FOREVER | {"Vary": "Accept-Encoding"})

    return router


router = page_router(WEB / "dist")
