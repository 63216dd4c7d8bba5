"""The lists that stand under a record, such as an order's lines or a channel's listings.

Belongs here: the shape as data, like `top_level`. A list that repeats a top-level collection says so
(`of`, `by`), so that both always tell the same.
"""

from stokly_sync.sandbox.stokly.schema import SubList, members
from stokly_sync.sandbox.stokly.top_level import DISPATCH, LISTING, REFUND

ORDER_LINE = members(
    text="lineId type referenceId itemSku itemName status fulfilmentType parentId",
    number="quantity price tax displayPrice displayTax displayDiscount"
    " displayLinePrice displayLineTax displayLineDiscount displayLineTotal",
)
_ADDRESS = members(text="line1 line2 city region postcode country")
SUBLISTS: tuple[SubList, ...] = (
    SubList("customers", "addresses", _ADDRESS, source="5 #3"),
    SubList(
        "customers",
        "contacts",
        members(text="contactId forename surname name email phone role", list="tags"),
        source="5 #3",
    ),
    SubList("saleorders", "items", ORDER_LINE, source="3.2"),
    SubList("saleorders", "refunds", REFUND, of="refunds", by="saleOrderId", source="5 #4"),
    SubList("saleorders", "dispatches", DISPATCH, of="dispatches", by="saleOrderId", source="5 #8"),
    SubList(
        "saleorders",
        "payments",
        members(text="paymentId currency label", number="method amount", time="timestamp"),
        source="5 #10",
    ),
    SubList(
        "invoices",
        "items",
        members(text="referenceType referenceId itemSku itemName", number="quantity displayPrice displayTax"),
        source="5 #11",
    ),
    SubList(
        "refunds",
        "items",
        members(text="lineId referenceId itemSku", number="quantity displayPrice displayTax", flag="restocked"),
        source="5 #4",
    ),
    SubList(
        "returns",
        "items",
        members(text="lineId", number="quantity quantityReceived quantityBlemished"),
        source="5 #7",
    ),
    SubList("dispatches", "items", members(text="lineId", number="quantity"), source="5 #8"),
    SubList("items", "barcodes", members(text="barcode"), of="item-barcodes", by="itemId", source="3.6"),
    SubList(
        "items",
        "children",
        members(text="itemId sku name", number="format status composingItemQuantity"),
        source="3.6",
    ),
    SubList("items", "images", members(text="imageId uri title"), source="3.6"),
    SubList(
        "items",
        "attributes",
        members(text="itemAttributeId value status"),
        of="item-attribute-values",
        by="itemId",
        source="3.6",
    ),
    SubList("items", "variable-attributes", members(text="name"), source="3.6"),
    SubList(
        "items",
        "units-of-measure",
        members(text="unitOfMeasureId supplierId supplierSku currency", number="cost quantityInUnit"),
        of="units-of-measure",
        by="itemId",
        source="3.6",
    ),
    SubList("items", "inventory-thresholds", members(text="locationName", number="threshold"), source="3.6"),
    SubList(
        "locations",
        "bins",
        members(text="binId locationId name status", number="default"),
        of="bins",
        by="locationId",
        source="3.7",
    ),
    SubList("channels", "listings", LISTING, of="listings", by="channelId", source="3.9"),
)

SUBLISTS_BY_NAME: dict[str, SubList] = {declared.store_name: declared for declared in SUBLISTS}
