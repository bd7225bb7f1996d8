"""`pytest tests/vectors --all-vectors` plays every vector instead of a sample."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-vectors", action="store_true", help="play every vector, not a sample")
