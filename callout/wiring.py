"""Who registers what with the sync engine and who listens to which events: the list one reads to know the house."""

from edge.services import Services
from server.confirmation import mutators as confirmation_mutators
from server.confirmation import projections as confirmation_projections
from server.confirmation import subscribers as confirmation_subscribers
from server.core.events import Subscriptions
from server.customers import projections as customer_projections
from server.dispatch import subscribers as dispatch_subscribers
from server.dispatch.live_day import subscribers as live_day_subscribers
from server.dispatch.planning import projections as planning_projections
from server.dispatch.planning import ways
from server.dispatch.rules import mutators as rule_mutators
from server.dispatch.rules import projections as rule_projections
from server.dispatch.rules import subscribers as rule_subscribers
from server.dispatch.travel_accuracy import subscribers as accuracy_subscribers
from server.geo.estimate import EstimatedTravel
from server.geo.travel import Travel
from server.inventory import mutators as inventory_mutators
from server.inventory import projections as inventory_projections
from server.inventory import subscribers as inventory_subscribers
from server.media import subscribers as media_subscribers
from server.notify import subscribers as notify_subscribers
from server.sync import projections as sync_projections
from server.sync.registry import Registry
from server.workforce import projections as workforce_projections
from server.workorders import mutators as workorder_mutators
from server.workorders import projections as workorder_projections
from server.workorders import subscribers as workorder_subscribers


def registry(travel: Travel | None = None) -> Registry:
    """What devices may do and see. Without roads drives are estimated."""
    built = Registry()
    for part in (
        sync_projections,
        workforce_projections,
        customer_projections,
        workorder_mutators,
        workorder_projections,
        inventory_mutators,
        inventory_projections,
        planning_projections,
        rule_projections,
        confirmation_mutators,
        confirmation_projections,
    ):
        part.register(built)
    rule_mutators.register(built, travel or EstimatedTravel())
    return built


def subscriptions(services: Services) -> Subscriptions:
    """Who reacts to what happened below them."""
    built = Subscriptions()
    media_subscribers.subscribe(built, services.jobs)
    notify_subscribers.subscribe(built)
    workorder_subscribers.subscribe(built)
    dispatch_subscribers.subscribe(built)
    ways.subscribe(built, services.travel)
    rule_subscribers.subscribe(built, services.travel)
    accuracy_subscribers.subscribe(built, services.travel)
    live_day_subscribers.subscribe(built, services.jobs)
    inventory_subscribers.subscribe(built)
    confirmation_subscribers.subscribe(built, services.jobs)
    return built
