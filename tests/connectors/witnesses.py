"""What others say that a service asks and answers, held against what our connectors ask, read, and are told in tests.

A witness is a file in ``tests/witnesses``: of each operation the query, headers, body and answer as JSON Schema, and
who says so (an official specification, a recorded answer, the server's source). Objects are closed unless they say
otherwise: a field that no witness shows is drift, on our side or on the stand-in's.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from graphql import (
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    parse,
)
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[1] / "witnesses"
Schema = dict[str, Any]
# Connector and stream that ask, while a connector's function runs.
ASKING: ContextVar[tuple[str, str]] = ContextVar("ASKING")


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(Closed):
    """Who says so: a repository at a commit, or a page of the vendor."""

    what: str
    kind: Literal["specification", "schema", "recorded", "source", "program", "documentation"]
    repository: str = ""
    commit: str = ""
    path: str = ""
    address: str = ""
    package: str = ""


class Answer(Closed):
    """One operation: what is asked and what is answered, by whom it is witnessed."""

    # FILE is what a program leaves in a folder: its name takes the place of the path.
    operation: str = Field(pattern=r"^(GET|POST|FILE) /")
    origin: tuple[str, ...] = Field(min_length=1)
    query: Schema = {}
    headers: Schema = {}
    body: Schema = {}
    answer: Schema
    # Name of a published GraphQL schema: the answer's form follows from the document that is sent.
    graphql: str = ""

    @property
    def method(self) -> str:
        return self.operation.split(" ", 1)[0]

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is this operation: the template is the end of its path."""
        template = re.sub(r"\\\{[^{}]*\\\}", "[^/]+", re.escape(self.operation.split(" ", 1)[1]))
        return method == self.method and re.search(f"{template}$", path) is not None


class Resource(Closed):
    """A type of resource in a table of Azure Resource Graph, and the form of its ``properties``."""

    table: str
    type: str
    origin: tuple[str, ...] = Field(min_length=1)
    properties: Schema


class Unwitnessed(Closed):
    """A field that is read although nobody outside shows it."""

    operation: str
    field: str
    why: str


# Part -> itself, the definitions that it may name, and what holds a value against it.
_VALIDATORS: dict[int, tuple[Schema, dict[str, Schema], Draft202012Validator]] = {}


class Witness(Closed):
    """One file: a source as its own documents describe it."""

    source: str
    kinds: tuple[str, ...]
    origin: dict[str, Origin]
    answers: tuple[Answer, ...] = ()
    resources: tuple[Resource, ...] = ()
    unwitnessed: tuple[Unwitnessed, ...] = ()
    defs: dict[str, Schema] = Field(default={}, alias="$defs")

    def schema(self, part: Schema) -> Schema:
        """Return a part as a whole schema, every object closed."""
        return closed({**part, "$defs": self.defs})

    def check(self) -> None:
        """Raise where a schema is no schema or names an origin that is not listed."""
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - builds a grammar first: a second of each worker

        # Once, and not with each part: to hold a schema against the form of schemas follows no reference.
        Draft202012Validator.check_schema(self.schema({}))
        for answer in self.answers:
            assert set(answer.origin) <= set(self.origin), f"{answer.operation}: {answer.origin}"
            for part in (answer.query, answer.headers, answer.body, answer.answer):
                Draft202012Validator.check_schema(closed(part))
        for resource in self.resources:
            assert set(resource.origin) <= set(self.origin), f"{resource.type}: {resource.origin}"
            Draft202012Validator.check_schema(closed(resource.properties))

    def _validator(self, part: Schema) -> Draft202012Validator:
        """Return what holds a value against a part; each is made once."""
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - as above

        known = _VALIDATORS.get(id(part))
        # Of a part that is gone another one may have the number.
        if known is None or known[0] is not part or known[1] is not self.defs:
            known = _VALIDATORS[id(part)] = (part, self.defs, Draft202012Validator(self.schema(part)))
        return known[2]

    def disagreements(self, part: Schema, value: Any) -> Iterator[str]:
        """Yield where a value disagrees with a part of this witness: place and why, never the value.

        The planted texts of the stand-ins stand for what must not be printed.
        """
        for error in self._validator(part).iter_errors(value):
            place = ".".join("[]" if isinstance(step, int) else str(step) for step in error.absolute_path)
            yield f"{place or '(whole)'}: {reason(error)}"


@cache
def witnesses() -> dict[str, Witness]:
    """Return all files by name."""
    return {
        path.stem: Witness.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.yaml"))
    }


