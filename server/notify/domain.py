from enum import StrEnum


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up after the last try; the phone still learns everything at its next pull
