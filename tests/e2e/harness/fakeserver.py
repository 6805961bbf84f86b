"""A server that says what a test tells it to: for what no real PostgreSQL of this machine can be made to say."""

import socket
import struct
import threading

from . import process
from .wire import message


def authentication(code, payload=b""):
    return message("R", struct.pack("!i", code) + payload)


def ready(status=b"I"):
    return message("Z", status)


def key_data(pid, key):
    return message("K", struct.pack("!i", pid) + key)


def error(**fields):
    return message("E", b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items()) + b"\0")


def row(*values):
    body = struct.pack("!h", len(values)) + b"".join(struct.pack("!i", len(value)) + value for value in values)
    return message("D", body)


def row_description(*names):
    body = struct.pack("!h", len(names))
    for name in names:
        body += name.encode() + b"\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    return message("T", body)


LET_IN = authentication(0) + message("S", b"server_version\x0016.0\0") + key_data(4242, b"\1\2\3\4") + ready()


class FakeServer:
    """Each connection is handed to handler(server, sock, first packet) in a thread. An SSLRequest is answered N first."""

    def __init__(self, handler):
        self.handler = handler
        self.port = process.free_port()
        self.received = []  # first packets, in order
        self.problems = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=50)
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(30)
            self._sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            packet = read_packet(sock)
            while packet[:4] == struct.pack("!i", 80877103):
                sock.sendall(b"N")
                packet = read_packet(sock)
            self.received.append(packet)
            self.handler(self, sock, packet)
        except OSError:
            pass
        except Exception as problem:  # noqa: BLE001  told to the test, which runs in another thread
            self.problems.append(repr(problem))
        finally:
            sock.close()

    def close(self):
        self._listener.close()
        for sock in self._sockets:
            sock.close()
        assert not self.problems, self.problems


def exactly(sock, size):
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise OSError("end of stream")
        data += chunk
    return data


def read_packet(sock):
    """A packet without a type: its body, without the length."""
    (length,) = struct.unpack("!i", exactly(sock, 4))
    return exactly(sock, length - 4)


def read_message(sock):
    kind, length = struct.unpack("!ci", exactly(sock, 5))
    return kind.decode(), exactly(sock, length - 4)
