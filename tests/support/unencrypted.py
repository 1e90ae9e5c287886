"""A server that asks for a token without encryption, as no honest one would."""

import socket
import struct
import threading

PROTOCOL, LOGIN, AUTHENTICATE = 3006, 3007, 3000
"""Requests of XRootD's protocol (https://xrootd.web.cern.ch/doc/dev6/XRdv600.htm)."""
ASKS = b"&P=ztn,0:4096:\0"


class Server:
    """``received`` is all that clients have sent, ``asked`` whether one was asked for a token."""

    def __init__(self):
        self.received, self.asked = b"", False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"root://localhost:{self._socket.getsockname()[1]}//store/a.root"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:  # it was closed
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            self._take(connection, 20)
            connection.sendall(struct.pack(">HHLLL", 0, 0, 8, 0x500, 1))
            while head := self._take(connection, 24):
                stream, request = struct.unpack(">2sH", head[:4])
                self._take(connection, struct.unpack(">L", head[20:])[0])
                if request == PROTOCOL:
                    answer = struct.pack(">LL", 0x500, 1)
                elif request == LOGIN:
                    answer, self.asked = bytes(16) + ASKS, True
                else:
                    return
                connection.sendall(stream + struct.pack(">HL", 0, len(answer)) + answer)

    def _take(self, connection, size):
        content = b""
        while len(content) < size and (more := connection.recv(size - len(content))):
            content += more
        self.received += content
        return content
