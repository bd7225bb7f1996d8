"""Where processes have their drives from, and the process that holds the roads for the others."""

import asyncio
import signal

from callout.settings import RoadEngine, Settings
from server.geo.region import RegionInUse
from server.geo.travel import OpenRoads, Travel, TravelInUse, osrm_roads
from server.geo.travel_service.client import ServedTravel
from server.geo.travel_service.process import serve_travel
from server.geo.travel_service.wire import TILE


def regions_of(settings: Settings) -> RegionInUse:
    return RegionInUse(settings.regions_dir, settings.region or None)


def travel_of(settings: Settings, regions: RegionInUse) -> Travel:
    """Answer the travel service if one is named, else roads opened in this very process."""
    if settings.travel_socket:
        return ServedTravel(settings.travel_socket)
    return TravelInUse(regions, _opener(settings.road_engine))


def _opener(engine: RoadEngine) -> OpenRoads:
    if engine is RoadEngine.OSRM:
        return osrm_roads
    from server.geo.valhalla import valhalla_roads

    return valhalla_roads


async def hold_roads(settings: Settings) -> None:
    """Answer other processes until told to stop. Raises TravelServiceRuns."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    address = settings.travel_socket or settings.state_dir / "travel.sock"
    travel = TravelInUse(regions_of(settings), _opener(settings.road_engine), TILE)
    await serve_travel(travel, address, told)
