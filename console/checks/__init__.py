"""Conflicts: what can stop, slow or spoil a live migration. One function a code, pure."""
