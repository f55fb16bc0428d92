"""What every section of a configuration is, and how a bad value is refused in one line."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regen.common.errors import UserError
from regen.common.files import read_json

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
    location = [str(part) for part in problem["loc"]]
    path, _ = _walk(kind, location)
    _, siblings = _walk(kind, location[:-1])
    key, value = ".".join(path), json.dumps(problem["input"], default=str, skipkeys=True)
    value = value if len(value) <= 60 else f"{value[:57]}..."
    match problem["type"]:
        case "extra_forbidden":
            return f"{key} = {value}: unknown key; allowed: {', '.join(siblings)}"
        case "missing":
            return f"{key}: missing; allowed: {', '.join(siblings)}"
        case "value_error":
            # The section's own check: its message names the key and the value.
            return f"{key}{': ' if key else ''}{re.sub(r'^Value error, ', '', problem['msg'])}"
        case "literal_error":
            return f"{key} = {value}: allowed: {problem['ctx']['expected']}"
        case "union_tag_invalid":
            return f"{key} = {value}: allowed: {problem['ctx']['discriminator']} one of {problem['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return f"{key}.{problem['ctx']['discriminator'].strip(chr(39))}: missing; allowed: {', '.join(_walk(kind, location)[1])}"
        case "string_pattern_mismatch":
            return f"{key} = {value}: allowed: text that matches {problem['ctx']['pattern']}"
        case _:
            return f"{key} = {value}: {problem['msg'].replace('Input should be', 'allowed:', 1)}"


def _walk(kind: type[Config], location: list[str]) -> tuple[list[str], list[str]]:
    """Return a location without the tags of tagged unions, and the keys (or tags) that are allowed there."""
    schema = kind.model_json_schema()
    node: dict[str, Any] = schema
    path = []
    for part in location:
        tags = node.get("discriminator", {}).get("mapping", {})
        if part in tags:
            node = {"$ref": tags[part]}
        else:
            path.append(part)
            children = [node.get("properties", {}).get(part), *node.get("patternProperties", {}).values(), node.get("items")]
            node = next((child for child in children if child), {})
        options = [node, *node.get("anyOf", [])]
        reference = next((option["$ref"] for option in options if "$ref" in option), None)
        if reference is not None:
            node = schema["$defs"][reference.rsplit("/", 1)[-1]]
    return path, list(node.get("properties", {}) or node.get("discriminator", {}).get("mapping", {}))
