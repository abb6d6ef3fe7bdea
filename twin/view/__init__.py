"""View: a trace and a moment in, a picture out; the only room that draws in three dimensions.

    from twin.view import picture

    picture("drill.h5", at=750.0, colour="rack.die_temperature", output=Path("hall.png"))

Where OpenGL is missing the look "plan" still draws; "auto" chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.view.probe import ViewUnavailable, gl_fault

__all__ = ["LOOKS", "BadWish", "ViewUnavailable", "gl_fault", "picture"]

if TYPE_CHECKING:
    from twin.view.compose import LOOKS as LOOKS
    from twin.view.compose import picture as picture
    from twin.view.reading import BadWish as BadWish


def __getattr__(name: str) -> Any:
    """Fetch what draws only when it is asked for, so that importing the room costs nothing."""
    if name == "BadWish":
        from twin.view.reading import BadWish

        return BadWish
    if name in ("LOOKS", "picture"):
        import importlib

        return getattr(importlib.import_module("twin.view.compose"), name)
    raise AttributeError(f"module 'twin.view' has no attribute '{name}'")
