"""Photos over HTTP: the image as the request's body in, its re-encoded JPEG out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel

from fleet.kit.files import FORMATS, PhotoStore
from fleet.kit.web import KitDep

router = APIRouter(prefix="/api/photos", tags=["photos"])

DECODED_AT_ONCE = 2
"""A photo of the most pixels takes 150 MB while it is decoded."""
_decoding = anyio.CapacityLimiter(DECODED_AT_ONCE)

_BODY = {
    "required": True,
    "content": {
        f"image/{name.lower()}": {"schema": {"type": "string", "format": "binary"}}
        for name in FORMATS
    },
}


class PhotoView(BaseModel):
    """A stored photo: pixels, and the place that the camera wrote into it."""

    photo_id: str
    width: int
    height: int
    lon: float | None
    lat: float | None


@router.post(
    "", status_code=201, summary="Send a photo as the body", openapi_extra={"requestBody": _BODY}
)
async def upload(
    request: Request,
    kit: KitDep,
    client_id: Annotated[str | None, Header(alias="X-Client-Id", max_length=80)] = None,
) -> PhotoView:
    """Stored once for each `X-Client-Id`. Whoever knows a photo's id may see it."""
    data = await _read(request, kit.photos)
    stored = await anyio.to_thread.run_sync(
        partial(kit.photos.save, data, client_id=client_id), limiter=_decoding
    )
    return PhotoView(
        photo_id=stored.id,
        width=stored.width,
        height=stored.height,
        lon=stored.lon,
        lat=stored.lat,
    )


@router.get(
    "/{photo_id}",
    summary="A photo as JPEG",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def download(photo_id: str, kit: KitDep) -> FileResponse:
    return FileResponse(
        kit.photos.open(photo_id),
        media_type="image/jpeg",
        headers={
            "Cache-Control": "private, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _read(request: Request, photos: PhotoStore) -> bytes:
    """The body, as long as it is not too large; a larger one is not read to its end."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal():
        photos.check_length(int(announced))
    data = bytearray()
    async for piece in request.stream():
        data += piece
        photos.check_length(len(data))
    return bytes(data)
