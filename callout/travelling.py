"""Where processes have their drives from, and the process that holds the roads for the others."""

import asyncio
import signal

from callout.settings import Settings
from server.geo.region import RegionInUse
from server.geo.travel import Travel, TravelInUse
from server.geo.travel_service.client import ServedTravel
from server.geo.travel_service.process import serve_travel


def regions_of(settings: Settings) -> RegionInUse:
    return RegionInUse(settings.regions_dir, settings.region or None)


def travel_of(settings: Settings, regions: RegionInUse) -> Travel:
    """Answer the travel service if one is named, else roads opened in this very process."""
    return ServedTravel(settings.travel_socket) if settings.travel_socket else TravelInUse(regions)


async def hold_roads(settings: Settings) -> None:
    """Answer other processes until told to stop. Raises TravelServiceRuns."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    address = settings.travel_socket or settings.state_dir / "travel.sock"
    await serve_travel(TravelInUse(regions_of(settings)), address, told)
