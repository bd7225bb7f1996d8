"""A server that speaks S3 over real HTTP, in this process."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from server.media.s3 import S3Place

KEY = "only-for-tests"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # heavy, and few tests want it

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_client(url: str):
    import boto3

    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=KEY
    )


@pytest.fixture
def s3_place(s3_url: str) -> S3Place:
    """A bucket of the test's own."""
    bucket = f"files-{uuid4().hex[:8]}"
    s3_client(s3_url).create_bucket(Bucket=bucket)
    return S3Place(bucket, "some/prefix", s3_url, "us-east-1", KEY, KEY)
