"""Wrong tokens at sign-in, counted per address: after a few the address has to wait. Kept in this process only.

A token has 256 bits, so nobody guesses one; this keeps a script from filling the log and the processor.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

MOST = 10
WITHIN = timedelta(minutes=1)
ADDRESSES = 10_000  # remembered; the longest unseen are forgotten first


class Throttle:
    """Says how long an address has to wait. Safe to share between threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._wrong: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Seconds until this address may try again; 0: now."""
        with self._lock:
            times = self._recent(address)
            if len(times) < MOST:
                return 0
            return max(1, int((times[-MOST] + WITHIN - self._now()).total_seconds()) + 1)

    def wrong(self, address: str) -> None:
        """Remember a wrong token from this address."""
        with self._lock:
            times = self._recent(address)
            times.append(self._now())
            self._wrong[address] = times
            self._wrong.move_to_end(address)
            while len(self._wrong) > ADDRESSES:
                self._wrong.popitem(last=False)

    def _recent(self, address: str) -> deque[datetime]:
        times = self._wrong.get(address) or deque(maxlen=MOST)
        since = self._now() - WITHIN
        while times and times[0] <= since:
            times.popleft()
        return times
