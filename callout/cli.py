"""`callout …`: the commands people and scripts rely on."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from callout import settings as configuration

app = App(name="callout", help="Field-service backend with offline sync.")
db = App(name="db", help="The database: prepare, migrate, check.")
region = App(name="region", help="Road and map data.")
app.command(db)
app.command(region)
audit = App(name="audit", help="The chain that seals what happened: check it, anchor it.")
app.command(audit)
sync = App(name="sync", help="What phones are told about this server.")
app.command(sync)

OPENAPI = Path(__file__).parent.parent / "docs" / "openapi"


@db.command
def migrate() -> None:
    """Create roles and database where missing and migrate to the newest version."""
    from callout import database

    database.prepare(configuration.load())


@db.command
def revise(why: str) -> None:
    """Write the next migration from the difference between the declared tables and the database."""
    from callout import database

    database.prepare(settings := configuration.load())
    print(database.draft_migration(database.owner_url(settings), why))


@sync.command
def bump_epoch() -> None:
    """Tell every phone that this server was restored: they send again what it may have lost, and pull anew.

    A restore that changed the cluster or its timeline is noticed without this.
    """
    import psycopg

    from callout import database

    with psycopg.connect(database.owner_url(configuration.load()), autocommit=True) as connection:
        row = connection.execute("select sync_bump_epoch()").fetchone()
    print(f"Epoch {row[0] if row else '?'}: phones start over at their next contact.")


@sync.command
def unseen() -> None:
    """Say which phones have not been in touch since the epoch began: what only they know is not here yet."""
    from callout import database, restored

    print(restored.call_the_roll(database.owner_url(configuration.load())))


@region.command(name="add")
def add_region(extract: Path, *, name: str | None = None) -> None:
    """Build roads, map and addresses from an OpenStreetMap extract (.osm.pbf) and use them."""
    from server.geo.preparing import prepare_region

    settings = configuration.load()
    prepared = prepare_region(extract, settings.regions_dir, name or region_name(extract), _telling())
    _tell_who_uses(prepared.name, settings)


def region_name(extract: Path) -> str:
    """Name a region after its file: `Andorra_2026.osm.pbf` becomes `andorra-2026`."""
    plain = re.sub(r"[^a-z0-9]+", "-", extract.name.split(".")[0].lower()).strip("-")
    return plain[:40].rstrip("-") or "region"


@region.command(name="list")
def list_regions() -> None:
    """Say which regions are prepared, which is in use, and what was found when they were tried."""
    from callout.regions import described
    from server.geo.listing import regions_here

    settings = configuration.load()
    found = regions_here(settings.regions_dir, settings.region or None)
    print("\n".join(map(described, found)) or "No region is prepared: callout region add FILE.osm.pbf")


@region.command(name="use")
def use_region(name: str) -> None:
    """Let API, worker and travel service change to another prepared region; they need no restart."""
    from server.geo.builds import use_region as use

    settings = configuration.load()
    _tell_who_uses(use(settings.regions_dir, name).name, settings)


@region.command(name="rebuild")
def rebuild_region(name: str) -> None:
    """Build a region anew of the extract it keeps, and change to that; what was learnt on its roads stays."""
    from server.geo.preparing import rebuild_region as rebuild

    rebuild(configuration.load().regions_dir, name, _telling())
    print(f"Region {name} is rebuilt; running processes that use it change to the new build by themselves.")


@region.command(name="remove")
def remove_region(name: str, *, anyway: bool = False) -> None:
    """Delete a region's files; with --anyway even if it is in use."""
    from server.geo.builds import remove_region as remove

    settings = configuration.load()
    remove(settings.regions_dir, name, configured=settings.region or None, anyway=anyway)
    print(f"Region {name} is removed.")


def _telling() -> Callable[[str], None]:
    begun = time.monotonic()
    return lambda step: print(f"{time.monotonic() - begun:7.1f} s  {step}", flush=True)


def _tell_who_uses(name: str, settings: configuration.Settings) -> None:
    print(f"Region {name} is in use; running processes change to it by themselves.")
    if settings.region and settings.region != name:
        print(f"But CALLOUT_REGION names {settings.region}: what is started with that goes on using it.")


@region.command(name="demo")
def demo_region() -> None:
    """Build the demo's region, Monaco."""
    from server.geo.demo_extract import demo_extract
    from server.geo.preparing import prepare_region

    settings = configuration.load()
    extract = demo_extract(settings.state_dir / "extracts", print)
    prepare_region(extract, settings.regions_dir, "monaco", _telling())


@audit.command(name="verify")
def verify_audit(*, org: str | None = None, anchor: list[Path] | None = None, files: bool = True) -> None:
    """Recompute the audit chains from rows and files, compare them with the anchors, and name the first bad record.

    org: slug of one organisation; else all. anchor: further files or folders of anchors, from where they were taken to.
    """
    from callout import auditing

    sound = asyncio.run(auditing.verify(configuration.load(), org, anchor or [], files=files))
    sys.exit(0 if sound else 1)


@audit.command(name="erase-order")
def erase_order(number: int, *, why: str, by: str | None = None, org: str | None = None) -> None:
    """Erase an order and all that hangs on it for good, on record; needs an administrator's DATABASE_URL.

    why: stays for ever, so no names: the number of the request, say. by: who decided; else the database role.
    org: slug of the organisation, where there are several.
    """
    from callout import auditing

    asyncio.run(auditing.erase(configuration.load(), number, org, why=why, by=by))


