"""uvicorn's WebSocket protocol, reading a few messages ahead.

Its own stops to read after each message and begins again when the application has taken it: two
changes of what the event loop listens to for each frame of a device, a fifth of what the frame
costs in all. Here reading stops only when `AHEAD` messages wait.
"""

from __future__ import annotations

from typing import Final, override

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

AHEAD: Final = 4


class ReadingAhead(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=…)`."""

    @override
    def send_receive_event_to_app(self) -> None:
        if self.read_paused or self.queue.qsize() >= AHEAD:
            super().send_receive_event_to_app()
            return
        self.read_paused = True  # as if it were, so that it is not
        super().send_receive_event_to_app()
        self.read_paused = False
