from enum import StrEnum


class Tier(StrEnum):
    STANDARD = "standard"
    VIP = "vip"


class AssetStatus(StrEnum):
    IN_SERVICE = "in_service"
    FAULTY = "faulty"
    RETIRED = "retired"
