"""The OpenAPI description of an endpoint: Swagger 2.0 up to 23.200.001, OpenAPI 3.0.1 from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import INSTANCE
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.acumatica.endpoints import Endpoint
    from tests.sandbox.acumatica.shapes import Field, Inquiry, Shape

Schema = dict[str, Any]
_FIRST_OPENAPI_3 = "24.200.001"
_SELECT = "StringSingleSelectValue"
_VALUES: dict[str, Schema] = {
    "StringValue": {"type": "string"},
    "DecimalValue": {"format": "double", "type": "number"},
    "IntValue": {"format": "int32", "type": "integer"},
    "ShortValue": {"format": "int32", "type": "integer"},
    "LongValue": {"format": "int64", "type": "integer"},
    "BooleanValue": {"type": "boolean"},
    "GuidValue": {"format": "uuid", "type": "string"},
    "DateTimeValue": {"format": "date-time", "type": "string"},
}
_VALUES_5: dict[str, Schema] = {
    "DateOnlyValue": {"format": "date", "type": "string"},
    _SELECT: {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "description": {"type": "string", "nullable": True}},
    },
}
_CUSTOM = ("String", "Boolean", "Byte", "Short", "Int", "Long", "Decimal", "Double", "DateTime", "Guid")
_LIST_PARAMETERS = ("$select", "$filter", "$expand", "$custom", "$skip", "$top")


def document(endpoint: Endpoint, base_url: str) -> Schema:
    """The whole description of an endpoint."""
    if endpoint.based_on < _FIRST_OPENAPI_3:
        host = base_url.partition("://")[2]
        return {
            "swagger": "2.0",
            "info": _info(endpoint),
            "host": host,
            "basePath": endpoint.href.rstrip("/"),
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": _paths(endpoint),
            "definitions": _Schemas(endpoint, "#/definitions/").all(),
        }
    return {
        "openapi": "3.0.1",
        "info": _info(endpoint),
        "servers": [{"url": f"{base_url}{endpoint.href.rstrip('/')}"}],
        "paths": _paths(endpoint),
        "components": {"schemas": _Schemas(endpoint, "#/components/schemas/").all()},
    }


def site_document(base_url: str) -> Schema:
    """The description of the site level: sign-in and the list of endpoints."""
    answer = {"responses": {"200": {"description": "OK"}}}
    return {
        "openapi": "3.0.1",
        "info": {"title": "Site", "version": "1"},
        "servers": [{"url": f"{base_url}/{INSTANCE}/entity"}],
        "paths": {
            "/": {"get": answer},
            "/auth/login": {"post": answer},
            "/auth/logout": {"post": answer},
        },
    }


def _info(endpoint: Endpoint) -> Schema:
    return {
        "title": f"{endpoint.name}/{endpoint.version}",
        "description": "Default endpoint" if endpoint.is_built_in else "Customised endpoint",
        "version": str(endpoint.contract),
    }


def _paths(endpoint: Endpoint) -> Schema:
    is_old = endpoint.based_on < _FIRST_OPENAPI_3
    parameters = [_parameter(name, is_old=is_old) for name in _LIST_PARAMETERS]
    responses = {status: {"description": status} for status in ("200", "401", "403", "429", "500")}
    listing = {"parameters": parameters, "responses": responses}
    paths: Schema = {}
    for name in endpoint.entities:
        paths[f"/{name}"] = {"get": {"tags": [name], "operationId": f"{name}_GetList", **listing}}
        paths[f"/{name}/{{ids}}"] = {"get": {"tags": [name], "operationId": f"{name}_GetByKeys", **listing}}
    for name in endpoint.inquiries:
        paths[f"/{name}"] = {"put": {"tags": [name], "operationId": f"{name}_PutEntity", **listing}}
    return paths


def _parameter(name: str, *, is_old: bool) -> Schema:
    kind: Schema = {"type": "integer", "format": "int32"} if name in {"$skip", "$top"} else {"type": "string"}
    where = {"name": name, "in": "query", "required": False}
    return where | (kind if is_old else {"schema": kind})


class _Schemas:
    """The types of an endpoint."""

    def __init__(self, endpoint: Endpoint, prefix: str) -> None:
        self._endpoint = endpoint
        self._prefix = prefix
        self._select_types = endpoint.contract >= 5

    def all(self) -> Schema:
        """Every type by its name."""
        schemas = {**self._base(), **self._wrappers()}
        for entity in self._endpoint.entities.values():
            schemas.update(self._of(entity.shape))
        for inquiry in self._endpoint.inquiries.values():
            schemas.update(self._of(inquiry.results))
            schemas[inquiry.name] = self._inquiry(inquiry)
        return dict(sorted(schemas.items()))

    def _ref(self, name: str) -> Schema:
        return {"$ref": f"{self._prefix}{name}"}

    def _base(self) -> Schema:
        text = {"type": "string"}
        custom: Schema = {
            f"Custom{name}Field": {
                "allOf": [self._ref("CustomField"), {"type": "object", "properties": {"value": text}}]
            }
            for name in _CUSTOM
        }
        views = {"type": "object", "additionalProperties": self._ref("CustomField")}
        return custom | {
            "CustomField": {
                "type": "object",
                "required": ["type"],
                "properties": {"type": text},
                "discriminator": "type" if self._prefix == "#/definitions/" else {"propertyName": "type"},
            },
            "Entity": {
                "type": "object",
                "properties": {
                    "id": {"format": "uuid", "type": "string"},
                    "rowNumber": {"format": "int64", "type": "integer"},
                    "note": self._ref("StringValue"),
                    "custom": {"type": "object", "additionalProperties": views},
                    "error": text,
                    "files": {"type": "array", "items": self._ref("FileLink")},
                },
            },
            "FileLink": {
                "type": "object",
                "properties": {"id": {"format": "uuid", "type": "string"}, "filename": text, "href": text},
            },
            "HttpError": {
                "type": "object",
                "properties": dict.fromkeys(
                    ("message", "exceptionMessage", "exceptionType", "stackTrace", "messageDetail"), text
                )
                | {
                    "modelState": {"type": "object", "additionalProperties": {"type": "array", "items": text}}
                },
                "additionalProperties": {"type": "object"},
            },
        }

    def _wrappers(self) -> Schema:
        values = _VALUES | (_VALUES_5 if self._select_types else {})
        return {name: self._wrapper(value) for name, value in values.items()}

    def _wrapper(self, value: Schema) -> Schema:
        shown = {**value, "nullable": True} if self._select_types else value
        return {"type": "object", "properties": {"value": shown, "error": {"type": "string"}}}

    def _of(self, shape: Shape[Any]) -> Schema:
        """A type and every type that it is made of."""
        version = self._endpoint.based_on
        properties = {
            field.name: self._ref(self._wrapper_of(field))
            for field in shape.fields
            if field.served_in(version)
        }
        schemas: Schema = {}
        for link in shape.links:
            properties[link.name] = self._ref(link.shape.type_name)
            schemas.update(self._of(link.shape))
        for collection in shape.collections:
            properties[collection.name] = {"type": "array", "items": self._ref(collection.shape.type_name)}
            schemas.update(self._of(collection.shape))
        return schemas | {shape.type_name: self._entity(properties)}

    def _wrapper_of(self, field: Field[Any]) -> str:
        if field.choices is not None and self._select_types:
            return _SELECT
        return field.kind_in(self._endpoint.based_on).value

    def _entity(self, properties: Schema) -> Schema:
        own = {"type": "object", "properties": dict(sorted(properties.items()))}
        return {"allOf": [self._ref("Entity"), own]}

    def _inquiry(self, inquiry: Inquiry) -> Schema:
        properties = dict(self._fields_of(inquiry))
        properties["Results"] = {"type": "array", "items": self._ref(inquiry.results.type_name)}
        return self._entity(properties)

    def _fields_of(self, inquiry: Inquiry) -> Iterator[tuple[str, Schema]]:
        for name in inquiry.parameters:
            yield name, self._ref(Kind.STRING.value)
        for name in inquiry.flags:
            yield name, self._ref(Kind.BOOLEAN.value)
