"""What can keep a device from syncing. None of them ever costs what was recorded: it stays in the outbox."""


class DeviceError(Exception):
    """Base of the device's named errors; the message is a sentence."""


class NoConnection(DeviceError):  # noqa: N818 - errors are nouns here
    """The server could not be reached, or did not answer. What it did with the request is unknown."""


class SignedOut(DeviceError):  # noqa: N818
    """The refresh token is no longer good: the device must be enrolled again."""


class DeviceRevoked(DeviceError):  # noqa: N818
    """The server refuses this device or its person. `wipe`: it asks for everything here to be deleted."""

    def __init__(self, sentence: str, *, wipe: bool = False) -> None:
        super().__init__(sentence)
        self.wipe = wipe


class UpgradeRequired(DeviceError):  # noqa: N818
    """This app is too old for the server. What it had to send was handed in all the same."""


class Locked(DeviceError):  # noqa: N818
    """Nobody has proved to be its person for longer than the lease: nothing is shown until somebody does."""


class EnrolmentRefused(DeviceError):  # noqa: N818
    """The code is wrong, used or too old."""


class OutboxRefused(DeviceError):  # noqa: N818
    """The server can't read what was sent: a defect of this client. The stream stops, the data stays."""


class ProtocolBroken(DeviceError):  # noqa: N818
    """An answer makes no sense, for example a pull that ends without a tail."""
