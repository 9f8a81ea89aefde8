"""Msvm_VirtualSystemMigrationService: what a VM needs, and what a host says about taking it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from console.windows.commands import Row

from .values import Problems, Reader

COMPATIBLE, NOT_COMPATIBLE = 0, 32784
"""Return values of CheckSystemCompatibilityInfo; every other one is an error of the question itself."""

_MESSAGE_IN_MOF = re.compile(r"\bMessage\s*=\s*\"((?:[^\"\\]|\\.)*)\"")
_LONGEST = 4000


def needs(rows: Sequence[Row], problems: Problems) -> str | None:
    """GetSystemCompatibilityInfo, as base64; None where the VM is gone or the method failed."""
    for row in rows:
        read = Reader(row, problems)
        if read.integer("ReturnValue") == COMPATIBLE:
            return read.text("CompatibilityInfo") or None
    return None


def verdict(rows: Sequence[Row], problems: Problems) -> tuple[bool, tuple[str, ...]] | None:
    """CheckSystemCompatibilityInfo: (compatible, reasons); None when the question was not answered."""
    for row in rows:
        read = Reader(row, problems)
        value = read.integer("ReturnValue")
        if value not in (COMPATIBLE, NOT_COMPATIBLE):
            return None
        given = read.value("Reasons", nullable=True)
        texts = given if isinstance(given, tuple | list) else (given,)
        found = (message_of(text) for text in texts if isinstance(text, str))
        return value == COMPATIBLE, tuple(dict.fromkeys(message for message in found if message))
    return None


def message_of(error: str) -> str:
    """The Message of an embedded Msvm_Error, written as CIM-XML or as MOF; another text is the message itself."""
    text = error[:_LONGEST].strip()
    if text.startswith("<"):
        return _message_in_xml(text)
    found = _MESSAGE_IN_MOF.search(text)
    message = re.sub(r"\\(.)", r"\1", found[1]) if found else text
    return " ".join(message.split())


def _message_in_xml(text: str) -> str:
    if "<!" in text:
        return ""
    try:
        instance = ET.fromstring(text)
    except ET.ParseError:
        return ""
    for property in instance.iter("PROPERTY"):
        if property.get("NAME") == "Message":
            return " ".join((property.findtext("VALUE") or "").split())
    return ""
