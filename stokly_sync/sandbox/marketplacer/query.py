"""Running a query: parsing, validation, depth, the coercion of variables, execution.

Belongs here: GraphQL itself, with the messages of the vendor's server where they are known. What a query touches is
found before it runs, because some fields make the whole of it fail. Source: Marketplacer API contract 2.2, 2.3.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    VisitorAction,
    execute,
    get_named_type,
    parse,
    type_from_ast,
    validate,
    visit,
)
from graphql.execution import ExecutionResult
from graphql.utilities import coerce_input_value

from stokly_sync.sandbox.marketplacer.access import forbidden
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.schema import schema

MAX_DEPTH = 30
Answer = dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A query as it can be run again: its document or its errors, and every field that it touches."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    touched: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def prepare(text: str, kind: GraphQLSchema) -> Prepared:
    """Parse and validate a query; the outcome is kept, because clients send the same few texts again and again."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return Prepared(None, (error,))
    errors = validate(kind, document)
    if errors:
        return Prepared(None, tuple(errors))
    depth = _depth(document)
    if depth > MAX_DEPTH:
        return Prepared(None, (GraphQLError(f"Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}"),))
    seen = _Touched(TypeInfo(kind))
    visit(document, TypeInfoVisitor(seen.types, seen))
    return Prepared(document, (), tuple(seen.fields))


class _Touched(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.fields: dict[str, None] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> VisitorAction:
        """Note the field by its coordinate, such as `Invoice.order`."""
        parent = self.types.get_parent_type()
        if parent is not None:
            self.fields[f"{parent.name}.{node.name.value}"] = None
        return None


def _depth(document: DocumentNode) -> int:
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}

    def of(selection: SelectionSetNode | None) -> int:
        deepest = 0
        for part in selection.selections if selection is not None else ():
            if isinstance(part, FieldNode):
                deepest = max(deepest, 1 + of(part.selection_set))
            elif isinstance(part, FragmentSpreadNode):
                deepest = max(deepest, of(fragments[part.name.value].selection_set))
            else:
                deepest = max(deepest, of(getattr(part, "selection_set", None)))
        return deepest

    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    return max((of(operation.selection_set) for operation in operations), default=0)


def run(call: Call, text: str, variables: dict[str, Any], operation: str | None) -> Answer:
    """The answer to a query: `data`, `errors`, or both."""
    kind = schema(formatted_only=call.switches.formatted_only)
    prepared = prepare(text, kind)
    if prepared.document is None:
        return _errors(*prepared.errors)
    denied = forbidden(call.principal, prepared.touched)
    if denied is not None:
        message = f"You do not have permission to access '{denied.partition('.')[2]}'"
        return _errors(GraphQLError(message, extensions={"code": "PERMISSION_DENIED"}))
    wrong = _wrong_variables(kind, prepared.document, variables, operation)
    if wrong:
        return _errors(*wrong)
    call.system.mutations += any(field.startswith("Mutation.") for field in prepared.touched)
    result = execute(kind, prepared.document, context_value=call, variable_values=variables, operation_name=operation)
    return _answer(result)


def _answer(result: Any) -> Answer:
    if not isinstance(result, ExecutionResult):
        raise TypeError("The Marketplacer sandbox has a resolver that is not finished when it returns.")
    for error in result.errors or ():
        # A mistake of the sandbox must not look like an answer of the vendor.
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            raise error.original_error
    answer: Answer = {"data": result.data}
    return {**answer, "errors": [error.formatted for error in result.errors]} if result.errors else answer


def _errors(*errors: GraphQLError) -> Answer:
    return {"errors": [error.formatted for error in errors]}


def _wrong_variables(
    known: GraphQLSchema, document: DocumentNode, variables: dict[str, Any], operation: str | None
) -> list[GraphQLError]:
    """What is wrong with the variables, in the wording of the vendor's server."""
    wrong = []
    for part in document.definitions:
        if not isinstance(part, OperationDefinitionNode) or operation not in (None, getattr(part.name, "value", None)):
            continue
        for definition in part.variable_definitions or ():
            name, kind = definition.variable.name.value, type_from_ast(known, definition.type)
            problems: list[str] = []
            if name in variables:
                problems = _problems(variables[name], kind)
            elif isinstance(kind, GraphQLNonNull) and definition.default_value is None:
                problems = [""]
            if problems:
                told = f" for {', '.join(problems)}" if any(problems) else ""
                wrong.append(GraphQLError(f"Variable ${name} of type {kind} was provided invalid value{told}"))
    return wrong


def _problems(value: Any, kind: Any) -> list[str]:
    found: list[str] = []

    def note(path: list[str | int], _value: Any, error: GraphQLError) -> None:
        where = ".".join(map(str, path))
        found.append(f"{where} ({error.message})" if where else "")

    typed: GraphQLInputType = kind
    if get_named_type(typed) is not None:
        coerce_input_value(value, typed, note)
    return found
