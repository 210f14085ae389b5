"""A proxy on loopback that leads every name to one address: name resolution for a client that is left as it is."""

import contextlib
import socket
import threading


@contextlib.contextmanager
def tunnel(address):
    """Leads whatever is asked for with CONNECT to `address`; gives the proxy's own URL and the names asked for."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []
    thread = threading.Thread(target=_accept, args=(listener, address, asked), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        # Closing alone does not wake a thread that accepts.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def _accept(listener, address, asked):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_lead, args=(client, address, asked), daemon=True).start()


def _lead(client, address, asked):
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(4096)
        if not more:
            return
        head += more
    verb, name, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    if verb != "CONNECT":
        client.close()
        return
    asked.append(name)
    host, port = address.rsplit(":", 1)
    server = socket.create_connection((host, int(port)))
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    threading.Thread(target=_copy, args=(server, client), daemon=True).start()
    _copy(client, server)


def _copy(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
