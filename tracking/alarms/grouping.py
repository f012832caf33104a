"""Few items for a dispatcher: where many alarms share a cause, one item speaks for them.

An item is an alarm that no group speaks for, or a group. In each zone and shift:

* a critical alarm is always an item of its own, and is not counted;
* the third alarm of one cause on one beat makes a group of that beat and cause, and the third
  about a transfer station a group for the whole zone: a station is everybody's;
* where a further item would leave no room for a group of every cause, the cause with the most
  items becomes one group for the whole zone.

So a zone and shift never has more items than `most`, beside critical ones, whatever happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.i18n import LANGS, t
from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from tracking.alarms.models import OPEN, Alarm, AlarmState
from tracking.alarms.rules import GROUP, SEVERITIES, Rules, actionable_causes
from tracking.alarms.views import alarm_view

TOPIC = "tracking.alarm"
TOGETHER = 3
"""So many alarms of one cause are one matter."""
SHARED = frozenset({"station"})
"""Causes that are the same for every beat."""


def tell(session: Session, alarm: Alarm) -> None:
    """Announces an alarm, if it is anybody's business; flushes first, for its version."""
    session.flush()
    if alarm.actionable:
        emit(session, TOPIC, alarm.id, alarm_view(alarm))


def place(session: Session, alarm: Alarm, rules: Rules, most: int, at: datetime) -> None:
    """Finds a new alarm its place: an item of its own, or in a group. Announces what changed."""
    session.flush()
    if not alarm.actionable or alarm.severity == "critical":
        tell(session, alarm)
        return
    items = [item for item in _items(session, alarm) if item.id != alarm.id]
    same = [item for item in items if item.cause == alarm.cause]
    groups = {item.beat: item for item in same if item.kind == GROUP}
    on_beat = [i for i in same if i.kind != GROUP and alarm.beat and i.beat == alarm.beat]
    if None in groups or alarm.beat in groups:
        _join(session, groups.get(None) or groups[alarm.beat], [alarm], at, new=alarm)
    elif alarm.cause in SHARED and len(same) + 1 >= TOGETHER:
        _widen(session, same, alarm, at)
    elif len(on_beat) + 1 >= TOGETHER:
        _join(session, _new_group(session, alarm, alarm.beat, at), [*on_beat, alarm], at, alarm)
    elif most - len(items) - _reserve(items, rules) >= 1:
        tell(session, alarm)
    else:
        fullest = _fullest(items)
        if len(fullest) < 2 or fullest[0].cause == alarm.cause:
            _widen(session, same, alarm, at)
        else:
            _widen(session, fullest, None, at)
            place(session, alarm, rules, most, at)


def _fullest(items: Sequence[Alarm]) -> list[Alarm]:
    """The items of the cause that has the most, among causes without a group for the zone."""
    by_cause: dict[str, list[Alarm]] = {}
    for item in items:
        by_cause.setdefault(item.cause, []).append(item)
    narrow = [
        found
        for found in by_cause.values()
        if not any(item.kind == GROUP and item.beat is None for item in found)
    ]
    return max(narrow, key=len, default=[])


def _widen(session: Session, items: Sequence[Alarm], alarm: Alarm | None, at: datetime) -> None:
    """One group for the zone in the place of a cause's items, and for a further alarm of it."""
    group = _new_group(session, alarm or items[0], None, at)
    moved = [item for item in items if item.kind != GROUP]
    for former in items:
        if former.kind == GROUP:
            moved += _members(session, former)
    _join(session, group, moved if alarm is None else [*moved, alarm], at, new=alarm)
    for former in items:
        if former.kind == GROUP:
            former.group_id = group.id  # nobody is left in it
            refresh(session, former, at)


def _reserve(items: Sequence[Alarm], rules: Rules) -> int:
    """Items that must stay free: a group for each cause that has none for the whole zone."""
    settled = {item.cause for item in items if item.kind == GROUP and item.beat is None}
    return len(actionable_causes(rules) - settled)


