"""Probe: whether this machine can draw with OpenGL, asked of a child, because a missing GL ends a process."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

SWITCH = "TWIN_GL"
"""Environment variable: `off` draws floor plans even where GL works; `on` trusts it without a probe."""

CURE = (
    "install it with: apt-get install --no-install-recommends libegl1 libgl1-mesa-dri; "
    'a floor plan, which needs no GL, is drawn with the look "plan"'
)

TRIAL = """
import os
if not os.environ.get("DISPLAY"):
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(8, 8)
window.AddRenderer(vtkRenderer())
window.Render()
print("drawn" if window.SupportsOpenGL() else "no")
"""


class ViewUnavailable(RuntimeError):
    """The wanted view cannot be drawn here; the message says why and how to mend it."""

    exit_code = 69


@cache
def gl_fault() -> str | None:
    """Why OpenGL cannot be used, with the cure; None where it can."""
    wish = os.environ.get(SWITCH, "")
    if wish == "off":
        return f"OpenGL is switched off by {SWITCH}=off; unset it to draw the hall"
    if wish == "on":
        return None
    try:
        words = [sys.executable, "-c", TRIAL]
        made = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"OpenGL could not be tried ({type(error).__name__}); {CURE}"
    if made.returncode == 0 and "drawn" in made.stdout:
        return None
    if "No module named" in made.stderr:
        return "pyvista is not installed; install it with: pip install pyvista"
    return f"OpenGL is missing on this machine (a trial picture ended with status {made.returncode}); {CURE}"


def choose_window() -> None:
    """Ask VTK for a window without a display, where there is none; wanted before pyvista is imported."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
