"""A form: a mapping of a document, whose fields are the keys it may hold, and the place where it stands."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Failed:
    """Stands for a field whose fault is told."""

    def __bool__(self) -> bool:
        return False


FAILED: Any = Failed()


class Form(BaseModel):
    """A mapping of a document; its fields are the keys it may hold."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    stands: ClassVar[str] = ""
    """Where it stands, as a path from the top, "[]" where it is one of a list; "" where that need not be told."""

    @property
    def complete(self) -> bool:
        """Whether all its fields could be read."""
        return all(value is not FAILED for value in self.__dict__.values())


@cache
def keys_of(form: type[Form]) -> dict[str, str]:
    """Key in the document -> field of the form."""
    return {field.alias or name: name for name, field in form.model_fields.items()}