def closed(schema: Any) -> Any:
    """Return a schema in which an object with properties has no others, unless it says so."""
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for word, part in schema.items():
        if word in {"properties", "$defs"}:
            found[word] = {name: closed(value) for name, value in part.items()}
        elif word in {"anyOf", "oneOf", "allOf"}:
            found[word] = [closed(value) for value in part]
        else:
            found[word] = closed(part) if word in {"items", "additionalProperties"} else part
    if "properties" in schema and not {"additionalProperties", "allOf"} & set(schema):
        found["additionalProperties"] = False
    return found


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as a connector saw them."""

    kind: str
    stream: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    answer: Any


@dataclass
class Recorder:
    """Exchanges seen, and the fields of their answers that were read, by connector, stream and operation."""

    exchanges: list[Exchange] = field(default_factory=list)
    reads: dict[tuple[str, str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, request: Any, content: Any) -> Any:
        """Note an answer of httpx; returns it as objects that note what is read of them."""
        kind, stream = ASKING.get(("", ""))
        address = urlsplit(str(request.url))
        query = {name: ",".join(values) for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        exchange = Exchange(
            kind, stream, request.method, unquote(address.path), query, dict(request.headers), sent(request), content
        )
        self.exchanges.append(exchange)
        found = operation_of(exchange)
        return self._traced(exchange, found)

    def add_file(self, name: str, content: Any) -> Any:
        """Note a file that a connector reads; returns its content as objects that note what is read of them."""
        kind, stream = ASKING.get(("", ""))
        exchange = Exchange(kind, stream, "FILE", f"/{name}", {}, {}, None, content)
        self.exchanges.append(exchange)
        return self._traced(exchange, operation_of(exchange))

    def _traced(self, exchange: Exchange, found: tuple[Witness, Answer] | None) -> Any:
        name = found[1].operation if found else f"{exchange.method} {exchange.path}"
        return traced(exchange.answer, "", self.reads[exchange.kind, exchange.stream, name])


def sent(request: Any) -> Any:
    """Return a request's body as JSON or as a form, or None."""
    content = request.read()
    if not content:
        return None
    if request.headers.get("content-type", "").startswith("application/json"):
        return json.loads(content)
    return {name: ",".join(values) for name, values in parse_qs(content.decode()).items()}


def operation_of(exchange: Exchange, known: Iterable[Witness] | None = None) -> tuple[Witness, Answer] | None:
    """Return the witness of a request: of several templates that fit the most exact one."""
    found = [
        (witness, answer)
        for witness in (witnesses().values() if known is None else known)
        if exchange.kind in witness.kinds
        for answer in witness.answers
        if answer.fits(exchange.method, exchange.path)
    ]
    return max(found, key=lambda pair: len(re.sub(r"\{[^{}]*\}", "", pair[1].operation)), default=None)


def faults(exchange: Exchange, known: Iterable[Witness] | None = None) -> Iterator[str]:
    """Yield where a request or its answer disagrees with the witness."""
    found = operation_of(exchange, known)
    who = f"{exchange.kind}/{exchange.stream}: {exchange.method} {exchange.path}"
    if found is None:
        yield f"{who}: no witness for this operation"
        return
    witness, answer = found
    told = answer_schema(answer, exchange)
    parts: tuple[tuple[str, Schema, Any], ...] = (
        ("query", answer.query or {"properties": {}}, dict(exchange.query)),
        ("headers", {"additionalProperties": True, **answer.headers}, dict(exchange.headers)),
        ("body", answer.body, exchange.body),
        ("answer", told, exchange.answer),
    )
    for name, part, value in parts:
        if name == "body" and not part:
            continue
        for said in witness.disagreements(part, value):
            yield f"{who}: {name} {said}"


