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


class NotEnoughFree(Problem):
    code = "stock.not_enough_free"
    kind = Kind.CONFLICT
    sentence = "{location} has {free} {unit} of {sku} that nobody was promised, which is less than {wanted}."


class NoPlaceForStock(Problem):
    code = "stock.no_place_for_stock"
    kind = Kind.REFUSED
    sentence = "{location} is not a place where stock can lie; choose a warehouse, van or quarantine."


class NotYourVan(Problem):
    code = "stock.not_your_van"
    kind = Kind.FORBIDDEN
    sentence = "{location} is somebody else's van."


class UnknownReservation(Problem):
    code = "stock.unknown_reservation"
    kind = Kind.NOT_FOUND
    sentence = "There is no reservation with this id."


class ReservationEnded(Problem):
    code = "stock.reservation_ended"
    kind = Kind.CONFLICT
    sentence = "This reservation is {state} already."


class NotYourMovement(Problem):
    code = "stock.not_your_movement"
    kind = Kind.FORBIDDEN
    sentence = "Only who recorded a usage or return can take it back on a phone; the office can reverse the others."


class StandsByItself(Problem):
    code = "stock.stands_by_itself"
    kind = Kind.REFUSED
    sentence = "This movement belongs to a count or a transfer: count again, or send the goods back."


class CountIdTaken(Problem):
    code = "stock.count_id_taken"
    kind = Kind.CONFLICT
    sentence = "A different count was already recorded under this id."


class CountNeedsSerials(Problem):
    code = "stock.count_needs_serials"
    kind = Kind.REFUSED
    sentence = "{sku} is tracked by serial number: name the serial number of each of the {quantity} pieces once."


class UnknownTransfer(Problem):
    code = "stock.unknown_transfer"
    kind = Kind.NOT_FOUND
    sentence = "There is no transfer with this id."


class TransferAlreadyReceived(Problem):
    code = "TRANSFER_ALREADY_RECEIVED"  # spelled as in the sync protocol
    kind = Kind.CONFLICT
    sentence = "Somebody already said that this transfer arrived."


class TransferDiffers(Problem):
    code = "TRANSFER_DIFFERS"  # spelled as in the sync protocol
    kind = Kind.CONFLICT
    sentence = "What was sent under this id is another part or piece than what was received."


class UnknownDiscrepancy(Problem):
    code = "stock.unknown_discrepancy"
    kind = Kind.NOT_FOUND
    sentence = "There is no discrepancy with this id."


class DiscrepancyResolved(Problem):
    code = "stock.discrepancy_resolved"
    kind = Kind.CONFLICT
    sentence = "This discrepancy was already resolved."
