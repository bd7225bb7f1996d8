"""The reference device: what a phone keeps, records and exchanges, kept in one SQLite file that survives a kill.

It speaks `/mobile/v1` and nothing else, and knows no simulation: time, randomness and the line come from outside.
"""

from simulator.device.clock import Clock, RealClock
from simulator.device.device import Device
from simulator.device.errors import (
    DeviceRevoked,
    EnrolmentRefused,
    Locked,
    NoConnection,
    OutboxRefused,
    ProtocolBroken,
    SignedOut,
    UpgradeRequired,
)
from simulator.device.handset import Handset
from simulator.device.line import Line
from simulator.device.outbox import Attachment, Draft, Recorded

__all__ = [
    "Attachment",
    "Clock",
    "Device",
    "DeviceRevoked",
    "Draft",
    "EnrolmentRefused",
    "Handset",
    "Line",
    "Locked",
    "NoConnection",
    "OutboxRefused",
    "ProtocolBroken",
    "RealClock",
    "Recorded",
    "SignedOut",
    "UpgradeRequired",
]
