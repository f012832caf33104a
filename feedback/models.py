"""All tables of this room, for the migrations."""

from feedback.requests.models import Entry, Request

__all__ = ["Entry", "Request"]
