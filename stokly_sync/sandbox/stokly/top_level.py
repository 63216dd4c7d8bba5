"""Stokly's top-level collections, declared once, each with the section of the contract it comes from.

Belongs here: the shape as data. Filters know a field only by these tables, so that a misspelt field is
refused as the vendor would refuse it. Lists under a record are in `sublists`.
"""

from stokly_sync.sandbox.stokly.schema import Collection, address, both, members

_CUSTOMER = members(
    text="customerId barcode name fullName email phone notes currency mergedIntoId " + address("billing"),
    number="niceId type status accountBalance",
    time="createdAt updatedAt",
    list="tags",
)
_ORDER = members(
    text="saleOrderId stage sourceType sourceReferenceId sourceId channelName customerReference"
    " carrierReference barcode userId customerId customerName customerEmail customerPhone currency"
    f" paymentStatus locationId {address('billing')} {address('shipping')}",
    number="niceId exchangeRate amountPaid "
    + both("subtotal", "tax", "discount", "shippingCost", "shippingTax", "total"),
    time="createdAt updatedAt",
    list="itemStatuses tags",
)
_ITEM = members(
    text="itemId typeId typeName sku name barcode accountkey averageCostPriceCurrency saleCurrency taxClassId"
    " description manufacturer mpn harmonyCode countryOfOrigin",
    number="format attributeCount unitOfMeasureCount composingItemCount variantItemCount"
    " preferredStorageLocationCount imageCount inventoryThresholdCount storageLocationCount onOrder onHand"
    " sold allocated quarantined available status averageCostPrice weight weightUnit salePrice actualMargin"
    " actualProfitPercentage acquisition",
    time="timeCreated timeUpdated",
    flag="packIndividually isSold",
    list="barcodes tags",
)
LISTING = members(
    text="listingId channelId mappingId referenceId itemId sku name taxRate barcode mpn manufacturer"
    " itemTypeId itemTypeName saleCurrency taxClassId",
    number="type status averageCostPrice itemFormat salePrice",
    flag="dataSynchronised inventorySynchronised listToChannel deniedInventory",
    list="images",
    object="data",
)
REFUND = members(
    text="refundId saleOrderId creditNoteId status reason currency",
    number="niceId saleOrderNiceId displayTotal displayTax shippingRefund",
    time="createdAt",
)
DISPATCH = members(
    text="dispatchId saleOrderId locationId courier service trackingNumber trackingUrl status",
    number="niceId",
    time="dispatchedAt",
)
_ATTRIBUTE_VALUE = members(text="itemId itemAttributeId itemAttributeName value status", time="timeUpdated")
_UNIT = members(
    text="unitOfMeasureId itemId supplierId supplierName supplierSku currency", number="cost quantityInUnit"
)

