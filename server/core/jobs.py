"""The job queue: procrastinate on the same Postgres. Tasks are idempotent and take keyword arguments with defaults."""

import procrastinate
from procrastinate.retry import BaseRetryStrategy

RETRY: BaseRetryStrategy = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=3)


def job_app(url: str, *, prepare: bool = True) -> procrastinate.App:
    """Build the queue's app on a direct connection (a worker listens, which PgBouncer can't carry)."""
    how = {"prepare_threshold": 5 if prepare else None, "target_session_attrs": "read-write"}
    connector = procrastinate.PsycopgConnector(conninfo=url, kwargs=how, min_size=1, max_size=4)
    return procrastinate.App(connector=connector)
