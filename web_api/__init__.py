"""What browsers, customers and integrators talk to."""

from fastapi import APIRouter

from web_api.admin import devices, people, push, workforce
from web_api.auth import sessions
from web_api.board import (
    arrangements,
    assignment_rules,
    board,
    customers,
    dispatch,
    evaluation,
    files,
    geo,
    learning,
    live_day,
    map,  # noqa: A004 - a page about maps
    orders,
    plans,
    positions,
    reports,
    review,
    timeline,
    travel_accuracy,
    visits,
    weights,
    wishes,
)
from web_api.portal import requests, verify
from web_api.stock import counts, discrepancies, locations, movements, parts, reservations

ROUTERS: tuple[APIRouter, ...] = (
    sessions.router,
    people.router,
    devices.router,
    push.router,
    workforce.router,
    customers.router,
    orders.router,
    arrangements.router,
    dispatch.router,
    wishes.router,
    learning.router,
    weights.router,
    evaluation.router,
    travel_accuracy.router,
    assignment_rules.router,
    visits.router,
    plans.router,
    live_day.router,
    timeline.router,
    board.router,
    positions.router,
    review.router,
    reports.router,
    files.router,
    geo.router,
    map.router,
    parts.router,
    locations.router,
    movements.router,
    counts.router,
    reservations.router,
    discrepancies.router,
    requests.router,
    verify.router,
)