_DECLARED = (
    Collection(
        "customers",
        "/v0/customers",
        ("customerId",),
        _CUSTOMER,
        created="createdAt",
        updated="updatedAt",
        deleted=0,
        detail=True,
        source="3.1, 5 #3",
    ),
    Collection(
        "saleorders",
        "/v2/saleorders",
        ("saleOrderId",),
        _ORDER,
        created="createdAt",
        updated="updatedAt",
        status_member="stage",
        deleted="removed",
        detail=True,
        detail_only=frozenset({"carrierReference"}),
        source="3.2, 5 #1",
    ),
    Collection(
        "invoices",
        "/v0/invoices",
        ("saleInvoiceId",),
        members(
            text="saleInvoiceId invoiceNumber saleOrderId currency status",
            number="niceId saleOrderNiceId",
            time="issueDate dueDate updatedAt",
        ),
        created="issueDate",
        updated="updatedAt",
        deleted="removed",
        detail=True,
        source="3.3, 5 #2",
    ),
    Collection(
        "refunds",
        "/v0/refunds",
        ("refundId",),
        REFUND,
        created="createdAt",
        deleted="removed",
        detail=True,
        source="5 #4",
    ),
    Collection(
        "credit-notes",
        "/v0/credit-notes",
        ("creditNoteId",),
        members(
            text="creditNoteId barcode currency referenceId status",
            number="niceId value balance referenceType",
            time="createdAt",
        ),
        created="createdAt",
        deleted="removed",
        source="5 #5",
    ),
    Collection(
        "returns",
        "/v0/returns",
        ("returnId",),
        members(text="returnId saleOrderId status", number="niceId", time="createdAt"),
        created="createdAt",
        deleted="removed",
        source="5 #7",
    ),
    Collection(
        "dispatches",
        "/v0/dispatches",
        ("dispatchId",),
        DISPATCH,
        created="dispatchedAt",
        deleted="removed",
        source="5 #8",
    ),
    Collection(
        "items",
        "/v0/items",
        ("itemId",),
        _ITEM,
        created="timeCreated",
        updated="timeUpdated",
        deleted=1,
        detail=True,
        detail_only=frozenset({"description", "manufacturer", "mpn", "harmonyCode", "countryOfOrigin"}),
        source="3.6",
    ),
    Collection(
        "item-barcodes",
        "/v0/item-barcodes",
        ("itemId", "barcode"),
        members(text="itemId barcode"),
        source="3.6",
    ),
    Collection(
        "item-attribute-values",
        "/v0/item-attribute-values",
        ("itemId", "itemAttributeId"),
        _ATTRIBUTE_VALUE,
        updated="timeUpdated",
        deleted="deleted",
        source="3.6",
    ),
    Collection(
        "item-attributes",
        "/v0/item-attributes",
        ("itemAttributeId",),
        members(
            text="itemAttributeId name defaultValue",
            number="type status",
            list="allowedValues allowedValueLabels",
        ),
        deleted=1,
        source="3.6",
    ),
    Collection(
        "item-types",
        "/v0/item-types",
        ("itemTypeId",),
        members(text="itemTypeId name", number="status"),
        deleted=1,
        source="3.6",
    ),
    Collection("units-of-measure", "/v0/units-of-measure", ("unitOfMeasureId",), _UNIT, source="3.6"),
    Collection(
        "composing-items",
        "/v0/composing-items",
        ("itemId", "composingItemId"),
        members(text="itemId composingItemId", number="quantity"),
        source="3.6",
    ),
    Collection("tags", "/v0/tags/items", ("value",), members(text="value group"), source="3.6"),
    Collection(
        "inventory-records",
        "/v1/inventory-records",
        ("itemId", "locationId", "binId"),
        members(
            text="itemId itemSku itemName locationId locationName binId binName",
            number="onHand quarantined onOrder allocated sold available",
        ),
        source="3.7",
    ),
    Collection(
        "locations",
        "/v0/locations",
        ("locationId",),
        members(text="locationId name", number="status"),
        deleted=1,
        source="3.7",
    ),
    Collection(
        "bins",
        "/v0/bins",
        ("binId",),
        members(text="binId locationId name status", number="default"),
        deleted="deleted",
        source="3.7",
    ),
    Collection(
        "channels",
        "/v0/channels",
        ("channelId",),
        members(
            text="channelId name",
            number="type status defaultInventory",
            flag="manageInventory syncData",
            list="inventoryLocationIds",
            object="data",
        ),
        deleted=2,
        detail=True,
        source="3.9",
    ),
    Collection(
        "listings",
        "/v0/listings",
        ("listingId",),
        LISTING,
        deleted=2,
        detail=True,
        detail_only=frozenset(
            [
                "barcode",
                "mpn",
                "manufacturer",
                "itemFormat",
                "itemTypeId",
                "itemTypeName",
                "salePrice",
                "saleCurrency",
                "taxClassId",
                "data",
            ]
        ),
        source="3.9",
    ),
    Collection(
        "tax-classes",
        "/v0/tax-classes",
        ("taxClassId",),
        members(text="taxClassId name", number="rate status"),
        deleted=1,
        source="5 #12",
    ),
)

COLLECTIONS: dict[str, Collection] = {declared.name: declared for declared in _DECLARED}

UNLISTED = frozenset({"listings"})
"""Collections without a list of their own: listings are listed under their channel only."""
