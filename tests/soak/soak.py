"""The scheduler: one seed decides who does what next, what breaks, and when it is looked at."""

import hashlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from time import perf_counter
from typing import Any

from procrastinate.exceptions import ConnectorException

from server.core.relay import relay_once
from simulator.device.errors import DeviceError, DeviceRevoked, SignedOut
from tests.soak.acts import Person
from tests.soak.broken import Broken
from tests.soak.checks import Checks
from tests.soak.eyes import Eyes
from tests.soak.journal import Journal
from tests.soak.line import Network
from tests.soak.office import Office
from tests.soak.phone import Phone
from tests.soak.turns import Turns
from tests.soak.world import World

_REMEMBERED = 30
_MOST_CLONES = 2
_ROUNDS_TO_REST = 12
_IN_A_BACKUP_AFTER = timedelta(hours=24)
_JUMPS = (timedelta(days=3), timedelta(days=-3), timedelta(days=-730), timedelta(minutes=7), timedelta(seconds=-40))


@dataclass(frozen=True)
class Plan:
    """checks_every: steps between two looks at everything. pulls_compared: one of so many whole pulls is compared."""

    seed: int
    steps: int
    devices: int = 6
    checks_every: int = 2000
    pulls_compared: int = 8
    rests: int = 3  # how often in between all faults stop and everybody comes to rest


@dataclass
class Figures:
    steps: int = 0
    seconds: float = 0.0
    did: Counter[str] = field(default_factory=Counter)
    trace: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    course: Any = field(default_factory=hashlib.sha256)  # over all that was done, to tell whether two runs were one


