from server.core.errors import Kind, Problem


class UnknownPart(Problem):
    code = "part.unknown"
    kind = Kind.NOT_FOUND
    sentence = "There is no part with this id."


class UnknownLocation(Problem):
    code = "stock.unknown_location"
    kind = Kind.NOT_FOUND
    sentence = "There is no stock location with this id."


class UnknownMovement(Problem):
    code = "stock.unknown_movement"
    kind = Kind.NOT_FOUND
    sentence = "There is no stock movement with this id."


class SkuTaken(Problem):
    code = "part.sku_taken"
    kind = Kind.CONFLICT
    sentence = "There is already a part with the number {sku}."


class LocationNameTaken(Problem):
    code = "stock.location_name_taken"
    kind = Kind.CONFLICT
    sentence = "There is already a stock location called {name}."


class VanAlreadyGiven(Problem):
    code = "stock.van_already_given"
    kind = Kind.CONFLICT
    sentence = "This person already drives the van {van}."


class LocationNeedsDriver(Problem):
    code = "stock.location_needs_driver"
    kind = Kind.REFUSED
    sentence = "A van belongs to a person, and nothing else does: say whose van it is, or choose another kind."


class LocationIsMadeByItself(Problem):
    code = "stock.location_is_made_by_itself"
    kind = Kind.REFUSED
    sentence = "A location of the kind {kind} exists by itself; add a warehouse, van or quarantine."


class NoVan(Problem):
    code = "stock.no_van"
    kind = Kind.CONFLICT
    sentence = "Nobody has given this person a van yet, so the part can't be taken from one."


class SameLocation(Problem):
    code = "stock.same_location"
    kind = Kind.REFUSED
    sentence = "A movement needs two different locations."


class NotEnoughStock(Problem):
    code = "stock.not_enough"
    kind = Kind.CONFLICT
    sentence = "{location} has {available} {unit} of {sku}, which is less than {wanted}."


class SerialNeeded(Problem):
    code = "stock.serial_needed"
    kind = Kind.REFUSED
    sentence = "{sku} is tracked by serial number: move one piece at a time and name its serial number."


class SerialNotTracked(Problem):
    code = "stock.serial_not_tracked"
    kind = Kind.REFUSED
    sentence = "{sku} is not tracked by serial number; leave the serial number out."


class SerialElsewhere(Problem):
    code = "stock.serial_elsewhere"
    kind = Kind.CONFLICT
    sentence = "The piece {serial} of {sku} is not at {location}; the ledger has it at {place}."


class SerialAlreadyUsed(Problem):
    code = "SERIAL_ALREADY_USED"  # spelled as in the sync protocol
    kind = Kind.CONFLICT
    sentence = "The piece {serial} of {sku} has already been used."


class MovementIdTaken(Problem):
    code = "stock.movement_id_taken"
    kind = Kind.CONFLICT
    sentence = "A different movement was already recorded under this id."


class AlreadyReversed(Problem):
    code = "stock.already_reversed"
    kind = Kind.CONFLICT
    sentence = "This movement has already been reversed."


class ReversalStands(Problem):
    code = "stock.reversal_stands"
    kind = Kind.REFUSED
    sentence = "A reversal can't be reversed; record the movement again instead."


class ReasonDoesNotFit(Problem):
    code = "stock.reason_does_not_fit"
    kind = Kind.REFUSED
    sentence = "Stock does not move from {source} to {target} for the reason {reason}."
