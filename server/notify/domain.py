"""Words of notification. A push is a hint: it names what to look at and carries nothing personal; the phone pulls."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up after the last try; the phone still learns everything at its next pull


class Hint(StrEnum):
    SYNC = "sync"  # something changed: pull
    JOB = "job"  # there is new work: pull and tell the engineer
    ARRIVAL = "arrival"  # the engineer is there: open the job with the customer's history


@dataclass(frozen=True)
class Message:
    id: UUID
    person_id: UUID
    hint: Hint
    subject_id: UUID
    attempts: int
    created_at: datetime

    @property
    def payload(self) -> dict[str, str]:
        """What a push service is given to carry, word for word."""
        return payload_of(self.hint, self.subject_id)


def payload_of(hint: Hint, subject_id: UUID) -> dict[str, str]:
    return {"h": hint, "id": str(subject_id)}


class Delivery(StrEnum):
    """How an attempt on one channel ended."""

    DELIVERED = "delivered"
    NOBODY_THERE = "nobody_there"  # no such endpoint now; another channel or moment may do
