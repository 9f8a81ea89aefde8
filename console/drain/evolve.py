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
        new = object.__new__(type(value))
        fields = new.__dict__
        fields.update(value.__dict__, **changes)
        if len(fields) != len(value.__dict__):
            raise TypeError(f"{type(value).__name__} has no {', '.join(sorted(fields.keys() - value.__dict__.keys()))}")
        return new


__all__ = ["evolve"]
