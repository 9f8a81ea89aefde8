"""A cluster as a file: every fact that was read and every one that was not, so that a plan needs no cluster.

The file is the cluster's value field by field, under the names of :mod:`console.model.cluster` (units in the names);
``null`` is *unknown*. The published schema is :func:`schema`. Bug reports, what-ifs and tests use the same file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from console import __version__
from console.model.cluster import Cluster
from console.redaction import redacted

SCHEMA = 1


class SnapshotUnreadable(Exception):
    """The file is no snapshot that this version understands; the text says why, with every place."""


@dataclass(frozen=True)
class Snapshot:
    schema: int
    made_by: str
    is_redacted: bool
    cluster: Cluster


def snapshot_of(cluster: Cluster, *, redact: bool = False) -> dict[str, Any]:
    """The document of a cluster as it was read; ``redact`` renames everything that could tell whose it is."""
    shown = redacted(cluster) if redact else cluster
    snapshot = Snapshot(SCHEMA, f"drainboard {__version__}", redact, shown)
    document: dict[str, Any] = _adapter().dump_python(snapshot, mode="json")
    return document


def read_snapshot(path: Path) -> Cluster:
    """Read a file back into the value that it was written from.

    Raises:
        SnapshotUnreadable: no such file, not JSON, another schema, or values that do not fit.
    """
    try:
        return parse_snapshot(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotUnreadable(f"{path} cannot be read: {error}") from None


def parse_snapshot(text: str, name: str) -> Cluster:
    """Like :func:`read_snapshot`, from the file's text; ``name`` is what problems call it."""
    try:
        version = json.loads(text)["schema"]
    except (ValueError, KeyError, TypeError):
        raise SnapshotUnreadable(f'{name} is not a snapshot: no JSON object with a "schema".') from None
    if version != SCHEMA:
        raise SnapshotUnreadable(f"{name} has schema {version!r}; this version reads {SCHEMA}.")
    try:
        return _adapter().validate_json(text).cluster
    except ValidationError as error:
        places = "\n".join(
            f"  {'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors(include_url=False)
        )
        raise SnapshotUnreadable(f"{name} does not fit the snapshot's schema:\n{places}") from None


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    return _adapter().json_schema()


@cache
def _adapter() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)
