"""Retention: days become compact tracks, and later their fixes go, but for what is held.

Each vehicle's day is kept in a transaction of its own, and sealed before a fix of it is deleted.
So whatever is killed on the way loses nothing: kept days are found again by their count of fixes,
and a day that was sealed and not deleted is deleted by the next run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from fleet.kit import jobs
from fleet.kit.db import Database
from fleet.kit.jobs import JobContext, JobKind
from fleet.kit.timers import Timer, every
from fleet.kit.times import local_midnight, service_date_of
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.org.models import City
from tracking.fixes import open_fixlog
from tracking.fixes.log import FixLog, Span
from tracking.history.day import summary_of
from tracking.history.holds import held
from tracking.history.models import DayTrack
from tracking.history.names import names
from tracking.history.queries import windows, worked_out
from tracking.history.tracks import COMPACT_M, pack, track_of

KIND = "tracking.keep_days"
HOUR = time(3, 30)
"""City time at which a day is kept: after the last shift, before the first."""
LOOK_BACK = timedelta(days=7)
"""Fixes that arrive late are taken into the tracks of so many days."""
SLACK = timedelta(days=1)
"""Fixes go this much later than ingest stops to take them: none arrives in a deleted day."""

Tell = Callable[[float, str], None]


def order_when_due(kit: Kit, at: datetime) -> None:
    """Order the day's run once its hour has come; again is harmless."""
    with kit.db.unit_of_work() as session:
        if session.get(City, 1) is None:
            return
        local = at.astimezone(org.city_zone(session))
        if local.time() >= HOUR:
            key = f"{KIND}:{local.date().isoformat()}"
            jobs.enqueue(session, KIND, {}, key=key, now=at)


def run(context: JobContext) -> dict[str, object]:
    """Keep the last days, and let go what the policy no longer keeps."""
    fixlog = open_fixlog(context.kit.settings, context.kit.db)
    try:
        return keep(context.kit.db, fixlog, context.now, context.progress)
    finally:
        fixlog.close()


def keep(
    db: Database, fixlog: FixLog, now: datetime, tell: Tell = lambda *_: None
) -> dict[str, object]:
    """One run of retention: days kept, days whose fixes went, days of which some are held."""
    with db.reading() as session:
        tz, policy = org.city_zone(session), org.policy(session)
    today = service_date_of(now, tz)
    last_raw = today - timedelta(days=policy.retention_fixes_days) - SLACK
    stored = [date.fromisoformat(day) for day in fixlog.stored_days()]
    old = [day for day in stored if day < last_raw]
    recent = [day for day in stored if day >= today - LOOK_BACK]
    kept = 0
    # A fix's service day may be the one before or after the day under which it is filed.
    due = sorted({day + timedelta(days=n) for day in (*old, *recent) for n in (-1, 0, 1)})
    due = [day for day in due if day < today]
    for i, day in enumerate(due):
        tell(0.9 * i / len(due), day.isoformat())
        kept += keep_day(db, fixlog, day, now)
    gone: list[str] = []
    partly: list[str] = []
    for day in old:
        tell(0.95, day.isoformat())
        (partly if forget_day(db, fixlog, day, tz) else gone).append(day.isoformat())
    last_track = today - timedelta(days=policy.retention_tracks_days)
    with db.unit_of_work() as session:
        session.execute(delete(DayTrack).where(DayTrack.service_date < last_track))
    return {"kept": kept, "forgotten": gone, "held": partly}


def keep_day(db: Database, fixlog: FixLog, service_date: date, now: datetime) -> int:
    """Bring the tracks of a day that is over up to date; how many were made or made again."""
    made = 0
    for vehicle_id in sorted(_filed_around(fixlog, service_date)):
        with db.reading() as session:
            window = windows(session, service_date, [vehicle_id])[vehicle_id]
            known = session.get(DayTrack, (vehicle_id, service_date))
            count = fixlog.count(vehicle_id, *window) if window[1] <= now else 0
            if count == 0 or (known is not None and (known.sealed or known.fixes == count)):
                continue
            day = worked_out(session, fixlog, vehicle_id, window)
            summary = summary_of(day, names(session))
            gap_s = org.policy(session).gap_s
        track = track_of(day.good, day.x, day.y, tolerance_m=COMPACT_M, gap_s=gap_s)
        row = DayTrack(
            vehicle_id=vehicle_id,
            service_date=service_date,
            made_t=now,
            fixes=day.fixes,
            sealed=False,
            track=pack(track),
            summary=msgspec.to_builtins(summary),
        )
        with db.unit_of_work() as session:
            session.merge(row)
        made += 1
    return made


def forget_day(db: Database, fixlog: FixLog, day: date, tz: ZoneInfo) -> int:
    """Seal what was kept of a stored day, then delete its fixes; how many are held and stay."""
    around = [day + timedelta(days=n) for n in (-1, 0, 1)]
    with db.unit_of_work() as session:
        _check_kept(session, fixlog, day, around, tz)
        session.execute(
            update(DayTrack).where(DayTrack.service_date.in_(around)).values(sealed=True)
        )
        spans = spans_of(session)
    return fixlog.forget(day.isoformat(), spans)


def spans_of(session: Session) -> list[Span]:
    """What is held, as the log is asked to keep it."""
    return [(hold.vehicle_id, hold.since, hold.until) for hold in held(session)]


def _filed_around(fixlog: FixLog, service_date: date) -> set[str]:
    days: Iterable[date] = (service_date + timedelta(days=n) for n in (-1, 0, 1))
    return {vehicle for day in days for vehicle in fixlog.vehicles_on(day.isoformat())}


def _check_kept(
    session: Session, fixlog: FixLog, day: date, around: list[date], tz: ZoneInfo
) -> None:
    """Raises `RuntimeError`: a vehicle has more fixes on the day than its tracks were made from."""
    kept: Counter[str] = Counter()
    rows = session.execute(
        select(DayTrack.vehicle_id, DayTrack.fixes).where(DayTrack.service_date.in_(around))
    )
    for vehicle_id, fixes in rows:
        kept[vehicle_id] += fixes
    since, until = local_midnight(day, tz), local_midnight(day + timedelta(days=1), tz)
    for vehicle_id in fixlog.vehicles_on(day.isoformat()):
        if fixlog.count(vehicle_id, since, until) > kept[vehicle_id]:
            raise RuntimeError(
                f"Expected tracks of all fixes of {vehicle_id} on {day} before they go."
            )


timer = Timer("tracking.keep_days", every(900), order_when_due)
job_kinds = [JobKind(KIND, run)]
