"""What every seeded account has: locations, bins, channels, tax classes, item types, attributes.

Belongs here: the fixed tables, small enough to read. Channels carry dummy shop secrets in `data`, as the
vendor's do, so that tests can prove that none of them is ever stored or logged.
"""

from dataclasses import dataclass

from stokly_sync.sandbox.seeds.model import Row
from stokly_sync.sandbox.seeds.words import make_id

ACCOUNT = "sandbox-account"
BASE_CURRENCY = "GBP"

WAREHOUSE = make_id("location", "Main Warehouse")
SHOP = make_id("location", "High Street Shop")
LOCATION_NAMES = {WAREHOUSE: "Main Warehouse", SHOP: "High Street Shop"}
DEFAULT_BINS = {WAREHOUSE: make_id("bin", "WH-A1"), SHOP: make_id("bin", "SHOP-FLOOR")}
OVERFLOW_BIN = make_id("bin", "WH-OVERFLOW")
BIN_NAMES = {DEFAULT_BINS[WAREHOUSE]: "WH-A1", DEFAULT_BINS[SHOP]: "SHOP-FLOOR", OVERFLOW_BIN: "WH-OVERFLOW"}

STANDARD_TAX = make_id("tax class", "Standard")
ZERO_TAX = make_id("tax class", "Zero")

ITEM_TYPES = ("Homeware", "Clothing", "Gifts", "Service")
COLOUR = make_id("attribute", "Colour")
SIZE = make_id("attribute", "Size")
MATERIAL = make_id("attribute", "Material")
ATTRIBUTE_NAMES = {COLOUR: "Colour", SIZE: "Size", MATERIAL: "Material"}

DUMMY_SECRETS = (
    "dummy-consumer-key-4f1c",
    "dummy-consumer-secret-9a2e",
    "dummy-access-token-77b0",
    "dummy-shop-password-c3d8",
    "dummy-marketplace-key-15e6",
)
"""Every secret that a seeded channel holds; none may be found anywhere outside the sandbox."""


@dataclass(frozen=True)
class Channel:
    """A sales channel as orders name it."""

    channel_id: str
    name: str
    source_type: str
    type: int


MAGENTO = Channel(make_id("channel", "Magento"), "Magento Web Shop", "magento_two", 5)
MARKETPLACER = Channel(make_id("channel", "Marketplacer"), "Marketplacer", "marketplacer", 1)
TILL = Channel(make_id("channel", "Till"), "High Street Till", "epos", 0)
MANUAL = Channel(make_id("channel", "Manual"), "Trade Desk", "other", 0)
CHANNELS = (MAGENTO, MARKETPLACER, TILL, MANUAL)

_CHANNEL_DATA: dict[str, Row] = {
    MAGENTO.channel_id: {
        "storeAddress": "https://shop.example.com",
        "consumerKey": DUMMY_SECRETS[0],
        "consumerSecret": DUMMY_SECRETS[1],
        "accessToken": DUMMY_SECRETS[2],
        "user": "stokly",
        "password": DUMMY_SECRETS[3],
    },
    MARKETPLACER.channel_id: {"storeAddress": "https://market.example.com", "apiKey": DUMMY_SECRETS[4]},
    TILL.channel_id: {"locationId": SHOP},
    MANUAL.channel_id: {},
}


def account_tables() -> dict[str, list[Row]]:
    """The fixed collections: locations, bins, channels, tax-classes, item-types, item-attributes."""
    return {
        "locations": [{"locationId": location, "name": name, "status": 0} for location, name in LOCATION_NAMES.items()],
        "bins": [_bin(bin_id, name) for bin_id, name in BIN_NAMES.items()],
        "channels": [_channel(channel) for channel in CHANNELS],
        "tax-classes": [
            {"taxClassId": STANDARD_TAX, "name": "Standard 20 %", "rate": 20, "status": 0},
            {"taxClassId": ZERO_TAX, "name": "Zero rated", "rate": 0, "status": 0},
        ],
        "item-types": [{"itemTypeId": make_id("item type", name), "name": name, "status": 0} for name in ITEM_TYPES],
        "item-attributes": [
            _attribute(COLOUR, 6, ["Blue", "Green", "Red", "Sand", "White"]),
            _attribute(SIZE, 6, ["S", "M", "L", "XL", "XXL"]),
            _attribute(MATERIAL, 0, []),
        ],
    }


def _bin(bin_id: str, name: str) -> Row:
    location = SHOP if bin_id == DEFAULT_BINS[SHOP] else WAREHOUSE
    return {
        "binId": bin_id,
        "locationId": location,
        "name": name,
        "status": "active",
        "default": 1 if bin_id in DEFAULT_BINS.values() else 0,
    }


def _channel(channel: Channel) -> Row:
    return {
        "channelId": channel.channel_id,
        "name": channel.name,
        "type": channel.type,
        "status": 0,
        "manageInventory": channel in (MAGENTO, MARKETPLACER),
        "syncData": channel in (MAGENTO, MARKETPLACER),
        "inventoryLocationIds": [SHOP if channel is TILL else WAREHOUSE],
        "defaultInventory": 0,
        "data": dict(_CHANNEL_DATA[channel.channel_id]),
    }


def _attribute(attribute: str, kind: int, values: list[str]) -> Row:
    return {
        "itemAttributeId": attribute,
        "name": ATTRIBUTE_NAMES[attribute],
        "type": kind,
        "defaultValue": "",
        "allowedValues": values,
        "allowedValueLabels": list(values),
        "status": 0,
    }
