"""By policy (`auto_insert`) a confirmed miss becomes a stop without a dispatcher's click.

Once for each request: a stop that failed comes back to people, not to this rule.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from feedback.requests.models import Request, Status
from feedback.requests.service import STALE, TOPIC
from feedback.requests.stops import order_stop
from fleet.kit.errors import Conflict
from fleet.kit.jobs import JobContext, JobKind, enqueue
from fleet.kit.outbox import Event, Handler
from fleet.org import queries as org
from fleet.people.models import Role
from fleet.people.scope import Scope
from fleet.roads.wiring import borrowed_engines

KIND = "auto_stop"
DECIDED = {"placed": False, "reason": "decided meanwhile"}
CITY = Scope("policy", "Policy", Role.DISPATCHER, None, "en")
"""The rule acts for the whole city."""


def ask(session: Session, event: Event) -> None:
    """Order the job for a request whose miss is confirmed and that waits for a decision."""
    request = event.data
    waits = request["status"] == Status.CHECKED and request["visit_id"] is None
    if waits and request["verdict"] == "confirmed_missed" and org.policy(session).auto_insert:
        payload = {"request_id": request["id"]}
        enqueue(session, KIND, payload, key=f"{KIND}:{request['id']}", now=event.at)


def run(context: JobContext) -> dict[str, Any]:
    """Place the stop as a dispatcher's click would; a request that moved on is left alone."""
    request_id = context.payload["request_id"]
    with context.kit.db.reading() as session:
        request = session.get_one(Request, request_id)
        version, waits = request.version, request.status == Status.CHECKED
    if not waits:
        return DECIDED
    try:
        with borrowed_engines(context.kit.settings) as roads:
            answer = order_stop(
                context.kit,
                roads,
                CITY,
                request_id,
                version=version,
                tomorrow=False,
                now=context.now,
            )
    except Conflict as conflict:
        if conflict.type != STALE:
            raise
        return DECIDED  # a dispatcher was faster
    return answer.model_dump(mode="json")


handlers = [Handler("feedback.auto_stop", frozenset({TOPIC}), ask)]
job_kinds = [JobKind(KIND, run)]
