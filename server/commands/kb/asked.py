"""What was given on the command line, held to the same rules as what is sent to the server."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from configs.engines import ConfigError

Body = TypeVar("Body", bound=BaseModel)


def asked(body: type[Body], **given: Any) -> Body:
    """Raises ConfigError that says which value is wrong."""
    try:
        return body.model_validate(given)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, problem['loc'])) or 'values'}: {problem['msg']}" for problem in error.errors()]
        raise ConfigError("; ".join(told)) from error
