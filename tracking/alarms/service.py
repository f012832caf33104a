"""The life of an alarm: raised → acknowledged → cleared, and raised again. Flushes, never commits.

Rules of every room call `raise_alarm` and `clear`; people `acknowledge` and `dismiss`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict
from fleet.kit.i18n import LANGS, t
from fleet.kit.ids import new_id
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.policy import Policy
from fleet.org.queries import policy
from fleet.people.scope import Scope
from tracking.alarms import queries
from tracking.alarms.about import About
from tracking.alarms.grouping import open_members, place, refresh, tell
from tracking.alarms.models import OPEN, Alarm, AlarmState
from tracking.alarms.rules import GROUP, SEVERITIES, Rule, Rules, rules_of

type Words = Mapping[str, str]

_LOCK = 7_239_422


def said(key: str, /, **values: object) -> dict[str, str]:
    """A text of a catalogue in every language."""
    return {lang: t(lang, key, **values)[:500] for lang in LANGS}


def city_rules(session: Session) -> tuple[Policy, Rules]:
    """The city's policy and rules, read once a session."""
    known: tuple[Policy, Rules] | None = session.info.get("alarm_rules")
    if known is None:
        made = policy(session)
        known = session.info["alarm_rules"] = (made, rules_of(made))
    return known


def raise_alarm(
    session: Session,
    *,
    key: str,
    kind: str,
    at: datetime,
    about: About,
    words: Words,
    n: int = 1,
    severity: str | None = None,
    actionable: bool | None = None,
) -> Alarm | None:
    """An occasion holds: its alarm is raised, or brought up to date. None: the rule is off.

    The same key is the same alarm while it is open, and again within the rule's quiet time after
    it was cleared; later it is a new occurrence. One that a person cleared while the occasion
    held stays cleared until the occasion has ended.

    Args:
        key: names the occasion, such as `idling:MP09-1`.
        words: what it says, by language; see `said`.
        n: how many it stands for.
        severity: other than the rule's.
        actionable: False: only logged, whatever the rule says. A logged alarm that becomes
            actionable is told of, in the zone and shift that it has then.
    """
    rules = city_rules(session)[1]
    rule = rules[kind]
    if not rule.enabled:
        return None
    _alone(session)
    last = latest(session, key)
    severity = severity or rule.severity
    actionable = rule.actionable and actionable is not False
    if last is None:
        return _begin(session, rule, key, 1, at, about, words, n, severity, actionable)
    if at <= last.seen_t and (rule.momentary or not last.is_open):
        return last  # told before: fixes are read again after a restart, and some come twice
    if not last.is_open:
        if last.holding and not rule.momentary:
            last.seen_t = at  # a person has dealt with it
            return last
        ended = max(last.cleared_t or last.seen_t, last.seen_t)
        if at - ended >= timedelta(seconds=rule.quiet_s):
            number = last.occurrence + 1
            return _begin(session, rule, key, number, at, about, words, n, severity, actionable)
        if rule.momentary and last.cleared_by is not None:
            last.seen_t = max(last.seen_t, at)  # the same call for help as was answered
            return last
        last.mark_raised(at)
        last.times += 1
        news = True
    else:
        news = (last.words, last.n, last.severity) != (dict(words), n, severity)
        if _graver(severity, last.severity) and last.state == AlarmState.ACKNOWLEDGED:
            last.mark_raised(at)
    last.holding = not rule.momentary
    last.seen_t = max(last.seen_t, at)
    if actionable and not last.actionable:
        last.actionable = True
        _describe(last, about, words, n, severity)
        _place(session, last, about, at)
    elif news:
        _describe(last, about, words, n, severity)
        _announce(session, last, at)
    return last


def clear(session: Session, key: str, at: datetime) -> Alarm | None:
    """The occasion has ended. What only a person may clear stays open; None: never raised.

    An end from before it was raised is old news.
    """
    _alone(session)
    alarm = latest(session, key)
    if alarm is None or at < alarm.raised_t:
        return alarm
    alarm.holding = False
    alarm.seen_t = max(alarm.seen_t, at)
    if alarm.is_open and not city_rules(session)[1][alarm.kind].momentary:
        alarm.mark_cleared(at)
        _announce(session, alarm, at)
    return alarm


def acknowledge(session: Session, alarm_id: str, scope: Scope, at: datetime) -> Alarm:
    """A person has seen it, with all that it stands for. The first who did stays named.

    Raises:
        NotFound: no such alarm in the caller's zones.
        Conflict: it was cleared.
    """
    _alone(session)
    alarm = queries.alarm(session, scope, alarm_id)
    if not alarm.is_open:
        raise Conflict(
            t(scope.lang, "alarms.cleared_already", at=iso(alarm.cleared_t or at)),
            remedy=t(scope.lang, "alarms.cleared_already_remedy"),
        )
    for one in [alarm, *(open_members(session, alarm) if alarm.kind == GROUP else ())]:
        if one.state == AlarmState.RAISED:
            one.mark_acknowledged(scope.name, scope.user_id, at)
            if one is alarm:
                tell(session, one)
    return alarm


