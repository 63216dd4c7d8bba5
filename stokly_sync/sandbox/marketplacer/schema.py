"""The executable schema: the SDL beside this module, scalars, and the resolvers of the other modules.

Belongs here: putting them together. Every field without a resolver is the member of that name in snake case; a
`...Formatted` field is its `...Cents` twin as text. Arguments and input members arrive in snake case too.
Source: Marketplacer API contract 2.3, 2.4.
"""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from stokly_sync.sandbox.marketplacer import (
    catalogue_reads,
    catalogue_writes,
    nodes,
    order_reads,
    order_writes,
    refunds,
    settlement,
)
from stokly_sync.sandbox.marketplacer.call import Args, Call, Resolver
from stokly_sync.sandbox.marketplacer.ids import CURRENCY, formatted
from stokly_sync.sandbox.marketplacer.scalars import SCALARS

PARTS = (nodes, catalogue_reads, catalogue_writes, order_reads, order_writes, refunds, settlement)
ROOTS = ("Query", "Mutation")


@lru_cache(maxsize=2)
def schema(*, formatted_only: bool = False) -> GraphQLSchema:
    """The schema, with or without the deprecated `...Cents` fields; built once for all sandboxes of a process."""
    folder = files(__package__).joinpath("schema")
    texts = sorted(
        (entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith("graphql")
    )
    built = build_schema("\n".join(text for _, text in texts))
    resolvers: dict[str, Resolver] = {}
    for part in PARTS:
        resolvers |= part.RESOLVERS
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLScalarType) and kind.name in SCALARS:
            write, read = SCALARS[kind.name]
            kind.serialize, kind.parse_value = write, read  # type: ignore[assignment,method-assign]
        elif isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in list(kind.fields.items()):
                if formatted_only and field.deprecation_reason is not None and name.endswith("Cents"):
                    del kind.fields[name]
                else:
                    _attach(kind.name, name, field, resolvers)
        elif isinstance(kind, GraphQLInputObjectType):
            for name, member in kind.fields.items():
                member.out_name = snake(name)
        elif isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            kind.resolve_type = _type_of
    return built


def snake(name: str) -> str:
    """`countOnHand` as `count_on_hand`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _type_of(value: Any, *_more: Any) -> str:
    kind: str = value.kind
    return kind


def _attach(kind: str, name: str, field: GraphQLField, resolvers: dict[str, Resolver]) -> None:
    for argument, described in field.args.items():
        described.out_name = snake(argument)
    resolver = resolvers.get(f"{kind}.{name}")
    if resolver is None and name.endswith("Formatted"):
        cents = f"{name.removesuffix('Formatted')}Cents"
        resolver = _text_of(resolvers.get(f"{kind}.{cents}") or _member(snake(cents)))
    resolver = resolver or _member(snake(name))
    if kind in ROOTS:
        resolver = _guarded(name, resolver)
    field.resolve = _plugged(resolver)


def _plugged(resolver: Resolver) -> Any:
    def resolve(source: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        return resolver(source, info.context, args)

    return resolve


def _member(name: str) -> Resolver:
    return lambda source, _call, _args: source[name] if isinstance(source, dict) else getattr(source, name)


def _text_of(cents: Resolver) -> Resolver:
    def text(source: Any, call: Call, args: Args) -> str | None:
        if args.get("currency") not in (None, CURRENCY):
            raise GraphQLError(f"No exchange rate to {args['currency']}")
        amount = cents(source, call, {})
        return None if amount is None else formatted(amount)

    return text


def _guarded(name: str, resolver: Resolver) -> Resolver:
    """A root field behind its scope, and behind the failures that a switch asks for."""

    def resolve(source: Any, call: Call, args: Args) -> Any:
        if name in call.switches.missing_scopes:
            raise GraphQLError(f"The API key lacks the scope for {name}", extensions={"code": "MISSING_SCOPE"})
        if name in call.switches.failing_fields:
            raise GraphQLError(call.switches.failing_fields[name])
        return resolver(source, call, args)

    return resolve
