from tests.scenarios.conftest import hand_out, handset

__all__ = ["hand_out", "handset"]