def _items(session: Session, alarm: Alarm) -> list[Alarm]:
    """All items of the alarm's zone and shift, handled ones too: they took attention."""
    rows = session.scalars(
        select(Alarm)
        .where(
            Alarm.service_date == alarm.service_date,
            Alarm.shift == alarm.shift,
            Alarm.zone_id.is_not_distinct_from(alarm.zone_id),
            Alarm.group_id.is_(None),
            Alarm.actionable,
            Alarm.severity != "critical",
            Alarm.seen_by == alarm.seen_by,
        )
        .order_by(Alarm.t, Alarm.id)
    )
    return list(rows)


def _new_group(session: Session, first: Alarm, beat: str | None, at: datetime) -> Alarm:
    key = ":".join(
        (
            GROUP,
            first.service_date.isoformat(),
            first.shift,
            first.zone_id or "",
            first.cause,
            beat or "",
            first.seen_by,
        )
    )
    group = Alarm(
        id=new_id("alm"),
        key=key,
        occurrence=1,
        kind=GROUP,
        cause=first.cause,
        severity=first.severity,
        actionable=True,
        seen_by=first.seen_by,
        state=AlarmState.RAISED,
        holding=True,
        service_date=first.service_date,
        shift=first.shift,
        zone_id=first.zone_id,
        ward_ids=first.ward_ids,
        beat=beat,
        n=0,
        times=1,
        t=at,
        raised_t=at,
        seen_t=at,
        text="",
        words={},
    )
    session.add(group)
    session.flush()
    return group


def _join(
    session: Session, group: Alarm, alarms: Sequence[Alarm], at: datetime, new: Alarm | None = None
) -> None:
    for alarm in alarms:
        was_shown = alarm.group_id is None and alarm is not new
        alarm.group_id = group.id
        if was_shown:
            tell(session, alarm)  # with its group: whoever showed it takes it away
    refresh(session, group, at)


def _members(session: Session, group: Alarm) -> list[Alarm]:
    rows = session.scalars(
        select(Alarm).where(Alarm.group_id == group.id).order_by(Alarm.t, Alarm.id)
    )
    return [row for row in rows if row.kind != GROUP]


def open_members(session: Session, group: Alarm) -> list[Alarm]:
    """Alarms of a group that are not cleared, by time."""
    return [member for member in _members(session, group) if member.state in OPEN]


def refresh(session: Session, group: Alarm, at: datetime) -> None:
    """Brings a group up to date with its members, and announces it when that is news.

    An acknowledged group speaks up again when it has doubled.
    """
    session.flush()
    members = open_members(session, group)
    before = (group.n, group.state, group.words)
    group.n = len(members)
    group.seen_t = at
    if not members:
        group.holding = False
        if group.is_open:
            group.mark_cleared(at)
    else:
        group.holding = True
        group.severity = max((m.severity for m in members), key=SEVERITIES.index)
        group.ward_ids = sorted({ward for member in members for ward in member.ward_ids})
        vehicles = {member.vehicle_id for member in members}
        group.vehicle_id = next(iter(vehicles)) if len(vehicles) == 1 else None
        group.words = _words(group, members) if len(members) > 1 else dict(members[0].words)
        group.text = group.words["en"]
        if not group.is_open:
            group.mark_raised(at)
            group.times += 1
        elif group.acknowledged_n is not None and group.n >= 2 * max(group.acknowledged_n, 1):
            group.mark_raised(at)
    if before != (group.n, group.state, group.words):
        tell(session, group)


def _words(group: Alarm, members: Sequence[Alarm]) -> dict[str, str]:
    kinds = Counter(member.kind for member in members)
    vehicles = len({member.vehicle_id for member in members if member.vehicle_id})
    words: dict[str, str] = {}
    for lang in LANGS:
        parts = ", ".join(
            f"{t(lang, f'alarms.kind.{kind}')} {count}" for kind, count in kinds.most_common()
        )
        key = "alarms.group" if group.beat is None else "alarms.group_beat"
        cause = t(lang, f"alarms.cause.{group.cause}")
        words[lang] = t(
            lang, key, n=len(members), vehicles=vehicles, cause=cause, beat=group.beat, parts=parts
        )[:500]
    return words
