"""A time limit on evaluation: a computation that goes on for too long ends as `LimitExceeded`, wherever it is.

CQL has no loops without an end, but sources that multiply and lists compared pairwise can take longer than anybody
waits. Python code is interrupted between two instructions, by an exception that a timer sets in the evaluating thread;
so operators need not ask what time it is. What runs inside one instruction (a regular expression, the sorting of
numbers) is not interrupted: the other limits bound it.
"""

import ctypes
import threading
from collections.abc import Generator
from contextlib import contextmanager

from cql_like.runtime.errors import BudgetExceeded


class _TimeIsUp(BaseException):
    """Set by the timer. No Exception, so that nothing on the way takes it for an error that it can answer."""


class _Alarm:
    """A timer that interrupts one thread, unless it was told before that the work is done."""

    def __init__(self, seconds: float) -> None:
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._lock = threading.Lock()
        self._done = False
        self._rung = False
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._done:
                self._rung = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(_TimeIsUp))

    def stop(self) -> None:
        """The work is done: nothing may interrupt what comes after."""
        with self._lock:
            self._done = True
        self._timer.cancel()
        if self._rung:  # set, but perhaps not raised yet
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)


@contextmanager
def time_limit(seconds: float | None) -> Generator[None]:
    """Ends the block after that many seconds; None: never.

    Raises:
        BudgetExceeded: the time was up; a LimitExceeded.
    """
    if seconds is None:
        yield
        return
    try:
        alarm = _Alarm(seconds)
        try:
            yield
        finally:
            alarm.stop()
    except _TimeIsUp:
        raise BudgetExceeded(
            f"the evaluation took more than {seconds:g} seconds; ask for less, or raise the limit `seconds`"
        ) from None
