from enum import StrEnum


class BlobState(StrEnum):
    PENDING = "pending"  # announced, bytes missing or incomplete
    READY = "ready"  # complete and its hash verified
