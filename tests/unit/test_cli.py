"""Commands name things sensibly and end in sentences."""

import subprocess
import sys
from pathlib import Path

import pytest

from callout.cli import region_name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("monaco.osm.pbf", "monaco"),
        ("Andorra_20260404.osm.pbf", "andorra-20260404"),
        ("深圳.osm.pbf", "region"),
        ("x" * 60 + ".osm.pbf", "x" * 40),
    ],
)
def test_a_region_is_named_after_its_file(file, name):
    assert region_name(Path("somewhere") / file) == name


def test_a_problem_ends_a_command_in_a_sentence(tmp_path):
    missing = tmp_path / "nowhere.osm.pbf"
    ended = subprocess.run(
        [Path(sys.executable).with_name("callout"), "region", "add", missing],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "CALLOUT_STATE_DIR": str(tmp_path)},
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("callout: ")
    assert "Traceback" not in ended.stderr
