"""Free text of an order that several people may write: its fields and where a revision comes from."""

from enum import StrEnum


class TextField(StrEnum):
    DESCRIPTION = "description"  # what the customer reported
    FINDINGS = "findings"  # what the engineer found and did


class Origin(StrEnum):
    """How a revision came to be."""

    FIRST = "first"  # as the order had it before anybody edited
    EDIT = "edit"  # as a person wrote it
    MERGE = "merge"  # put together from two of them
    ELSEWHERE = "elsewhere"  # written past the use cases: an import, a correction by hand
