"""Whether everything is ready to run: settings, database, clocks, systems, rights, custom fields on both sides.

Reads only; the one thing it tries to write, to see whether it may, is taken back. Each line is well or says what to do.
What a vendor has to be asked belongs to its system's `probe`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts.mapping import (
    CONTACT_SOURCES,
    ORDER_SOURCES,
    PRODUCT_SOURCES,
    PropertyField,
    Sources,
    mapped,
)
from stokly_sync.errors import PermanentError, SettingsError, StoklySyncError, TransientError
from stokly_sync.flow import Lane, Probe, System
from stokly_sync.pipeline.channels import beginnings
from stokly_sync.pipeline.instance_storage import choose_backend
from stokly_sync.pipeline.sensors import alert_channels
from stokly_sync.pipeline.services import Services
from stokly_sync.systems.transport import reach
from stokly_sync.warehouse.bulk import read_frame
from stokly_sync.warehouse.migrations import revision_of
from stokly_sync.warehouse.tables import LANDED, REFERENCE, RUN_FIGURES

MOST_APART: Final = timedelta(seconds=30)
"""Clocks that differ by more put changes into wrong windows, and signatures are refused."""
SAMPLE: Final = 500
"""Newest landed rows that a custom field is looked for in."""
_SOURCES: Final[Mapping[str, Sources]] = {
    "contact": CONTACT_SOURCES,
    "product": PRODUCT_SOURCES,
    "order": ORDER_SOURCES,
}
_CLOCK_ADVICE: Final = "Let this machine take its time from a time server."


def examine(services: Services, environ: Mapping[str, str]) -> Iterator[Probe]:
    """Every line of the doctor, in the order in which things have to be put right."""
    settings = services.settings
    yield Probe(
        "settings", True, f"read from {settings.source or 'the environment alone'}; brand {settings.core.brand}"
    )
    yield from _database(services)
    yield Probe("Dagster", True, choose_backend(environ).label)
    yield _alerts(services)
    for system in services.declared.systems.values():
        yield from _system(services, system)
    for begun in beginnings(services):
        yield Probe(f"orders of {begun.channel.title()}", True, begun.sentence, begun.advice)


def _database(services: Services) -> Iterator[Probe]:
    engine = services.warehouse.engine
    name = engine.dialect.name
    development = name == "sqlite" and services.settings.core.env == "production"
    yield Probe("database", not development, f"{name} can be reached")
    revision = revision_of(engine)
    yield Probe("migrations", revision is not None, f"the schema is current, at step {revision}")
    yield _may_write(services)
    if name == "postgresql":
        began = datetime.now(UTC)
        with engine.connect() as conn:
            there = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        yield _clock("clock of the database", there - began)


def _may_write(services: Services) -> Probe:
    try:
        with services.warehouse.engine.connect() as conn:
            row = {"brand": services.warehouse.brand, "run_id": "doctor", "subject": "doctor", "stage": "plan"}
            conn.execute(sa.insert(RUN_FIGURES).values(**row, at=datetime.now(UTC), body="{}"))
            conn.rollback()
    except sa.exc.DBAPIError as error:
        advice = "Give the role of STOKLY_SYNC_DATABASE_URL the right to write, and the disk some room."
        return Probe("writing to the database", False, f"refused ({type(error.orig).__name__})", advice)
    return Probe("writing to the database", True, "allowed; the try was taken back")


def _clock(subject: str, ahead: timedelta) -> Probe:
    seconds = ahead.total_seconds()
    if abs(ahead) <= MOST_APART:
        return Probe(subject, True, "agrees with ours" if abs(seconds) < 2 else f"{seconds:+.0f} s from ours")
    return Probe(subject, False, f"{seconds:+.0f} s from ours", _CLOCK_ADVICE)


def _alerts(services: Services) -> Probe:
    try:
        set_up = alert_channels(services.settings.core)
    except SettingsError as error:
        return Probe("alerts", False, str(error), "Correct the address; until then nothing is told through any.")
    addresses = len(set_up.everybody) - 1 + sum(map(len, set_up.teams.values()))
    if not addresses:
        advice = "Set STOKLY_SYNC_ALERTS so that somebody hears of problems."
        return Probe("alerts", True, "go to the log alone", advice)
    return Probe("alerts", True, f"go to the log and to {addresses} addresses")


def _system(services: Services, system: System) -> Iterator[Probe]:
    model = services.settings.systems[system.name]
    if system.name not in services.declared.enabled:
        missing = ", ".join(f"{system.name.upper()}_{name.upper()}" for name in model.missing)
        yield Probe(system.title, True, f"off: {missing} not set", "Set them to switch it on.")
        return
    yield Probe(f"{system.title} credentials", True, "set")
    there = list(_reachable(system, model))
    yield from there
    if system.probe is not None and all(probe.ok for probe in there[:1]):
        try:
            yield from system.probe(services.client(system.name, Lane.INTERVAL))
        except StoklySyncError as error:
            yield Probe(system.title, False, str(error), "Put this right, then ask the doctor again.")
    yield from _custom_fields(services, system, model)


def _reachable(system: System, model: Any) -> Iterator[Probe]:
    """Reachability first, then the clock; nothing for a system without an address of its own."""
    address = getattr(model, "base_url", None)
    if not address:
        return
    subject, variable = f"{system.title} address", f"{system.name.upper()}_BASE_URL"
    try:
        found = reach(address, verify_tls=getattr(model, "verify_tls", True))
    except (TransientError, PermanentError) as error:
        yield Probe(subject, False, str(error), f"Check {variable}, the network, and whether the vendor is down.")
        return
    yield Probe(subject, True, f"answers in {found.elapsed.total_seconds() * 1000:.0f} ms")
    if found.ahead is not None:
        yield _clock(f"{system.title} clock", found.ahead)


def _custom_fields(services: Services, system: System, model: Any) -> Iterator[Probe]:
    """Mapped fields looked for in what is landed; the destination's side is the system's own probe (X22)."""
    for setting in type(model).model_fields:
        kind = setting.partition("_")[0]
        mapping = getattr(model, setting)
        if kind in _SOURCES and isinstance(mapping, dict) and mapping:
            fields = {name: field for name, field in mapping.items() if isinstance(field, PropertyField)}
            yield _sourced(services, f"{system.title} {setting} at the source", fields, _SOURCES[kind])


def _sourced(services: Services, subject: str, fields: Mapping[str, PropertyField], sources: Sources) -> Probe:
    table = LANDED[sources.table.name]
    query = sa.select(table).where(table.c.brand == services.warehouse.brand)
    with services.warehouse.reading() as conn:
        rows = read_frame(conn, query.order_by(table.c.window_start.desc()).limit(SAMPLE))
        attributes = _attributes(conn, services)
    unknown = [
        f"{name} (from {field.source})"
        for name, field in fields.items()
        if attributes and field.source.startswith("attributes.") and field.source.split(".", 1)[1] not in attributes
    ]
    if unknown:
        advice = "Correct the attribute's name in the settings, or make the attribute in Stokly."
        return Probe(subject, False, f"no such attribute: {', '.join(unknown)}", advice)
    if rows.empty:
        return Probe(subject, True, f"{len(fields)} mapped; nothing is landed yet to look at")
    found = mapped(rows, fields, sources)
    if found.misfits:
        advice = "Correct the type in the settings, or the value in Stokly."
        return Probe(
            subject, False, f"{len(found.misfits)} of {len(rows)} rows: {next(iter(found.misfits.values()))}", advice
        )
    seen = {name for properties in found.properties for name in properties}
    missing = sorted(set(fields) - seen)
    if missing:
        advice = "Check the spelling, unless they are rare."
        return Probe(subject, True, f"not in the newest {len(rows)} rows: {', '.join(missing)}", advice)
    return Probe(subject, True, f"all {len(fields)} seen in the newest {len(rows)} rows")


def _attributes(conn: sa.Connection, services: Services) -> frozenset[str]:
    """Names of the home system's item attributes, as they were last read; none before that."""
    c = REFERENCE.c
    query = sa.select(c.body).where(
        c.brand == services.warehouse.brand,
        c.system == services.declared.home,
        c.kind == "item_attributes",
        c.valid_to.is_(None),
    )
    return frozenset(str(msgspec.json.decode(body).get("name")) for body in conn.execute(query).scalars())
