"""What every protocol of a unit on a bare socket brings, and what its frames say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from tracking.protocols.layouts import Layouts
from tracking.protocols.reading import Reading

type Kind = Literal["login", "position", "health", "emergency", "other"]
type Checksum = Literal["present", "absent", "wrong"]
"""present: it was there and right."""
type Reason = Literal["form", "checksum", "length"]

NO_TIME: Final = ""
"""`Reading.t` of a unit that does not know the time; whoever received it knows better."""


class UnknownFrame(ValueError):  # noqa: N818 - what the administrator's list is called
    """These bytes are no frame that the protocol can read."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class FrameTooLong(ValueError):  # noqa: N818 - a state of the conversation, not a fault of ours
    """No frame ends within the allowed bytes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One frame. `imei` None: the frame does not say who speaks.

    With a wrong checksum the readings are not `valid`: they may be shown, and prove nothing.
    """

    kind: Kind
    imei: str | None
    layout: str
    checksum: Checksum = "absent"
    readings: tuple[Reading, ...] = ()
    stored: bool = False
    """Whether the unit kept it for a while because it had no connection."""
    reply: Callable[[datetime], bytes] | None = field(default=None, compare=False)
    """What the unit waits to hear once the frame is stored, by the time of the answer in UTC."""


class Framer(Protocol):
    """Cuts a stream into frames, whatever segments it came in. Bytes that belong to no frame
    come out as one of their own, for `decode` to refuse."""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that end within what has come so far.

        Raises:
            FrameTooLong: more bytes are held back than allowed.
        """

    def pause(self) -> list[bytes]:
        """The frames that look whole now that the unit says nothing more for a moment."""

    def rest(self) -> bytes:
        """What is held back: the beginning of a frame."""


@dataclass(frozen=True, slots=True)
class UnitProtocol:
    """A protocol that the gateway can speak."""

    name: str
    begins: Callable[[bytes], bool]
    """Whether a connection that starts with these bytes speaks it."""
    framer: Callable[[int], Framer]
    """By the most bytes that may be held back."""
    decode: Callable[[bytes, Layouts, str | None], Decoded]
    """By frame, layouts, and the name of the device's layout. Raises only `UnknownFrame`."""
