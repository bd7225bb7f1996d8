"""`./do soak-sync --steps 1000000 --seed N [--devices 6]`: try to break the sync, and say what was tried."""

import argparse
import asyncio
import json
import logging
import sys
import traceback
import warnings

import structlog

from tests.soak.soak import Figures, Plan, Soak
from tests.soak.world import open_world


def main() -> int:
    plan = _plan()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    warnings.simplefilter("ignore", ResourceWarning)
    return asyncio.run(_run(plan))


def _plan() -> Plan:
    asked = argparse.ArgumentParser(prog="soak-sync", description=__doc__)
    asked.add_argument("--steps", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--devices", type=int, default=6)
    asked.add_argument("--checks-every", type=int, default=2000, help="steps between two looks at everything")
    asked.add_argument("--pulls-compared", type=int, default=8, help="one of so many pulls is compared row by row")
    asked.add_argument("--rests", type=int, default=3, help="how often everybody comes to rest in between")
    return Plan(**vars(asked.parse_args()))


async def _run(plan: Plan) -> int:
    async with open_world(plan.devices, plan.seed) as world:
        played = Soak(world, plan, _say_how_far)
        try:
            await played.run()
        except BaseException as broken:  # noqa: BLE001 - whatever it is, its seed and last steps are wanted
            _say_where(played, broken)
            return 1
        sys.stdout.write(json.dumps(figures(played), indent=1, ensure_ascii=False) + "\n")
    return 0


def _say_how_far(did: Figures) -> None:
    sys.stderr.write(f"{did.steps:,} steps in {did.seconds:,.0f} s, all sound\n")


def figures(played: Soak) -> dict[str, object]:
    did = played.figures
    return {
        "seed": played.plan.seed,
        "steps": did.steps,
        "devices": played.plan.devices,
        "seconds": round(did.seconds, 1),
        "steps_per_s": round(did.steps / did.seconds) if did.seconds else None,
        "mutations_recorded": played.journal.recorded_in_all,
        "mutations_in_log": played.checks.mutations,
        "gone_with_cleared_storage": len(played.journal.open),
        "lost": 0,
        "doubled": 0,
        "diverged": 0,
        "phones_compared": played.checks.devices_compared,
        "rows_compared": played.checks.rows_compared,
        "sealed_and_verified": played.checks.sealed,
        "pulled_mb": round(played.eyes.bytes_pulled / 1e6, 1),
        "faults": dict(played.network.happened.most_common()),
        "did": dict(did.did.most_common()),
        "endings": dict(played.checks.statuses.most_common()),
        "mutations": dict(played.journal.by_name.most_common()),
        "office": dict(played.office.done.most_common()),
        "seconds_by_path": _by_path(played),
        "answers": dict(played.eyes.answers.most_common()),
    }


def _by_path(played: Soak) -> dict[str, float]:
    spent = sorted(played.network.seconds.items(), key=lambda it: -it[1])
    return {path: round(seconds, 1) for path, seconds in spent}


def _say_where(played: Soak, broken: BaseException) -> None:
    plan, at = played.plan, played.figures.steps
    traceback.print_exception(broken, file=sys.stderr)
    again = f"./do soak-sync --seed {plan.seed} --devices {plan.devices} --steps {plan.steps} --rests {plan.rests}"
    lines = [
        f"\nBROKEN at step {at} of seed {plan.seed}: {broken}",
        "the last steps:",
        *(f"  {step}" for step in played.figures.trace),
        f"again: {again} --checks-every {plan.checks_every} --pulls-compared {plan.pulls_compared}",
        "a smaller --checks-every finds it nearer to its cause",
    ]
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
