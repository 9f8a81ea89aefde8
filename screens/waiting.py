"""What is shown before there is anything to show: who has answered, who is still asked, and what went wrong so far."""

from __future__ import annotations

from collections.abc import Sequence

from console import formatting
from console.inventory.progress import ReadingProgress
from console.model.identity import HostName
from screens.drawing import Line, bar, wrap
from screens.paint import Glyphs
from screens.sight import Services

_MOST_NAMED = 8


def waiting_lines(services: Services, width: int, height: int) -> list[Line]:
    """The cluster is being read for the first time, or could not be read yet."""
    name = formatting.name(services.sight.cluster_name)
    waited_s = (services.now - services.opened_at).total_seconds()
    lines: list[Line] = [()] * max(1, height // 5)
    lines.append((("  Reading ", "text.strong"), (name, "text.strong"), (f" … {formatting.duration(waited_s)}", "")))
    reading, problems = services.store.reading, services.store.problems
    if reading is not None:
        lines += [(), *_progress(reading, width, services.look.glyphs)]
    elif not problems:
        lines += [(), (("  Asking the first node which nodes there are.", "text.muted"),)]
    if not problems:
        return lines
    lines += [(), (("  It could not be read so far:", "text.warning"),)]
    for problem in problems[:5]:
        times = f" ({problem.times} times)" if problem.times > 1 else ""
        lines += [((row, ""),) for row in wrap(formatting.plain(problem.text) + times, max(30, width - 4), "  ")]
    return [*lines, (), (("  It is tried again by itself; f5 tries now, ! keeps every problem.", "text.muted"),)]


def _progress(reading: ReadingProgress, width: int, glyphs: Glyphs) -> list[Line]:
    """How many of the hosts have answered, and the names of those that keep it waiting."""
    share = reading.answers / reading.questions if reading.questions else 1.0
    words = f"  {reading.answering} of {formatting.count(reading.hosts, 'host')} answered"
    told = f"  {reading.answers} of {reading.questions} reads"
    lines: list[Line] = [
        (("  ", ""), *bar(share, max(10, min(40, width - 54)), glyphs), (words, "text.strong"), (told, "text.muted"))
    ]
    if reading.silent:
        lines += _named("do not answer", reading.silent, width, "text.warning")
    if not reading.waiting and reading.answers >= reading.questions:
        lines.append((("  Every host was read; the cluster's own facts and the conflicts come next.", "text.muted"),))
    elif not reading.waiting:
        lines.append((("  Every host that answers is read at the same time.", "text.muted"),))
    elif len(reading.waiting) <= _MOST_NAMED:
        lines += _named("still asked", reading.waiting, width, "text.muted")
    else:
        text = "  Every host is asked at the same time; silent ones do not hold up the others."
        lines.append(((text, "text.muted"),))
    return lines


def _named(words: str, hosts: Sequence[HostName], width: int, style: str) -> list[Line]:
    more = f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
    names = ", ".join(formatting.name(host) for host in hosts[:_MOST_NAMED]) + more
    return [((row, style),) for row in wrap(f"{words}: {names}", max(30, width - 4), "  ")]
