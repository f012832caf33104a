"""Sign-in on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from fleet.people.models import Role
from fleet.people.scope import Scope


class SignInBody(BaseModel):
    """What somebody types in."""

    username: Annotated[str, Field(min_length=1, max_length=100, description="In any case.")]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class UserView(BaseModel):
    """An account as its owner sees it. `zones` null: all zones."""

    id: str
    name: str
    role: Role
    zones: list[str] | None
    lang: str

    @classmethod
    def of(cls, scope: Scope) -> UserView:
        return cls(
            id=scope.user_id,
            name=scope.name,
            role=scope.role,
            zones=None if scope.zones is None else sorted(scope.zones),
            lang=scope.lang,
        )


class DriverView(BaseModel):
    """Somebody who may be assigned to a vehicle."""

    id: str
    name: str


class Me(BaseModel):
    """The caller, and the token that unsafe requests carry in ``X-CSRF-Token``."""

    user: UserView
    csrf: str
