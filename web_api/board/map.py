"""The basemap: public data of OpenStreetMap, served from here so that no reader's machine asks anybody else."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
from server.geo.errors import NoRegion
from server.geo.region import Region
from server.geo.style import SOURCE, style

router = APIRouter(prefix="/api/v1", tags=["map"], responses=PUBLIC_PROBLEMS)

# The style names the build in the archive's address: a new build is a new address, so nobody has to ask again.
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"

type Language = Annotated[str, Query(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$")]
type Build = Annotated[
    str | None, Query(max_length=64, description="as the style names it; makes the answer cacheable")
]


def _region(services: ServicesOf) -> Region:
    if services.region is None:
        raise NoRegion
    return services.region


def _is_known(request: Request, etag: str) -> bool:
    return etag in {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}


@router.get(
    "/map/style.json",
    responses={200: {"description": "A MapLibre style"}, 304: {"description": "Unchanged"}},
    response_class=JSONResponse,
)
async def map_style(request: Request, services: ServicesOf, language: Language = "en") -> Response:
    """The basemap's style. Its one source lies beside it, on whatever host and behind whatever proxy this is read."""
    region = _region(services)
    etag = f'"{region.build}-{language.lower()}"'
    headers = {"ETag": etag, "Cache-Control": _ASK_FIRST}
    if _is_known(request, etag):
        return Response(status_code=304, headers=headers)
    beside = request.url.path.removesuffix("/style.json")
    made: dict[str, Any] = style(beside, region.bounds, language)
    made["sources"][SOURCE]["url"] += f"?build={region.build}"
    return JSONResponse(made, headers=headers)


@router.get(
    "/map/basemap.pmtiles",
    response_class=FileResponse,
    responses={
        200: {"description": "The whole archive", "content": {"application/vnd.pmtiles": {}}},
        206: {"description": "The ranges asked for", "content": {"application/vnd.pmtiles": {}}},
        304: {"description": "Unchanged"},
        416: {"description": "No such range"},
    },
)
async def basemap(request: Request, services: ServicesOf, build: Build = None) -> Response:
    """Vector tiles as one PMTiles archive, read by ranges."""
    region = _region(services)
    etag = f'"{region.build}"'
    headers = {"ETag": etag, "Cache-Control": _FOR_EVER if build == region.build else _ASK_FIRST}
    if _is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(region.basemap, media_type="application/vnd.pmtiles", headers=headers)
