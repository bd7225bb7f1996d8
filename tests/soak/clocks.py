"""Time inside the simulation: the server's, which only runs forward, and the phones', which people set."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


class ServerClock:
    """Stands still until it is moved, and never goes back."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


class PhoneClock:
    """A wall clock that is `ahead` of the server's (or behind), and a monotonic one nobody can set."""

    def __init__(self, server: ServerClock, ahead: timedelta) -> None:
        self._server = server
        self._ahead = ahead
        self._boots = 0
        self._booted = server.now()

    @property
    def boot(self) -> str:
        return f"boot-{self._boots}"

    def now(self) -> datetime:
        return self._server.now() + self._ahead

    def mono(self) -> float:
        return (self._server.now() - self._booted).total_seconds() * 1000

    def set_by(self, jump: timedelta) -> None:
        """Somebody, or the network, sets the clock."""
        self._ahead += jump

    def reboot(self) -> None:
        self._boots += 1
        self._booted = self._server.now()
