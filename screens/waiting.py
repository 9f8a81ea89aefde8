"""What is shown before there is anything to show: who is being asked, for how long, and what went wrong so far."""

from __future__ import annotations

from console import formatting
from screens.drawing import Line, wrap
from screens.sight import Services


def waiting_lines(services: Services, width: int, height: int) -> list[Line]:
    """The cluster is being read for the first time, or could not be read yet."""
    name = formatting.name(services.sight.cluster_name)
    waited_s = (services.now - services.opened_at).total_seconds()
    lines: list[Line] = [()] * max(1, height // 5)
    lines.append((("  Reading ", "text.strong"), (name, "text.strong"), (f" … {formatting.duration(waited_s)}", "")))
    problems = services.store.problems
    if not problems:
        return [*lines, (), (("  Every host is asked at the same time; silent ones do not hold up the others.",
                              "text.muted"),)]  # fmt: skip
    lines += [(), (("  It could not be read so far:", "text.warning"),)]
    for problem in problems[:5]:
        times = f" ({problem.times} times)" if problem.times > 1 else ""
        lines += [((row, ""),) for row in wrap(formatting.plain(problem.text) + times, max(30, width - 4), "  ")]
    return [*lines, (), (("  It is tried again by itself; f5 tries now, ! keeps every problem.", "text.muted"),)]
