"""Whether another process still runs, asked without disturbing it."""

from __future__ import annotations

import os
import sys

_QUERY_LIMITED_INFORMATION = 0x1000
_STILL_ACTIVE = 259


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs on this machine."""
    if sys.platform == "win32":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if sys.platform == "win32":
    import ctypes

    def _is_alive_on_windows(pid: int) -> bool:
        """``os.kill(pid, 0)`` would end the process there."""
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return False
        try:
            code = ctypes.c_ulong()
            return bool(kernel.GetExitCodeProcess(handle, ctypes.byref(code))) and code.value == _STILL_ACTIVE
        finally:
            kernel.CloseHandle(handle)
