"""One function call in a spawned process: its result, its exception, or the signal it died of."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from fleet.kit.errors import Problem

LOOK_EVERY_S = 0.1


class Stopped(Exception):  # noqa: N818 - asked for, not a fault
    """The call was given up because `should_stop` said so."""


class SpawnFailed(Exception):  # noqa: N818 - read as a sentence in a job's error
    """The spawned function raised, or its process died."""


def call_spawned[**P, R](
    should_stop: Callable[[], bool], fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run `fn` in a process of its own and wait for it.

    The function, its arguments and its result are pickled, so they are values, not sessions.

    Raises:
        Stopped: `should_stop` turned true; the process is killed.
        Problem: the function raised one.
        SpawnFailed: it raised something else, or its process died.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_child, args=(theirs, fn, args, kwargs), name=fn.__name__, daemon=True
    )
    process.start()
    theirs.close()
    try:
        while not wait([ours, process.sentinel], timeout=LOOK_EVERY_S):
            if should_stop():
                raise Stopped
        outcome, value = _answer(ours)
        if outcome == "died":
            process.join()
            raise SpawnFailed(_cause_of_death(process.exitcode))
        if outcome == "problem":
            raise value
        if outcome == "raised":
            raise SpawnFailed(value)
        result: R = value
        return result
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _answer(pipe: Connection) -> tuple[str, Any]:
    try:
        answer: tuple[str, Any] = pipe.recv() if pipe.poll() else ("died", None)
    except EOFError:
        return "died", None
    return answer


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = "; perhaps the machine ran out of memory" if name == "SIGKILL" else ""
        return f"The computing process was killed by {name}{hint}."
    return f"The computing process ended with code {exit_code} and no result."


def _child(
    pipe: Connection, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the group; our parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        pipe.send(("done", fn(*args, **kwargs)))  # pickled whole before the first byte is sent
    except Problem as problem:
        pipe.send(("problem", problem))
    except Exception as error:  # whatever it is, it goes to the parent in words
        traceback.print_exc()
        pipe.send(("raised", "".join(traceback.format_exception_only(error)).strip()))
    pipe.close()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
