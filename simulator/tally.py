"""What happened so far: counted for the progress line and for the verdict."""

from dataclasses import dataclass, field
from typing import Any

_MOST_PROBLEMS = 200


@dataclass
class Tally:
    orders: int = 0
    assigned: int = 0
    overridden: int = 0
    closed: int = 0
    disturbed: set[str] = field(default_factory=set)  # orders the office reassigned or cancelled meanwhile
    plans: list[dict[str, Any]] = field(default_factory=list)  # as they ended
    problems: list[str] = field(default_factory=list)

    def problem(self, sentence: str) -> None:
        """Something that should not have happened; the day goes on, the verdict won't be good."""
        if len(self.problems) < _MOST_PROBLEMS and sentence not in self.problems:
            self.problems.append(sentence)