def dismiss(session: Session, alarm_id: str, scope: Scope, at: datetime) -> Alarm:
    """A person has dealt with it, and with all that it stands for; again changes nothing.

    Raises:
        NotFound: no such alarm in the caller's zones.
    """
    _alone(session)
    alarm = queries.alarm(session, scope, alarm_id)
    if not alarm.is_open:
        return alarm
    if alarm.kind == GROUP:
        for member in open_members(session, alarm):
            member.mark_cleared(at, name=scope.name, user_id=scope.user_id)
        alarm.n = 0
    alarm.mark_cleared(at, name=scope.name, user_id=scope.user_id)
    _announce(session, alarm, at)
    return alarm


def expire(session: Session, now: datetime) -> int:
    """Clears alarms about which their rule has said nothing for its `expire_s`; how many."""
    _alone(session)
    count = 0
    for rule in city_rules(session)[1].values():
        if rule.expire_s <= 0:
            continue
        rows = session.scalars(
            select(Alarm).where(
                Alarm.kind == rule.kind,
                Alarm.state.in_(OPEN),
                Alarm.seen_t < now - timedelta(seconds=rule.expire_s),
            )
        )
        for alarm in rows.all():
            alarm.holding = False
            alarm.mark_cleared(now)
            _announce(session, alarm, now)
            count += 1
    return count


def expire_old(kit: Kit, now: datetime) -> None:
    """The timer's run."""
    with kit.db.unit_of_work() as session:
        expire(session, now)


def latest(session: Session, key: str) -> Alarm | None:
    """The newest occurrence of an occasion."""
    return session.scalar(
        select(Alarm).where(Alarm.key == key).order_by(Alarm.occurrence.desc()).limit(1)
    )


def holding(session: Session, kind: str) -> dict[str, Alarm]:
    """Occasions of a kind that still hold as their rule last saw them, by key."""
    rows = session.scalars(select(Alarm).where(Alarm.kind == kind, Alarm.holding))
    return {row.key: row for row in rows}


def _begin(
    session: Session,
    rule: Rule,
    key: str,
    occurrence: int,
    at: datetime,
    about: About,
    words: Words,
    n: int,
    severity: str,
    actionable: bool,
) -> Alarm:
    alarm = Alarm(
        id=new_id("alm"),
        key=key,
        occurrence=occurrence,
        kind=rule.kind,
        cause=rule.cause,
        actionable=actionable,
        seen_by=rule.seen_by,
        state=AlarmState.RAISED,
        holding=not rule.momentary,
        times=1,
        t=at,
        raised_t=at,
        seen_t=at,
    )
    _describe(alarm, about, words, n, severity)
    session.add(alarm)
    _place(session, alarm, about, at)
    return alarm


def _place(session: Session, alarm: Alarm, about: About, at: datetime) -> None:
    """Zone and shift stay those of its beginning, whatever shift it lasts into: it was counted."""
    alarm.service_date, alarm.shift = about.service_date, about.shift
    alarm.zone_id, alarm.beat = about.zone_id, about.beat
    policy_, rules = city_rules(session)
    place(session, alarm, rules, policy_.alarm_items, at)


def _describe(alarm: Alarm, about: About, words: Words, n: int, severity: str) -> None:
    alarm.severity = severity
    alarm.n = n
    alarm.words = dict(words)
    alarm.text = alarm.words["en"]
    alarm.ward_ids = list(about.ward_ids)
    alarm.vehicle_id, alarm.device_id = about.vehicle_id, about.device_id
    alarm.route_id, alarm.visit_id = about.route_id, about.visit_id
    alarm.lane_id, alarm.place_id = about.lane_id, about.place_id
    alarm.lon, alarm.lat = about.lon, about.lat


def _announce(session: Session, alarm: Alarm, at: datetime) -> None:
    if alarm.group_id is None:
        tell(session, alarm)
        return
    if alarm.severity == "critical":  # it became graver than what a group may speak for
        group_id, alarm.group_id = alarm.group_id, None
        tell(session, alarm)
    else:
        group_id = alarm.group_id
    group = session.get(Alarm, group_id)
    if group is not None:
        refresh(session, group, at)


def _graver(a: str, b: str) -> bool:
    return SEVERITIES.index(a) > SEVERITIES.index(b)


def _alone(session: Session) -> None:
    """One change of alarms at a time: what counts items, and makes groups, must see all others.

    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name != "postgresql" or "alarms_alone" in session.info:
        return
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    session.info["alarms_alone"] = True
