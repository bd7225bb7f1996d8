"""What the simulation says when something that must hold does not."""


class Broken(AssertionError):
    """`rule` is the invariant: I1 to I8, or a word."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule
