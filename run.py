"""Make the environment and run something in it, with nothing but Python 3.11 or newer on the machine.

    python3 run.py lab          any drainboard command: here the console on a simulated cluster
    python3 run.py test         the tests (further arguments go to pytest)
    python3 run.py install      only make the environment

The environment is ``.venv`` beside this file, made from the pinned, hashed ``constraints.txt`` and made anew when
that file changes. On Windows say ``py`` for ``python3``.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
CONSTRAINTS = ROOT / "constraints.txt"
STAMP = ENVIRONMENT / "installed-constraints.sha256"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python runs this file first)
        print(f"Drainboard needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    wanted = hashlib.sha256(CONSTRAINTS.read_bytes()).hexdigest()
    if not PYTHON.exists() or not STAMP.exists() or STAMP.read_text(encoding="ascii") != wanted:
        if not install():
            return 2
        STAMP.write_text(wanted, encoding="ascii")
    if arguments[:1] == ["install"]:
        return 0
    if arguments[:1] == ["test"]:
        os.chdir(ROOT)
        return run(["-m", "pytest", *arguments[1:]])
    return run(["-m", "console.cli", *arguments])


def install() -> bool:
    print("Preparing the environment in .venv, once …", file=sys.stderr)
    try:
        if not PYTHON.exists():
            venv.create(ENVIRONMENT, with_pip=True)
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", str(CONSTRAINTS)], check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"The environment could not be made: {error}", file=sys.stderr)
        print("On Debian and Ubuntu the package python3-venv is needed.", file=sys.stderr)
        return False
    return True


def run(command: list[str]) -> int:
    """Run the environment's Python on this tree; on POSIX it takes the place of this process."""
    search = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    if os.name != "nt":
        os.execve(PYTHON, [str(PYTHON), *command], environment)
    try:
        return subprocess.call([str(PYTHON), *command], env=environment)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
