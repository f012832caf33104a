"""What tablets send."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fleet.kit.times import aware


class CabEventIn(BaseModel):
    """A tap. The tablet makes `id`, and sends the same event again until it is accepted."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=8, max_length=64)
    kind: Literal["done", "could_not", "unload", "break_start", "break_end", "sos"]
    visit_id: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(
        default=None, max_length=80, description="Code of why it could not be."
    )
    words: str | None = Field(default=None, max_length=1000)
    photo_id: str | None = Field(default=None, max_length=80)
    kg: float | None = Field(default=None, ge=0, le=50_000, description="Weighed on unloading.")
    t: Annotated[datetime, AfterValidator(aware)] = Field(description="City time of the tap.")


class CabEvents(BaseModel):
    model_config = ConfigDict(extra="forbid")

    events: list[CabEventIn] = Field(max_length=500)


class Refused(BaseModel):
    id: str
    reason: str


class CabAnswer(BaseModel):
    """Only what has been committed is accepted."""

    accepted: list[str]
    refused: list[Refused]
