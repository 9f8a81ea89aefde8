"""Every screen as a picture, on a synthetic cluster and a clock that stands still: to look at, and for the README.

python -m tests.bench.screens_pictures FOLDER [NAME ...]    one SVG for every scene and size
python -m tests.bench.screens_pictures --readme             docs/run.svg
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.screens.driving import PLAIN_TERMINAL, console
from tests.screens.scenes import SCENES, night_of

SIZES = ((80, 24), (120, 40), (200, 60))
README_SIZE = (120, 34)
README = Path(__file__).parents[2] / "docs" / "run.svg"


def without_fonts(svg: str) -> str:
    """No font is fetched from anywhere, the reader's own monospaced one is used; and no renderer drops blanks."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    svg = svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


async def picture(name: str, size: tuple[int, int], theme: str | None = None, *, ascii: bool = False) -> str:
    """One scene as an SVG."""
    scene = SCENES[name]
    operations = night_of(scene)
    async with console(operations, size, theme=theme, ascii=ascii, window_ends_at=operations.window_ends_at) as opened:
        await scene.drive(operations, opened)
        return without_fonts(opened[0].export_screenshot(title="drainboard"))


def draw_all(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or list(SCENES):
        for width, height in SIZES:
            path = folder / f"{name}-{width}x{height}.svg"
            path.write_text(asyncio.run(picture(name, (width, height))), encoding="utf-8")
            print(path)


def main(arguments: list[str]) -> int:
    os.environ.update(PLAIN_TERMINAL)
    if arguments == ["--readme"]:
        README.write_text(asyncio.run(picture("run", README_SIZE)), encoding="utf-8")
        print(f"{README}: {README.stat().st_size} bytes")
        return 0
    if not arguments or not set(arguments[1:]) <= set(SCENES):
        print(__doc__, "Scenes:", ", ".join(SCENES), file=sys.stderr)
        return 2
    draw_all(Path(arguments[0]), arguments[1:])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