def answer_schema(answer: Answer, exchange: Exchange) -> Schema:
    """Return what may be answered: of GraphQL what the document that was sent asks for, by the published schema."""
    if not answer.graphql:
        return answer.answer
    (operation,) = parse(exchange.body["query"]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    published = published_schema(answer.graphql)
    assert published.query_type
    data = _selected(published, published.query_type, operation.selection_set)
    return {"type": "object", "required": ["data"], "properties": {"data": data}}


@cache
def published_schema(name: str) -> GraphQLSchema:
    """Return a GraphQL schema that the tests fetched from npm."""
    text = (Path(sys.prefix) / "oracles" / "npm" / name / "schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True)


_SCALARS = {"String": "string", "ID": "string", "Int": "integer", "Float": "number", "Boolean": "boolean"}


def _told(published: GraphQLSchema, kind: Any, selected: SelectionSetNode | None) -> Schema:
    """Return the JSON Schema of a GraphQL type, of an object only the fields that were selected."""
    if is_non_null_type(kind):
        return _present(published, kind.of_type, selected)
    return {"anyOf": [_present(published, kind, selected), {"type": "null"}]}


def _present(published: GraphQLSchema, kind: Any, selected: SelectionSetNode | None) -> Schema:
    if is_list_type(kind):
        return {"type": "array", "items": _told(published, kind.of_type, selected)}
    if selected is not None:
        return _selected(published, kind, selected)
    if is_enum_type(kind):
        return {"enum": list(kind.values)}
    return {"type": _SCALARS[kind.name]} if kind.name in _SCALARS else {}


def _selected(published: GraphQLSchema, kind: Any, selected: SelectionSetNode) -> Schema:
    fields: dict[str, Schema] = {}
    always: list[str] = []
    for node in selected.selections:
        if isinstance(node, InlineFragmentNode):
            of = published.type_map[node.type_condition.name.value] if node.type_condition else kind
            fields |= _selected(published, of, node.selection_set)["properties"]
        elif isinstance(node, FieldNode):
            name = (node.alias or node.name).value
            always.append(name)
            if node.name.value == "__typename":
                fields[name] = {"type": "string"}
            else:
                fields[name] = _told(published, kind.fields[node.name.value].type, node.selection_set)
    # A node of another type than the fragments name is an empty object.
    required = always if all(isinstance(node, FieldNode) for node in selected.selections) else []
    return {"type": "object", "properties": fields, "required": required}


def reason(error: Any) -> str:
    """Return why, with names of fields and without values."""
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", {}))
        return f"fields that no witness shows: {', '.join(sorted(set(error.instance) - known))}"
    if error.validator == "required":
        return f"missing: {', '.join(sorted(set(error.validator_value) - set(error.instance)))}"
    return f"{error.validator} {str(error.validator_value)[:120]}"


_VERSION = re.compile(r"v?\d+(?:\.\d+)+\S*")


class TracedDict(dict[str, Any]):
    """An object of an answer that notes which of its fields were asked for."""

    __slots__ = ("place", "seen")

    def __init__(self, content: Mapping[str, Any], place: str, seen: set[str]) -> None:
        self.place, self.seen = place, seen
        super().__init__({key: traced(value, self._at(key), seen) for key, value in content.items()})

    def _at(self, key: object) -> str:
        # A version as a key is no field of its own: it stands for any.
        name = "*" if _VERSION.fullmatch(str(key)) else key
        return f"{self.place}.{name}".lstrip(".")

    def _note(self, key: object) -> None:
        self.seen.add(self._at(key))

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:  # type: ignore[override]
        self._note(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self._note(key)
        return super().pop(key, *default)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._note("*")
        return super().__iter__()

    def keys(self) -> Any:
        self._note("*")
        return super().keys()

    def values(self) -> Any:
        self._note("*")
        return super().values()

    def items(self) -> Any:
        self._note("*")
        return super().items()


def traced(content: Any, place: str, seen: set[str]) -> Any:
    """Return JSON content as objects that note what is read."""
    if isinstance(content, dict):
        return TracedDict(content, place, seen)
    if isinstance(content, list):
        return [traced(item, f"{place}[]", seen) for item in content]
    return content


def fields_of(schema: Schema, defs: Mapping[str, Schema], seen: tuple[str, ...] = ()) -> set[str]:
    """Return the fields of a schema as paths: ``data[].labels.*`` is any key of a map."""
    reference = str(schema.get("$ref", ""))
    if reference:
        name = reference.rsplit("/", 1)[-1]
        return set() if seen.count(name) > 1 else fields_of(defs[name], defs, (*seen, name))
    found: set[str] = set()
    for branch in (part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())):
        found |= fields_of(branch, defs, seen)
    for key, value in schema.get("properties", {}).items():
        found.add(key)
        found |= {joined(key, rest) for rest in fields_of(value, defs, seen)}
    more = schema.get("additionalProperties", schema.get("properties") is None and schema.get("type") == "object")
    if more:
        found.add("*")
        found |= {joined("*", rest) for rest in fields_of(more, defs, seen)} if isinstance(more, dict) else {"*.**"}
    if isinstance(schema.get("items"), dict):
        found |= {joined("[]", rest) for rest in fields_of(schema["items"], defs, seen)} | {"[]"}
    return found


def joined(key: str, rest: str) -> str:
    """Return a path that goes on."""
    return f"{key}{rest}" if rest.startswith("[]") else f"{key}.{rest}"


def is_shown(read: str, fields: Iterable[str]) -> bool:
    """Whether one of the paths of a schema covers a path that was read."""
    return any(_pattern(path).fullmatch(read) for path in fields)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    if path == "**":
        # A published schema that the document was held against shows all of its answer.
        return re.compile(".*")
    text = re.escape(path).replace(r"\.\*\*", r"(?:[.\[].*)?")
    return re.compile(re.sub(r"(^|\\\.|\])\\\*", r"\1[^.\\[]+", text))
