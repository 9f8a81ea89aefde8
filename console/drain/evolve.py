"""``dataclasses.replace`` for the run's own values: checked alike, many times faster.

A drain of a hundred VMs applies ten thousand events, each to a value of seventy fields. These values have no
``__post_init__`` and no slots, so that copying the instance's dictionary is all there is to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace as evolve
else:

    def evolve(value, **changes):
        """The value with some fields changed.

        Raises:
            TypeError: there is no such field.
        """
        fields = value.__dict__
        if not changes.keys() <= fields.keys():
            raise TypeError(f"{type(value).__name__} has no {', '.join(sorted(changes.keys() - fields.keys()))}")
        new = object.__new__(type(value))
        new.__dict__.update(fields, **changes)
        return new


__all__ = ["evolve"]
