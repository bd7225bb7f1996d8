"""`callout audit …` as an administrator uses it."""

import json

import pytest

from callout import auditing
from server.audit.anchors import SCHEMA
from server.audit.sealing import seal_everything
from tests.factories.audit import as_superuser
from tests.factories.sync import enrolled_phone


@pytest.fixture
async def pushed(database, engineer):
    phone = await enrolled_phone(database, engineer)
    await phone.push(phone.note("a"), phone.note("b"))
    return phone


async def test_what_waits_is_told_and_is_no_fault(settings, pushed, capsys):
    assert await auditing.verify(settings, None, [], files=True)
    said = capsys.readouterr().out
    assert "acme: 0 entries, 0 files and 0 anchors checked; head " in said
    assert "acme: 3 rows wait to be sealed, the oldest for 0 s" in said


async def test_exported_heads_check_the_chain_later_from_wherever_they_were_kept(
    settings, database, test_database, pushed, tmp_path, capsys
):
    await seal_everything(database)
    kept = tmp_path / "elsewhere.json"
    await auditing.export(settings, "acme", kept, entries=True)
    document = json.loads(kept.read_text())
    assert document["schema"] == SCHEMA
    assert [head["statement"]["n"] for head in document["heads"]] == [len(document["heads"][0]["entries"])] == [3]
    assert await auditing.verify(settings, "acme", [kept], files=True)
    as_superuser(
        test_database.owner_url,
        "delete from mutation_log where seq = 2",
        "delete from audit_entry where n = 3",
    )
    assert not await auditing.verify(settings, "acme", [kept], files=True)
    assert "FIRST BAD RECORD: entry 3, entry: missing; elsewhere.json anchors entry 3" in capsys.readouterr().out


async def test_an_anchor_that_was_changed_fails_the_verification_by_its_name(settings, database, pushed, capsys):
    await seal_everything(database)
    settings.anchors_dir.mkdir(parents=True)
    file = settings.anchors_dir / "2026-11-22.json"
    await auditing.export(settings, None, file, entries=False)
    file.write_text(file.read_text().replace('"n": 3', '"n": 2'))
    assert not await auditing.verify(settings, None, [], files=True)
    assert f"{file} is not what was signed" in capsys.readouterr().out


async def test_an_export_never_writes_over_a_file(settings, pushed, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    with pytest.raises(FileExistsError):
        await auditing.export(settings, None, kept, entries=False)
    assert kept.read_text() == "mine"


async def test_a_key_that_is_rotated_leaves_old_heads_good(settings, pushed, tmp_path, capsys):
    await auditing.rotate(settings, "acme")
    assert "acme: there is no key yet" in capsys.readouterr().out
    await auditing.export(settings, "acme", tmp_path / "old.json", entries=False)
    await auditing.rotate(settings, "acme")
    assert "the key was put aside" in capsys.readouterr().out
    await auditing.export(settings, "acme", tmp_path / "new.json", entries=False)
    old, new = [json.loads((tmp_path / name).read_text())["heads"][0] for name in ("old.json", "new.json")]
    assert old["certificate"] != new["certificate"]
    assert await auditing.verify(settings, "acme", [tmp_path / "old.json", tmp_path / "new.json"], files=True)


async def test_an_organisation_that_is_none_is_said_so(settings, company):
    with pytest.raises(SystemExit, match="there is no organisation 'nobody'"):
        await auditing.verify(settings, "nobody", [], files=True)
