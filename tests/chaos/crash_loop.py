"""`./do crash-loop --kills 200 [--seed N]`: a whole company works while parts of its system are killed.

The verdict is by SQL on the database, held against what each device and each clerk was told. Prints one JSON line of
figures; what went wrong is told in sentences on stderr, and the folder with logs and phones is kept then.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from tempfile import mkdtemp
from typing import Any

import httpx

from simulator.office import Office
from simulator.together import end
from tests.chaos.audit import Auditor, Baseline, Findings
from tests.chaos.field import Field, someone
from tests.chaos.killer import Kill, Killer
from tests.chaos.office import Answered, Desk, Dispatch, Warehouse
from tests.chaos.postgres import OwnPostgres
from tests.chaos.proxy import ChaosProxy, Weather, clear
from tests.chaos.system import NotReady, System

BACK_WITHIN_S = 30.0
_LOOK_EVERY = 20  # kills
_WARM_UP_S = 3.0
_SETTLE_WITHIN_S = 240.0
_TOLD = 100


@dataclass
class Report:
    seed: int
    kills: list[Kill] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    acknowledged: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    files: int = 0
    office: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    working_s: float = 0.0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.findings.count

    def figures(self) -> dict[str, Any]:
        back = [kill.back_s for kill in self.kills] or [0.0]
        return {
            "kills": len(self.kills),
            "by_kind": dict(Counter(kill.kind for kill in self.kills)),
            "acknowledged": self.acknowledged,
            "outcomes": dict(self.outcomes),
            "files": self.files,
            "office_acts": self.office,
            "events": self.events,
            "lost": len(self.findings.lost),
            "doubled": len(self.findings.doubled),
            "other_findings": len(self.findings.wrong),
            "back_p50_s": round(median(back), 2),
            "back_max_s": round(max(back), 2),
            "mutations_per_s": round(self.acknowledged / self.working_s, 1) if self.working_s else 0.0,
            "network_faults": dict(self.faults),
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
        }


@dataclass
class Company:
    """Everybody who acts, and who looks at what they did."""

    field: Field
    dispatch: Dispatch
    warehouse: Warehouse
    proxy: ChaosProxy
    auditor: Auditor
    before: Baseline

    def acts(self) -> list[Coroutine[Any, Any, None]]:
        return [
            *(self.field.work(player) for player in self.field.players),
            self.dispatch.run(),
            self.warehouse.run(),
        ]

    @property
    def desks(self) -> list[Desk]:
        return [self.dispatch.desk, self.warehouse.desk]

    @property
    def answered(self) -> list[Answered]:
        return [one for desk in self.desks for one in desk.answered]


async def crash_loop(kills: int, seed: int, engineers: int, folder: Path) -> Report:
    """Raises nothing for what the system did wrong: it is in the report."""
    began, report, rng = time.monotonic(), Report(seed), Random(seed)
    async with _system(folder) as (system, postgres), _company(system, folder, engineers, seed, report) as company:
        killer = Killer(system, postgres, rng, back_within_s=BACK_WITHIN_S)
        _say(f"{engineers} engineers are at work; logs and phones are in {folder}")
        working = [asyncio.create_task(act) for act in company.acts()]
        try:
            await asyncio.sleep(_WARM_UP_S)
            started = time.monotonic()
            await _kill_all(killer, kills, company, report, working)
            report.working_s = time.monotonic() - started + _WARM_UP_S
        except NotReady as never:
            report.findings.wrong.append(str(never))
        finally:
            await end(*working)
        await _judge(company, report)
    report.seconds = time.monotonic() - began
    return report


async def _kill_all(
    killer: Killer, kills: int, company: Company, report: Report, working: Sequence[asyncio.Task[None]]
) -> None:
    for number, kind in enumerate(killer.plan(kills), start=1):
        kill = await killer.kill(kind)
        report.kills.append(kill)
        _say(f"{number:4} {kind:8} after {kill.after_s:.2f} s, back in {kill.back_s:.2f} s")
        for task in working:
            if task.done():
                task.result()  # an actor must never end: its failure is ours
        for process in killer.system.processes:
            if process.ended:
                report.findings.wrong.append(f"callout {process.command} ended by itself after a kill of {kind}")
                process.start()
        if number % _LOOK_EVERY == 0:
            _look(company, report)


def _look(company: Company, report: Report) -> None:
    """What was acknowledged so far must be there already; the phones go on with their work afterwards."""
    mutations, files = company.field.told(), company.field.files()
    acknowledged = sum(it.outcome is not None for it in mutations)
    found = company.auditor.audit(mutations, files, at_rest=False)
    if acknowledged <= report.acknowledged:
        found.wrong.append(f"nothing has been acknowledged during the last {_LOOK_EVERY} kills: this proves nothing")
    report.acknowledged = acknowledged
    _take(report, found)
    _say(f"     {acknowledged} acknowledged so far, {found.count} findings")


async def _judge(company: Company, report: Report) -> None:
    """Everything comes to rest: phones empty, jobs done. Then the tables are held against what people were told."""
    company.proxy.plan = clear
    await company.proxy.break_all()
    try:
        for desk in company.desks:
            await desk.finish()
        await company.field.settle(_SETTLE_WITHIN_S)
        await company.auditor.until_quiet(_SETTLE_WITHIN_S)
    except TimeoutError as never:
        report.findings.wrong.append(f"it does not come to rest: {never}")
    mutations, files = company.field.told(), company.field.files()
    _take(report, company.auditor.audit(mutations, files, at_rest=True))
    orders = [one for one in company.answered if one.path == "/work-orders"]
    moved = [one for one in company.answered if one.path.startswith("/stock-movements")]
    _take(report, company.auditor.office(company.before, orders, moved))
    _take(report, await _asked_again(company))
    _take(report, _complaints(company))
    report.acknowledged = sum(it.outcome is not None for it in mutations)
    report.outcomes = Counter(it.outcome or "unanswered" for it in mutations)
    report.files, report.office = len(files), len(company.answered)
    report.events = company.auditor.answer("select count(*) as n from event")[0]["n"]
    report.faults = company.proxy.faults


async def _asked_again(company: Company) -> Findings:
    """The same request with the same key still has the same answer."""
    found = Findings()
    for desk in company.desks:
        for one in desk.answered:
            if await desk.again(one) != one.answer:
                found.wrong.append(f"POST {one.path} with the key {one.key} is answered differently by now")
    return found


def _complaints(company: Company) -> Findings:
    """What phones and people found wrong, and disagreements on orders that nobody in the office had touched."""
    found = Findings(wrong=list(company.field.tally.problems))
    for it in company.field.told():
        if it.outcome in {"conflict", "quarantined"} and it.order not in company.dispatch.disturbed:
            found.wrong.append(f"{it.name} {it.id} on an undisturbed order ended as {it.outcome} ({it.code})")
    return found


def _take(report: Report, found: Findings) -> None:
    for kept, new in (
        (report.findings.lost, found.lost),
        (report.findings.doubled, found.doubled),
        (report.findings.wrong, found.wrong),
    ):
        kept += [sentence for sentence in new if sentence not in kept]


@asynccontextmanager
async def _system(folder: Path) -> AsyncIterator[tuple[System, OwnPostgres]]:
    postgres = OwnPostgres(folder)
    try:
        await asyncio.to_thread(postgres.start)
        system = System(folder, postgres.url)
        await asyncio.to_thread(system.run, "seed")
        system.start()
        try:
            await asyncio.to_thread(system.until_ready)
            yield system, postgres
        finally:
            await asyncio.to_thread(system.stop)
    finally:
        await asyncio.to_thread(postgres.remove)


@asynccontextmanager
async def _company(system: System, folder: Path, engineers: int, seed: int, report: Report) -> AsyncIterator[Company]:
    weather = Weather(
        seed, slow=0.05, cut_up=0.15, cut_down=0.15, half_open=0.01, lose_reply=0.3, jitter_s=0.01, within_replies=8
    )
    async with (
        ChaosProxy("127.0.0.1", system.port) as proxy,
        httpx.AsyncClient(base_url=system.url, timeout=30) as direct,
        httpx.AsyncClient(base_url=proxy.url, timeout=8) as office,
    ):
        phones = folder / "phones"
        phones.mkdir()
        outside = await Field.assemble(direct, proxy.url, phones, engineers, seed)
        auditor = Auditor(_database_url(system), system.state / "blobs")
        disturbed: set[str] = set()
        outside.tally.disturbed = disturbed
        company = Company(
            outside,
            Dispatch(
                Desk(await someone(office, "dispatcher"), Random(f"{seed}/dispatcher"), report.findings.wrong),
                outside.world,
                outside.players,
                Random(f"{seed}/dispatch"),
                disturbed,
            ),
            await _warehouse(office, outside, seed, report),
            proxy,
            auditor,
            auditor.baseline(),
        )
        proxy.plan = weather
        await proxy.break_all()
        try:
            yield company
        finally:
            await outside.close()


async def _warehouse(office: httpx.AsyncClient, outside: Field, seed: int, report: Report) -> Warehouse:
    clerk: Office = await someone(office, "warehouse")
    desk = Desk(clerk, Random(f"{seed}/clerk"), report.findings.wrong)
    return await Warehouse.at(desk, clerk, outside.world, Random(f"{seed}/warehouse"))


def _database_url(system: System) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(system.admin_url, dbname=system.database)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="./do crash-loop", description="Kill parts of the working system; nothing may get lost."
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="another one each time by default; it is printed")
    parser.add_argument("--engineers", type=int, default=8)
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else time.time_ns() % 1_000_000
    folder = Path(mkdtemp(prefix=f"callout-crash-{seed}-"))
    # Told to end, it leaves no server behind either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = asyncio.run(crash_loop(given.kills, seed, given.engineers, folder))
    print(json.dumps(report.figures()))  # noqa: T201
    for sentence in [*report.findings.lost, *report.findings.doubled, *report.findings.wrong][:_TOLD]:
        _say(f"found: {sentence}")
    if report.passed:
        shutil.rmtree(folder)
        return 0
    _say(f"seed {seed}; logs and phones are kept in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
