"""A client that speaks the protocol by hand: for byte-for-byte comparison, and for what no driver would send."""

import socket
import ssl
import struct

PROTOCOL_3_0 = 3 << 16
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def cstring(text):
    return (text.encode() if isinstance(text, str) else text) + b"\0"


def message(kind, payload=b""):
    return kind.encode() + struct.pack("!i", len(payload) + 4) + payload


def startup(version=PROTOCOL_3_0, **params):
    body = struct.pack("!i", version) + b"".join(cstring(key) + cstring(value) for key, value in params.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def cancel(pid, key):
    return struct.pack("!iii", 12 + len(key), 80877102, pid) + key


def query(sql):
    return message("Q", cstring(sql))


def parse(sql, name="", types=()):
    return message("P", cstring(name) + cstring(sql) + struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(values=(), portal="", name="", formats=(), result_formats=()):
    """Values are bytes, str (text form) or None."""
    body = cstring(portal) + cstring(name) + struct.pack(f"!H{len(formats)}h", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for value in values:
        raw = value.encode() if isinstance(value, str) else value
        body += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return message("B", body + struct.pack(f"!H{len(result_formats)}h", len(result_formats), *result_formats))


def describe(kind, name=""):
    return message("D", kind.encode() + cstring(name))


def close(kind, name=""):
    return message("C", kind.encode() + cstring(name))


def execute(portal="", max_rows=0):
    return message("E", cstring(portal) + struct.pack("!i", max_rows))


def sync():
    return message("S")


def flush():
    return message("H")


def function_call(oid, args, formats=(), result_format=0):
    body = struct.pack(f"!IH{len(formats)}h", oid, len(formats), *formats) + struct.pack("!H", len(args))
    for arg in args:
        body += struct.pack("!i", -1) if arg is None else struct.pack("!i", len(arg)) + arg
    return message("F", body + struct.pack("!h", result_format))


class Wire:
    """A connection. Messages are (type, payload); the end of the stream is ("", b"")."""

    def __init__(self, endpoint, timeout=10.0, connect=True):
        self.endpoint = endpoint
        if endpoint.is_unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(f"{endpoint.host}/.s.PGSQL.{endpoint.port}")
        else:
            self.socket = socket.create_connection((endpoint.host, endpoint.port), timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""
        self.parameters = {}
        self.pid = None
        self.key = None
        if connect:
            if endpoint.is_tls:
                self.start_tls()
            self.start_session()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def start_tls(self, alpn=None, verify=True):
        self.send(SSL_REQUEST)
        answer = self.socket.recv(1)
        assert answer == b"S", f"SSLRequest answered with {answer!r}"
        self.wrap_tls(alpn, verify)

    def wrap_tls(self, alpn=None, verify=True):
        context = ssl.create_default_context(cafile=self.endpoint.sslrootcert or None)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def start_session(self, **params):
        """Startup up to the first ReadyForQuery; the server must not ask for a password. Returns all messages."""
        self.send(startup(user=self.endpoint.user, database=self.endpoint.dbname, **params))
        messages = self.until("Z")
        for kind, payload in messages:
            if kind == "S":
                name, value, _ = payload.split(b"\0")
                self.parameters[name.decode()] = value.decode()
            elif kind == "K":
                self.pid, self.key = struct.unpack("!i", payload[:4])[0], payload[4:]
        assert messages[-1][0] == "Z", f"startup failed: {messages}"
        return messages

    def send(self, data):
        self.socket.sendall(data)

    def exactly(self, size):
        """`size` bytes, or fewer at the end of the stream."""
        while len(self._pending) < size:
            try:
                chunk = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                chunk = b""
            if not chunk:
                break
            self._pending += chunk
        data, self._pending = self._pending[:size], self._pending[size:]
        return data

    def receive(self):
        header = self.exactly(5)
        if len(header) < 5:
            return "", header
        kind, length = struct.unpack("!ci", header)
        return kind.decode("latin1"), self.exactly(length - 4)

    def until(self, *kinds, count=1):
        """Messages up to and with the count-th of the given types, or to the end of the stream."""
        messages = []
        while count:
            messages.append(self.receive())
            if messages[-1][0] in kinds:
                count -= 1
            elif messages[-1][0] == "":
                break
        return messages

    def ask(self, data, syncs=1):
        """Sends and returns all messages up to the given number of ReadyForQuery."""
        self.send(data)
        return self.until("Z", count=syncs)

    def at_end(self):
        """Whether the other side closes without another message."""
        return self.receive() == ("", b"")


def fields(payload):
    """Fields of an ErrorResponse or NoticeResponse, by their letter."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in payload.split(b"\0") if part}


def error_of(messages):
    """Fields of the first ErrorResponse among messages; {} if there is none."""
    return next((fields(payload) for kind, payload in messages if kind == "E"), {})


def kinds(messages):
    return "".join(kind or "." for kind, _ in messages)


def rows(messages):
    """Values of the DataRows, as bytes or None."""
    found = []
    for kind, payload in messages:
        if kind != "D":
            continue
        (count,), offset, row = struct.unpack("!h", payload[:2]), 2, []
        for _ in range(count):
            (size,) = struct.unpack("!i", payload[offset:offset + 4])
            offset += 4
            row.append(None if size < 0 else payload[offset:offset + size])
            offset += max(size, 0)
        found.append(row)
    return found
