"""Where files lie is said in settings, and a wrong one ends the start with a sentence."""

import pytest
from pydantic import ValidationError

from callout.files import blob_store, file_rules
from callout.settings import Settings
from server.media.s3 import S3Store
from server.media.store import DiskStore


def test_files_lie_in_the_state_folder_unless_a_bucket_is_named(tmp_path):
    assert isinstance(blob_store(Settings(state_dir=tmp_path)), DiskStore)
    assert isinstance(blob_store(Settings(blob_store="s3://photos/of/acme", s3_region="eu-west-3")), S3Store)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"blob_store": "ftp://photos"}, "reads s3://bucket"),
        ({"blob_store": "s3://"}, "reads s3://bucket"),
        ({"s3_endpoint": "http://files.example:9000"}, "needs https"),
        ({"s3_endpoint": "http://127.0.0.1.evil.example"}, "needs https"),
        ({"s3_key_id": "only-half"}, "belong together"),
    ],
)
def test_a_store_that_can_t_be_right_is_refused(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Settings(**wrong)


def test_http_is_for_loopback_alone():
    assert Settings(s3_endpoint="http://127.0.0.1:9000").s3_endpoint
    assert Settings(s3_endpoint="https://files.example").s3_endpoint


def test_limits_come_from_the_settings():
    rules = file_rules(Settings(device_bytes_a_day=7, organisation_bytes=9))
    assert (rules.device_bytes_a_day, rules.organisation_bytes) == (7, 9)
    assert rules.references
