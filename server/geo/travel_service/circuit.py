"""Whether a service that failed is worth asking again."""

from collections.abc import Callable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds
_TRIAL = 5.0  # seconds that one caller has to find out; after it another tries


class Circuit:
    """After a failure nobody asks for a while; then one caller tries, and the others wait for what it finds.

    Nobody is ever kept waiting by this: who may not ask does without.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pause = 0.0
        self._closed_until: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the last one who asked was answered."""
        return self._closed_until is None

    def may_ask(self) -> bool:
        if self._closed_until is None:
            return True
        if self._clock() < self._closed_until:
            return False
        self._closed_until = self._clock() + _TRIAL
        return True

    def succeeded(self) -> None:
        self._pause, self._closed_until = 0.0, None

    def failed(self) -> None:
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        self._closed_until = self._clock() + self._pause
