from enum import StrEnum


class LocationKind(StrEnum):
    """Every place stock can be, the outside world included, so that each movement has two ends and nothing vanishes."""

    WAREHOUSE = "warehouse"
    VAN = "van"
    QUARANTINE = "quarantine"
    SUPPLIER = "supplier"  # where goods come from
    CONSUMED = "consumed"  # installed at a customer or used up
    ADJUSTMENT = "adjustment"  # what counting found or missed


class Reason(StrEnum):
    GOODS_IN = "goods_in"
    TRANSFER = "transfer"
    USED = "used"
    RETURNED = "returned"
    COUNTED = "counted"
    REVERSED = "reversed"
