"""What people type about regions, and what they read."""

import shutil
from pathlib import Path

import pytest

from callout import cli
from server.geo.errors import RegionStillUsed
from server.geo.preparing import prepare_region
from tests.regions import write_ladder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("porto", "lisboa"):
        prepare_region(write_ladder(folder / f"{name}.osm.pbf", 50), folder / "regions", name, print)
    return folder / "regions"


@pytest.fixture
def state(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(prepared, tmp_path / "regions", symlinks=True)
    monkeypatch.setenv("CALLOUT_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("CALLOUT_REGION", raising=False)
    return tmp_path


def test_the_list_marks_what_is_in_use_and_tells_what_was_found(state, capsys):
    cli.list_regions()
    said = capsys.readouterr().out.splitlines()
    heads = [line for line in said if not line.startswith("    ")]
    assert [head.split(":")[0] for head in heads] == ["* lisboa", "  porto"]
    assert heads[0].endswith("MB, in use")
    assert sum("made of porto.osm.pbf; longitude 7.0000 to 7.0025" in line for line in said) == 1
    assert sum("tried by 90 drives" in line for line in said) == 2


def test_another_region_is_used_at_once_and_the_old_one_may_go(state, capsys):
    with pytest.raises(RegionStillUsed):
        cli.remove_region("lisboa")
    cli.use_region("porto")
    cli.remove_region("lisboa")
    cli.list_regions()
    said = capsys.readouterr().out
    assert "Region porto is in use" in said
    assert "* porto" in said
    assert not (state / "regions" / "lisboa").exists()


def test_a_setting_that_beats_the_choice_is_pointed_out(state, capsys, monkeypatch):
    monkeypatch.setenv("CALLOUT_REGION", "lisboa")
    cli.use_region("porto")
    assert "CALLOUT_REGION names lisboa" in capsys.readouterr().out
    with pytest.raises(RegionStillUsed):
        cli.remove_region("lisboa")


def test_adding_and_rebuilding_show_their_steps(state, capsys, tmp_path):
    cli.add_region(write_ladder(tmp_path / "Braga_2026.osm.pbf", 40))
    cli.rebuild_region("braga-2026")
    said = capsys.readouterr().out
    assert said.count("Roads: partitioning") == 2
    assert "Region braga-2026 is in use" in said


def test_where_nothing_is_prepared_the_list_says_what_to_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CALLOUT_STATE_DIR", str(tmp_path / "empty"))
    cli.list_regions()
    assert "callout region add" in capsys.readouterr().out
