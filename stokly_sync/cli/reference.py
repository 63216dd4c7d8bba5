"""The reference pages in `docs/`: made from what is declared, so that they cannot drift; a test compares them.

stokly-sync settings --markdown > docs/settings.md
stokly-sync rules --markdown > docs/rules.md
stokly-sync rules --manual docs/operations
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from stokly_sync.contracts.consent import RULES as CONSENT_RULES
from stokly_sync.contracts.guests import RULES as GUEST_RULES
from stokly_sync.contracts.rules import Effect, Rule
from stokly_sync.delivery.rules import RULES as DELIVERY_RULES
from stokly_sync.flow import Team
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.settings import ENVIRONMENT_PREFIX, Core
from stokly_sync.systems import SYSTEMS

_SETTINGS = """# Settings

Every setting is read from the environment, and otherwise from `stokly_sync.toml` in the working directory (or where
`STOKLY_SYNC_CONFIG` points). The file is not needed for the defaults. Secrets are read from the environment alone; one
that stands in the file is refused. A system is on when its credentials are set. Whatever is wrong or missing is named,
all at once and with its place, before anything runs; `stokly-sync doctor` looks further.

A brand beside the default one has its own values under `[brands.NAME]` and `[brands.NAME.SYSTEM]` in the file, and in
variables that begin with its name, such as `ACME_OMETRIA_API_KEY`; `STOKLY_SYNC_BRAND` says which brand a process
serves.

```toml
currency = "GBP"

[stokly]
rate_per_minute = 120

[ometria]
guests = "send"

[ometria.modes]             # write, observe (plan and reconcile, send nothing) or off
orders = "observe"

[ometria.contact_properties.notes]
source = "extra.notes"      # a column, attributes.NAME, tags.PREFIX or extra.MEMBER
type = "text"
```
"""

_RULES = """# Rules

Every rule that can keep a record back has a stable code. *Quarantine*: kept back as an exception until it passes, and
released by itself then. *Exclude*: left out by policy; nobody's work. *Park*: waits for something that is expected to
come. *Reject*: refused by the destination, and held until its content, the rule or what it depends on changes.
"""


def settings() -> str:
    """The page of all settings."""
    parts = [_SETTINGS]
    for title, prefix, section, model in sections():
        table = ((f"`{e}`", f"`{p}`", f"`{d}`", m) for e, p, d, m in rows(prefix, section, model))
        parts.append(f"## {title}\n\n" + _table(("environment", "in the file", "default", "meaning"), table))
    return "\n".join(parts)


def rules() -> str:
    """The page of all rules, by the system that they belong to."""
    parts = [_RULES]
    for title, some in (
        *((s.title, s.rules) for s in SYSTEMS),
        ("Consent", CONSENT_RULES),
        ("Guests", GUEST_RULES),
        ("Delivery, for every destination", DELIVERY_RULES),
    ):
        parts.append(f"## {title}\n\n" + _table(_COLUMNS, map(_row, sorted(some, key=lambda rule: rule.code))))
    return "\n".join(parts)


def manual(team: Team, page: str) -> str:
    """A team's page of the operations manual with the table of its rules renewed; the rest stays as it is.

    Raises ValueError when the page has not both marks.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page of {team.value} has no place for the rules: {_BEGIN} and {_END}")
    own = [rule for rule in all_rules(SYSTEMS).values() if rule.owner is team]
    table = _table(_MANUAL_COLUMNS, ((f"`{r.code}`", r.problem, r.advice, _EFFECTS[r.effect]) for r in own))
    return f"{before}{begin}\n{table}{end}{after}"


_BEGIN = "<!-- rules: begin -->"
_END = "<!-- rules: end -->"
_MANUAL_COLUMNS = ("code", "what is wrong", "what to do", "the record")
_EFFECTS = {
    Effect.QUARANTINE: "is kept back until it is corrected",
    Effect.EXCLUDE: "is left out",
    Effect.PARK: "waits",
    Effect.REJECT: "was refused, and is held",
}
_COLUMNS = ("code", "what is wrong", "what to do", "owner", "effect", "severity", "requirement")


def _row(rule: Rule) -> tuple[str, ...]:
    words = (rule.problem, rule.advice, rule.owner.value, rule.effect.value, rule.severity.value, rule.requirement)
    return (f"`{rule.code}`", *words)


def _table(columns: tuple[str, ...], cells: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join(lines) + "\n"


def sections() -> Iterator[tuple[str, str, str, type[BaseModel]]]:
    """Title, prefix of the environment, table of the file, and model of each group of settings."""
    yield "stokly-sync", ENVIRONMENT_PREFIX, "", Core
    for system in SYSTEMS:
        yield system.title, f"{system.name.upper()}_", system.name, system.settings


def rows(prefix: str, section: str, model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    """Variable, place in the file, default and meaning of each setting of a group."""
    for name, field in model.model_fields.items():
        hidden = "SecretStr" in str(field.annotation) or (not section and name == "database_url")
        place = "(environment only)" if hidden else f"[{section}] {name}" if section else name
        yield f"{prefix}{name.upper()}", place, _default(field), field.description or ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        return "secret"
    if isinstance(value, BaseModel):
        return json.dumps(value.model_dump(mode="json"))
    if field.default_factory is not None and not isinstance(value, dict | tuple | list):
        return "worked out at start"
    return str(value) if isinstance(value, str) else json.dumps(value, default=str)
