"""One request to a vendor: only where the file says, never further, never longer or larger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
from starlette.concurrency import run_in_threadpool

from tracking.protocols import vendor_rest
from tracking.protocols.lenient import Unreadable
from tracking.protocols.vendor_rest import Page
from tracking.pull.sources import Source, filled


class NotFetched(Exception):  # noqa: N818 - what happened, for the administrator
    """Why there is no answer; never holds an address, which may have secrets in it."""


def make_client() -> httpx.AsyncClient:
    """A client that follows nobody elsewhere and takes no settings from the environment.

    How long an answer may take is each source's own.
    """
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=None)


async def pages(
    client: httpx.AsyncClient, source: Source, since: datetime | None
) -> AsyncIterator[Page]:
    """The pages of a source's answer.

    Raises:
        NotFetched: a secret is missing, the service did not answer in time or with success, the
            answer is too large or not what the mapping says, or goes on elsewhere.
    """
    url: str | None = source.url
    try:
        headers = {name: filled(value) for name, value in source.headers.items()}
        asked: dict[str, Any] = {name: filled(value) for name, value in source.query.items()}
        body = None if source.json is None else _filled_json(source.json)
    except KeyError as error:
        raise NotFetched(f"The environment has no {error.args[0]}.") from error
    if source.since is not None and since is not None:
        told = source.since.text(since - timedelta(seconds=source.since.overlap_s))
        (asked if body is None else body)[source.since.parameter] = told
    for _ in range(source.pages):
        if url is None:
            return
        request = client.build_request(
            source.method, httpx.URL(url).copy_merge_params(asked), headers=headers, json=body
        )
        answer = await _answer(client, request, source)
        try:
            page = await run_in_threadpool(_decode, answer, source)
        except Unreadable as error:
            raise NotFetched(f"The answer is another than expected: {error}") from error
        yield page
        url, asked = _next(source, url, page.next), {}


async def _answer(client: httpx.AsyncClient, request: httpx.Request, source: Source) -> bytes:
    gathered = bytearray()
    try:
        async with asyncio.timeout(source.timeout_s):
            response = await client.send(request, stream=True)
            try:
                if not response.is_success:
                    raise NotFetched(f"The service answered {response.status_code}.")
                async for part in response.aiter_bytes():
                    gathered += part
                    if len(gathered) > source.most_bytes:
                        raise NotFetched(f"The answer has more than {source.most_bytes} bytes.")
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise NotFetched(f"No whole answer within {source.timeout_s:g} s.") from error
    except httpx.HTTPError as error:
        raise NotFetched(f"The service was not reached ({type(error).__name__}).") from error
    return bytes(gathered)


def _decode(answer: bytes, source: Source) -> Page:
    try:
        value = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable("body", f"Expected JSON: {error}"[:200]) from error
    return vendor_rest.decode(value, source.answer)


def _next(source: Source, here: str, given: str | None) -> str | None:
    if given is None:
        return None
    try:
        url = urljoin(here, given)
        parts = urlsplit(url)
        origin = parts.scheme, parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        origin = None
    if origin != source.origin:
        raise NotFetched("The answer goes on at another server than the configured one.")
    return url


def _filled_json(value: dict[str, Any]) -> dict[str, Any]:
    return {k: filled(v) if isinstance(v, str) else v for k, v in value.items()}
