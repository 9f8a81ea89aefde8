"""What answers on a node's port is not WinRM, or nothing answers: a sentence and exit code 7, never a traceback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.served import drainboard

Behaviour = Callable[[socket.socket], None]


def _nonsense(peer: socket.socket) -> None:
    peer.sendall(b"\x00\xff220 mail.example.com ESMTP ready\r\n" * 20)
    peer.close()


def _cut(peer: socket.socket) -> None:
    peer.recv(16)
    peer.close()


@contextmanager
def listener(behaviour: Behaviour) -> Iterator[int]:
    """A port on loopback where every connection is treated so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        behaviour(peer)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            stopped.set()
            server.shutdown(socket.SHUT_RDWR)


def config(folder: Path, port: int, more: str = "") -> str:
    path = folder / "config.toml"
    node = f'{{ name = "HV01", address = "127.0.0.1", port = {port} }}'
    path.write_text(f'[clusters.c]\nnodes = [{node}]\nusername = "LAB\\\\admin"\nauthentication = "ntlm"\n{more}')
    return str(path)


@pytest.mark.parametrize("transport", ["https", "http"])
@pytest.mark.parametrize("behaviour", [_nonsense, _cut])
def test_a_listener_that_is_no_winrm(tmp_path: Path, behaviour: Behaviour, transport: str) -> None:
    with listener(behaviour) as port:
        path = config(tmp_path, port, f'transport = "{transport}"\n')
        done = drainboard("hosts", "--config", path, home=tmp_path, DRAINBOARD_PASSWORD="x")
    assert done.returncode == 7, done.stderr
    assert "HV01" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = drainboard("hosts", "--config", config(tmp_path, port), home=tmp_path, DRAINBOARD_PASSWORD="x")
    assert done.returncode == 7
    assert "HV01" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_password_nothing_is_tried(tmp_path: Path) -> None:
    with listener(_cut) as port:
        done = drainboard(
            "hosts",
            "--config",
            config(tmp_path, port),
            home=tmp_path,
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        )
    assert done.returncode == 7
    assert "DRAINBOARD_PASSWORD" in done.stderr
