"""Words of notification. A push is a hint: it names what to look at and carries nothing personal; the phone pulls."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

# A stream that is open takes a hint well before; only then push services are asked.
STREAM_FIRST = timedelta(seconds=1)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
TRIES = 10
# What a service refuses as wrong it will hardly take another time, but a proxy's mistake may look the same.
TRIES_WHEN_REFUSED = 3


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up after the last try; the phone still learns everything at its next pull
    EXPIRED = "expired"  # nobody was there while it was worth telling
    QUARANTINED = "quarantined"  # refused as wrong, or no worker survived sending it: somebody should look


class Hint(StrEnum):
    SYNC = "sync"  # something changed: pull
    JOB = "job"  # there is new work: pull and tell the engineer
    ARRIVAL = "arrival"  # the engineer is there: open the job with the customer's history

    @property
    def urgent(self) -> bool:
        """Whether a phone in a pocket should be woken for it."""
        return self is not Hint.SYNC

    @property
    def lasts(self) -> timedelta:
        """For how long it is worth telling."""
        return timedelta(hours=1) if self is Hint.ARRIVAL else timedelta(hours=24)


@dataclass(frozen=True)
class Message:
    """reached: the endpoints that have taken it already, while others have not."""

    id: UUID
    person_id: UUID
    hint: Hint
    subject_id: UUID
    collapse_key: str
    attempts: int
    created_at: datetime
    expires_at: datetime
    reached: tuple[UUID, ...]

    @property
    def payload(self) -> dict[str, str]:
        """What a push service is given to carry, word for word."""
        return payload_of(self.hint, self.subject_id)

    @property
    def topic(self) -> str:
        """Messages of one topic replace one another at a push service, which can't read from it what they are about."""
        digest = hashlib.sha256(f"{self.person_id}/{self.collapse_key}".encode()).digest()
        return urlsafe_b64encode(digest[:24]).decode()

    def lifetime(self, now: datetime) -> timedelta:
        """For how long a push service should keep it."""
        return max(self.expires_at - now, timedelta(seconds=1))


def payload_of(hint: Hint, subject_id: UUID) -> dict[str, str]:
    return {"h": hint, "id": str(subject_id)}


class PushKind(StrEnum):
    """Ways to a phone whose app is not open."""

    FCM = "fcm"
    WEBPUSH = "webpush"


@dataclass(frozen=True)
class PushEndpoint:
    """Where an enrolled device is reached. `p256dh` and `auth` are a Web Push subscription's keys."""

    id: UUID
    device_id: UUID
    person_id: UUID
    kind: PushKind
    address: str
    p256dh: str | None
    auth: str | None


class Delivery(StrEnum):
    """How an attempt on one channel ended."""

    DELIVERED = "delivered"
    NOBODY_THERE = "nobody_there"  # no such endpoint now; another channel or moment may do
    GONE = "gone"  # the endpoint will never work again
    HELD_BACK = "held_back"  # not tried: its service was asked often enough for now
    BUSY = "busy"  # the service asks for patience
    UNREACHABLE = "unreachable"  # no answer, or one that says nothing about the message
    DENIED = "denied"  # the service does not know us: ours to repair
    REFUSED = "refused"  # the message itself is wrong


@dataclass(frozen=True)
class Outcome:
    """reason: for people who look after the server; names nobody. retry_after_s: for how long the service asks."""

    delivery: Delivery
    reason: str = ""
    retry_after_s: float = 0.0


DELIVERED = Outcome(Delivery.DELIVERED)
NOBODY_THERE = Outcome(Delivery.NOBODY_THERE)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a message after a round of attempts."""

    state: MessageState
    attempts: int
    next_try_at: datetime
    reached: tuple[UUID, ...]
    channel: str | None = None
    reason: str | None = None


def judge(message: Message, ends: Sequence[tuple[PushEndpoint, Outcome]], now: datetime, chance: float) -> Verdict:
    """Decide what becomes of a message that was tried at these endpoints.

    It is sent when every endpoint has taken it or is gone, one of them taking it; with none left it waits for a stream.
    message: as claimed, this round counted in its attempts. chance: in [0, 1), spreads what failed together.
    """
    took = [endpoint for endpoint, outcome in ends if outcome.delivery is Delivery.DELIVERED]
    left = [outcome for _, outcome in ends if outcome.delivery not in {Delivery.DELIVERED, Delivery.GONE}]
    reached = (*message.reached, *(endpoint.id for endpoint in took))
    tried = any(outcome.delivery is not Delivery.HELD_BACK for _, outcome in ends)
    attempts = message.attempts if tried else message.attempts - 1
    channel = str(took[-1].kind) if took else None
    reason = next((outcome.reason for outcome in left), None)
    if not left:
        state = MessageState.SENT if reached else MessageState.WAITING
        return Verdict(state, attempts, message.expires_at, reached, channel)
    if over := _over(attempts, left):
        return Verdict(MessageState.SENT if reached else over, attempts, message.expires_at, reached, channel, reason)
    asked = timedelta(seconds=max(outcome.retry_after_s for outcome in left))
    wait = max(asked, backoff(attempts, chance)) if tried else asked * (1 + chance / 5)
    return Verdict(
        MessageState.WAITING, attempts, min(now + wait, message.expires_at), reached, reason=reason, channel=channel
    )


def _over(attempts: int, left: Sequence[Outcome]) -> MessageState | None:
    """Whether this was the last try, and how it ended."""
    if attempts >= TRIES_WHEN_REFUSED and all(outcome.delivery is Delivery.REFUSED for outcome in left):
        return MessageState.QUARANTINED
    # Who was held back has not had the last try.
    if attempts >= TRIES and all(outcome.delivery is not Delivery.HELD_BACK for outcome in left):
        return MessageState.FAILED
    return None


def backoff(attempts: int, chance: float) -> timedelta:
    """How long to wait after this many attempts: doubling, and between half and all of it."""
    longest: timedelta = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 20), LONGEST_WAIT)
    return longest * (0.5 + chance / 2)