class Soak:
    """`await run()` raises Broken at the first thing that must not be."""

    def __init__(self, world: World, plan: Plan, tell: Callable[[Figures], None] = lambda _: None) -> None:
        self.world, self.plan, self._tell = world, plan, tell
        self.rng = Random(f"{plan.seed}")
        self.figures = Figures()
        self.journal = Journal()
        self._persons: dict[str, str] = {}
        self.network = Network(world.app, Random(f"{plan.seed} network"), world.admin, self._observe)
        self.office = Office(world, self.network, Random(f"{plan.seed} office"))
        self.eyes = Eyes(self.office.ever_sent, self._persons)
        self.checks = Checks(world, self.journal, self.office)
        self.person = Person(Random(f"{plan.seed} people"), list(world.strangers), world.serial_part, world.vans)
        self.phones: list[Phone] = []
        self._made = 0
        self._steps: list[tuple[float, Callable[[], Awaitable[str]]]] = [
            (900, self._act),
            (30, self._sync),
            (5, self._push_only),
            (5, self._pull_only),
            (20, self._office),
            (20, self._time_passes),
            (3, self._meet),
            (4, self._deliver_held),
            (2, self._relay),
            (3, self._kill),
            (1.2, self._clock_jumps),
            (1, self._reboot),
            (0.5, self._back_up),
            (0.15, self._restore),
            (0.15, self._evict),
            (0.15, self._clone),
            (0.15, self._retire),
            (0.3, self._night),
            (0.15, self._revoke),
            (0.5, self._verify),
            (0.06, self._server_restored),
        ]
        self._weights = [weight for weight, _ in self._steps]

    def _observe(self, answer: Any) -> None:
        self.eyes(answer)

    async def run(self) -> None:
        began = perf_counter()
        try:
            await self._begin()
            for step in range(1, self.plan.steps + 1):
                self.figures.steps = step
                await self._step()
                if step % self.plan.checks_every == 0:
                    self.checks.everything()
                    self.figures.seconds = perf_counter() - began
                    self._tell(self.figures)
                if self.plan.rests and step % (self.plan.steps // (self.plan.rests + 1) + 1) == 0:
                    await self.rest()
            await self.rest()
        finally:
            self.figures.seconds = perf_counter() - began
            for phone in self.phones:
                phone.close()

    async def _step(self) -> None:
        doing = self.rng.choices(self._steps, self._weights)[0][1]
        said = await doing()
        self.figures.did[said] += 1
        self.figures.course.update(said.encode())
        self.figures.trace.append(f"{self.figures.steps}: {said}")

    # -- phones ----------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        self.network.calm = True
        for engineer in self.world.engineers:
            await self._enrol(self._new_phone(str(engineer.person)))
        for _ in range(3 * len(self.phones)):
            await self.office.send_somebody()
        for phone in self.phones:
            await self._sync_one(phone)
        self.network.calm = False

    def _new_phone(self, person: str) -> Phone:
        self._made += 1
        phone = Phone(
            self._made,
            person,
            self.world.folder,
            self.network,
            self.world.clock,
            self.journal,
            Random(f"{self.plan.seed} phone {self._made}"),
            encoding=("identity", "identity", "gzip")[self._made % 3],
        )
        self.phones.append(phone)
        return phone

    async def _enrol(self, phone: Phone) -> None:
        try:
            await phone.enrol(self.office.issue_code)
        except DeviceError as trouble:
            self.figures.did[f"enrolment: {type(trouble).__name__}"] += 1
        self._know(phone)

    def _know(self, phone: Phone) -> None:
        if phone.device.id:
            self._persons[phone.device.id] = phone.person

    def _some_phone(self) -> Phone:
        return self.rng.choice(self.phones)

    async def _act(self) -> str:
        phone = self._some_phone()
        if phone.device.id is None:
            return await self._sync()
        return self.person.act(phone) or "idle"

    async def _sync(self) -> str:
        return f"sync: {await self._sync_one(self._some_phone())}"

    async def _sync_one(self, phone: Phone) -> str:
        """Push, upload, pull; a phone that was signed out is enrolled again."""
        return await self._attempt(phone, phone.device.sync, whole=True)

    async def _push_only(self) -> str:
        phone = self._some_phone()
        return f"push: {await self._attempt(phone, phone.device.push, whole=False)}"

    async def _pull_only(self) -> str:
        phone = self._some_phone()
        return f"pull: {await self._attempt(phone, phone.device.pull, whole=True)}"

    async def _attempt(self, phone: Phone, talk: Callable[[], Awaitable[Any]], *, whole: bool) -> str:
        if phone.device.id is None:
            await self._enrol(phone)
            return "enrolled"
        phone.device.unlock()
        try:
            await talk()
        except SignedOut:
            await self._enrol(phone)
            return "signed out"
        except DeviceRevoked:
            phone.replaced_if_wiped()
            return "revoked"
        except DeviceError as trouble:
            phone.look()
            return type(trouble).__name__
        phone.look()
        self.checks.told(phone)
        if whole:
            phone.full_pulls += 1
            if phone.full_pulls % self.plan.pulls_compared == 0:
                self.checks.same_as_scope(phone)
        return "done"

    # -- what else happens -----------------------------------------------------------------------------------------

    async def _office(self) -> str:
        return f"office: {await self.office.act()}"

    async def _meet(self) -> str:
        """Two phones, or a phone and the office, are in the server at once, word by word."""
        phone, other = self._some_phone(), self._some_phone()
        if phone.device.id is None or other.device.id is None:
            return "idle"
        with_office = other is phone or self.rng.random() < 0.5
        second: Coroutine[Any, Any, Any] = self.office.act() if with_office else other.device.sync()
        ends = await Turns(self.rng, self.world.admin).play(phone.device.sync(), second)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, DeviceError):
                raise end
        for met in (phone, other):
            met.replaced_if_wiped()
            if met.device.id is not None:
                met.look()
        return f"phone meets {'office' if with_office else 'phone'}"

    async def _deliver_held(self) -> str:
        await self.network.deliver_one_held()
        return "network remembers"

    async def _time_passes(self) -> str:
        self.world.clock.forward(timedelta(seconds=self.rng.choice((1, 20, 60, 200))))
        return "time passes"

    async def _night(self) -> str:
        self.world.clock.forward(timedelta(hours=self.rng.choice((3, 9, 14, 30))))
        return "night"

    async def _relay(self) -> str:
        try:
            await relay_once(self.world.services.database, self.world.services.jobs, self.world.subscriptions)
        except ConnectorException:
            return "relay waits"
        now = self.world.clock.now()
        self.world.admin.execute("select sync_advance_durable(%s, %s)", [now, now - _IN_A_BACKUP_AFTER])
        return "relay"

    async def _revoke(self) -> str:
        """The office believes a phone lost; it comes back, hands in what it has and is enrolled anew."""
        phone = self._some_phone()
        if phone.device.id:
            await self.office.ask("service_manager", "POST", f"/devices/{phone.device.id}/revoke", {"why": "lost"})
        return "phone revoked"

    async def _verify(self) -> str:
        phone = self._some_phone()
        if phone.device.id is None:
            return "idle"
        try:
            differing = await phone.device.verify()
        except DeviceError as trouble:
            return f"verify: {type(trouble).__name__}"
        if differing:
            raise Broken("I3", f"{phone.name} differs from the server in {differing}")
        return "verify: done"

    async def _server_restored(self) -> str:
        """As if the server had been restored from a backup that lost nothing: no cookie is good any more."""
        self.world.admin.execute("select sync_bump_epoch()")
        return "server restored"

    async def _kill(self) -> str:
        self._some_phone().kill()
        return "app killed"

    async def _reboot(self) -> str:
        self._some_phone().reboot()
        return "phone rebooted"

    async def _clock_jumps(self) -> str:
        self._some_phone().clock.set_by(self.rng.choice(_JUMPS))
        return "clock jumps"

    async def _back_up(self) -> str:
        self._some_phone().keep_copy()
        return "backup made"

    async def _restore(self) -> str:
        phone = self._some_phone()
        restored = phone.restore()
        if restored and phone.device.id:
            phone.look()
        return "backup restored" if restored else "idle"

    async def _evict(self) -> str:
        phone = self._some_phone()
        phone.clear()
        phone.jobs = []
        return "storage cleared"

    async def _clone(self) -> str:
        if len(self.phones) >= self.plan.devices + _MOST_CLONES:
            return "idle"
        phone = self._some_phone()
        if phone.device.id is None:
            return "idle"
        clone = self._new_phone(phone.person)
        phone.clone_into(clone)
        clone.look()
        return "phone cloned"

    async def _retire(self) -> str:
        """A second phone goes into a drawer once nothing is left on it."""
        spare = [phone for phone in self.phones if self._twins(phone) > 1 and not phone.device.outbox.waiting()]
        spare = [phone for phone in spare if not phone.device.files.waiting()]
        if not spare:
            return "idle"
        phone = self.rng.choice(spare)
        phone.close()
        self.phones.remove(phone)
        return "phone retired"

    def _twins(self, phone: Phone) -> int:
        return sum(other.person == phone.person for other in self.phones)

    # -- at rest ---------------------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """All faults stop; everybody syncs until there is nothing left to say; then everything is looked at."""
        self.network.calm = True
        while self.network.held:
            await self.network.deliver_one_held()
        for phone in self.phones:
            await self._to_rest(phone)
        for phone in self.phones:
            await self._to_rest(phone)
            self.checks.same_as_scope(phone)
        while await relay_once(self.world.services.database, self.world.services.jobs, self.world.subscriptions):
            pass
        self.world.admin.execute("truncate procrastinate_jobs cascade")
        self.checks.everything()
        self.checks.nothing_missing()
        self.checks.files(self.phones)
        await self.checks.chain()
        self.network.calm = False

    async def _to_rest(self, phone: Phone) -> None:
        for _ in range(_ROUNDS_TO_REST):
            said = await self._sync_one(phone)
            device = phone.device
            if said == "done" and not device.outbox.waiting() and not device.files.waiting():
                return
        raise Broken("rest", f"{phone.name} does not come to rest: {said}, {phone.device.outbox.waiting()} wait")
