"""What `callout region list` says of a region."""

from server.geo.dayparts import DayPart
from server.geo.listing import Listed
from server.geo.region import Region


def described(listed: Listed) -> str:
    """Four lines: name and state, origin and bounds, what drives on it looked like, what it was taught."""
    mark, use = ("*", ", in use") if listed.in_use else (" ", "")
    head = f"{mark} {listed.name}: since {listed.since:%Y-%m-%d %H:%M} UTC, {listed.size / 1e6:,.1f} MB{use}"
    if listed.region is None:
        return f"{head}\n    {listed.damage}"
    return "\n".join((head, *(f"    {line}" for line in _facts(listed.region))))


def _facts(region: Region) -> tuple[str, ...]:
    source, smoke = region.manifest["source"], region.manifest["smoke_check"]
    west, south, east, north = region.bounds.as_list()
    lost = f"{100 * smoke['unreachable']:.1f} %"
    dated = f" of {source['timestamp']}" if source["timestamp"] else ""
    return (
        f"made of {source['file']}{dated}; longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}",
        f"tried by {smoke['drives']:,} drives: {smoke['mean_kmh']} km/h, {lost} without a way",
        f"{region.manifest['addresses']:,} addresses; {_taught(region)}",
    )


def _taught(region: Region) -> str:
    told = region.manifest.get("dayparts", {})
    parts = [
        f"{part} {told[part]['smoke_check']['mean_kmh']} km/h of {told[part]['trips']:,} drives"
        for part in DayPart
        if part in told
    ]
    return (
        f"learnt: {', '.join(parts)}"
        if parts
        else "nothing learnt: drives take an empty road's time times the hour's factor"
    )
