"""The calls about the shop itself: its store views, and an admin user's token.

Belongs here: what needs no table. The shop has one website with one store view, `default`.
Source: Magento API contract 2.2, 3 (store lists).
"""

from stokly_sync.sandbox.magento.call import Call, Spec
from stokly_sync.sandbox.magento.figures import Row
from stokly_sync.sandbox.magento.stock import WEBSITE

RESOURCE = "Magento_Backend::store"

_VIEWS: list[Row] = [
    {"id": 1, "code": "default", "name": "Default Store View", "website_id": 1, "store_group_id": 1, "is_active": 1},
    {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0, "is_active": 1},
]
_WEBSITES: list[Row] = [
    {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0},
    {"id": 1, "code": WEBSITE, "name": "Main Website", "default_group_id": 1},
]
_GROUPS: list[Row] = [
    {"id": 0, "website_id": 0, "root_category_id": 0, "default_store_id": 0, "name": "Default", "code": "default"},
    {
        "id": 1,
        "website_id": 1,
        "root_category_id": 2,
        "default_store_id": 1,
        "name": "Main Website Store",
        "code": "main_website_store",
    },
]


def _configs(call: Call) -> list[Row]:
    currency = call.switches.currency
    return [
        {
            "id": 1,
            "code": "default",
            "website_id": 1,
            "locale": "en_GB",
            "base_currency_code": currency,
            "default_display_currency_code": currency,
            "timezone": "Europe/London",
            "weight_unit": "kgs",
            **dict.fromkeys(("base_url", "secure_base_url"), "https://shop.example.com/"),
        }
    ]


def _token(call: Call) -> str:
    return call.system.access.sign_in(call.body["username"], call.body["password"])


SPECS = (
    Spec("GET", "store/storeViews", RESOURCE, lambda _: _VIEWS),
    Spec("GET", "store/websites", RESOURCE, lambda _: _WEBSITES),
    Spec("GET", "store/storeGroups", RESOURCE, lambda _: _GROUPS),
    Spec("GET", "store/storeConfigs", RESOURCE, _configs),
    Spec("POST", "integration/admin/token", "", _token, {"username!": "string", "password!": "string"}),
)