@audit.command(name="export")
def export_audit(file: Path, *, org: str | None = None, entries: bool = False) -> None:
    """Write the chains' heads, signed, to a new file to be kept elsewhere; with --entries the chains too."""
    from callout import auditing

    asyncio.run(auditing.export(configuration.load(), org, file, entries=entries))


@audit.command(name="rotate-seal")
def rotate_seal(org: str) -> None:
    """Put an organisation's seal key aside; what it sealed stays verifiable."""
    from callout import auditing

    asyncio.run(auditing.rotate(configuration.load(), org))


@app.command
def seed() -> None:
    """Found the demo organisation with its people, customers, stock and today's orders; safe to repeat."""
    from callout.seeding import seed as plant

    asyncio.run(plant(configuration.load()))


@app.command
def serve(*, reload: bool = False, workers: int = 1) -> None:
    """Serve the API and the pages, in as many processes as the machine has cores to spare."""
    import uvicorn

    settings = configuration.load()
    if settings.app_windows:
        from callout.asgi import announce_windows

        asyncio.run(announce_windows(settings))
    uvicorn.run(
        "callout.asgi:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        reload=reload,
        workers=workers,
        log_config=None,
        timeout_graceful_shutdown=5,
        server_header=False,
        # Proxies in front terminate TLS and say so; anything else must not.
        proxy_headers=False,
    )


@app.command
def worker() -> None:
    """Run background work: events, jobs, reports."""
    from callout.worker import work
    from server.core import logging

    settings = configuration.load()
    logging.configure(settings.log_level)
    asyncio.run(work(settings))


@app.command
def travel() -> None:
    """Hold the roads for API and worker in a process of its own, at CALLOUT_TRAVEL_SOCKET."""
    from callout.travelling import hold_roads
    from server.core import logging

    settings = configuration.load()
    logging.configure(settings.log_level)
    asyncio.run(hold_roads(settings))


@app.command
def simulate(
    *,
    engineers: int = 8,
    seed: int = 1,
    speed: float = 60.0,
    hours: float = 8.0,
    check: bool = False,
    forever: bool = False,
    url: Annotated[str | None, Parameter(help="the server; default: this machine's")] = None,
    email: str = "admin@riviera.example",
    password: str = "callout-demo-2026",  # noqa: S107 - the published demo login
    style: Literal["suggested", "nearest", "planned"] = "suggested",
) -> None:
    """Play engineers' days over HTTP against a running server; with --check, prove that nothing is lost or doubled.

    style: orders go to whom the system suggests, to the nearest who is free, or as the planned day has it.
    """
    from simulator.day import simulate as play

    base_url = url or f"http://127.0.0.1:{configuration.load().port}"
    verdict = asyncio.run(
        play(
            base_url=base_url,
            engineers=engineers,
            seed=seed,
            speed=speed,
            hours=hours,
            check=check,
            forever=forever,
            email=email,
            password=password,
            style=style,
        )
    )
    print(verdict.as_json())
    sys.exit(0 if verdict.passed else 1)


@app.command
def demo(*, speed: int = 30, engineers: int = 8, extract: Path | None = None) -> None:
    """Start the living system; used through ./do demo."""
    sys.exit(_play(speed=speed, engineers=engineers, extract=extract, develop=False))


@app.command
def dev(*, speed: int = 30, engineers: int = 8, extract: Path | None = None) -> None:
    """Start everything with reload; used through ./do dev."""
    sys.exit(_play(speed=speed, engineers=engineers, extract=extract, develop=True))


def _play(*, speed: int, engineers: int, extract: Path | None, develop: bool) -> int:
    from callout import demo as playing
    from callout.seeding import DEMO_PASSWORD, LOGINS

    settings = configuration.load()
    steps = playing.Play.steps
    if extract is not None:
        chosen = playing.Step(f"Preparing the map of {extract.name}", ("region", "add", str(extract)))
        steps = (playing.MIGRATE, chosen, playing.SEED)
    play = playing.Play(
        state=settings.state_dir.absolute(),
        host=settings.host,
        port=settings.port,
        engineers=engineers,
        speed=speed,
        steps=steps,
    )
    logins = [playing.Login(role, email, DEMO_PASSWORD) for role, email in LOGINS]
    return asyncio.run(playing.dev(play, logins) if develop else playing.demo(play, logins))


@app.command
def openapi(*, check: bool = False) -> None:
    """Write what clients rely on to docs/openapi, routes and mutations, or fail when the committed files differ."""
    from callout.asgi import bare_app
    from callout.wiring import registry

    described = {
        OPENAPI / "openapi.json": bare_app().openapi(),
        OPENAPI / "mutations.json": registry().described(),
    }
    for path, value in described.items():
        text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"docs/openapi/{path.name} is not what the code says: run ./do openapi, commit it", file=sys.stderr)
            sys.exit(1)


def main() -> None:
    from server.core.errors import Problem

    try:
        app()
    except Problem as problem:
        sys.exit(f"callout: {problem}")


if __name__ == "__main__":
    main()
