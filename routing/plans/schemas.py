"""What callers send about plans. Answers have the shapes of `views`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=80)]


class PlanOrder(BaseModel):
    """A plan to make: of chosen wards or vehicles, or of everything when neither is named."""

    model_config = ConfigDict(extra="forbid")

    service_date: date
    wards: list[Name] = Field(default=[], max_length=500, description="Ward ids.")
    vehicles: list[Name] = Field(default=[], max_length=2000, description="Vehicle ids.")
    shift: Name | None = Field(default=None, description="One shift's name; empty: all shifts.")
    seed: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="Empty: the policy's seed."
    )
    iterations: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Improvement steps; empty: the policy's."
    )
    publish: bool = Field(default=False, description="Publish it at once when it is made.")


class PublishOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, description="The version that the caller has seen.")
