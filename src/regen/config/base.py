"""What every section of a configuration is, and how a bad value is refused in one line."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regen.errors import UserError
from regen.files import read_json

__all__ = ["Config", "Name", "Positive", "PositiveFloat", "load", "parse"]

Positive = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Config(BaseModel):
    """A section: immutable, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


AnyConfig = TypeVar("AnyConfig", bound=Config)


def parse(kind: type[AnyConfig], value: Any, where: str) -> AnyConfig:
    """Return `value` as a `kind`.

    Raises
    ------
    UserError
        One line: file, key, value, what is allowed.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise UserError(f"{where}: {_explain(kind, dict(problem))}") from None


def load(kind: type[AnyConfig], path: Path) -> AnyConfig:
    """Read a resolved configuration that `configure` wrote."""
    return parse(kind, read_json(path), str(path))


def _explain(kind: type[Config], problem: dict[str, Any]) -> str:
    """Turn pydantic's first problem into 'key = value: what is allowed'."""
    # A tagged union's tag is part of pydantic's location, not of the file's.
    location = [str(part) for part in problem["loc"] if part not in ("bernoulli", "gaussian")]
    key, value = ".".join(location), json.dumps(problem["input"], default=str)
    value = value if len(value) <= 60 else f"{value[:57]}..."
    match problem["type"]:
        case "extra_forbidden":
            return f"{key} = {value}: unknown key; allowed: {', '.join(_keys_at(kind, location[:-1]))}"
        case "missing":
            return f"{key}: missing; allowed: {', '.join(_keys_at(kind, location[:-1]))}"
        case "value_error":
            message = re.sub(r"^Value error, ", "", problem["msg"])
            return f"{key} = {value}: {message}" if key else message
        case "literal_error":
            return f"{key} = {value}: allowed: {problem['ctx']['expected']}"
        case "union_tag_invalid":
            return f"{key} = {value}: allowed: 'kind' one of {problem['ctx']['expected_tags']}"
        case "string_pattern_mismatch":
            return f"{key} = {value}: allowed: text that matches {problem['ctx']['pattern']}"
        case _:
            return f"{key} = {value}: {problem['msg'].replace('Input should be', 'allowed:', 1)}"


def _keys_at(kind: type[Config], location: list[str]) -> list[str]:
    """Return the keys that are allowed at a place, walking JSON schema references."""
    schema = kind.model_json_schema()
    definitions = schema.get("$defs", {})
    node: dict[str, Any] = schema
    for part in location:
        node = _resolve(node, definitions)
        children = [node.get("properties", {}).get(part), *node.get("patternProperties", {}).values(), node.get("items")]
        node = next((child for child in children if child), {})
    return list(_resolve(node, definitions).get("properties", {}))


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference; of alternatives, take the first that has properties."""
    if "$ref" in node:
        return dict(definitions[node["$ref"].rsplit("/", 1)[-1]])
    for option in node.get("anyOf", []) + node.get("oneOf", []):
        resolved = _resolve(option, definitions)
        if resolved.get("properties"):
            return resolved
    return node
