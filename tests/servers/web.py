"""A web server of files on a port of its own, as well or as badly behaved as it is told to be."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    """A running server and how it behaves."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)  # /path: content
    ranges: bool = True
    validator: str = "strong"  # "strong" or "weak" ETag, "time" for Last-Modified, or "none"
    heeds_conditions: bool = True  # answers 412 to If-Match and If-Unmodified-Since that fail
    heads: bool = True  # answers HEAD
    lengths: bool = True  # says how long a body is; else it comes in chunks
    status: dict[str, int] = field(default_factory=dict)  # /path: what to answer instead
    headers: dict[str, str] = field(default_factory=dict)  # sent with these
    truncated: bool = False  # bodies stop half-way
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)  # (method, path, Range)
    before_answer: Callable[[str, str], None] = lambda method, path: None  # may change the files

    def put(self, path: str, content: bytes) -> str:
        """Serve the content at the path; returns its address."""
        self.files[path] = content
        return self.url + path

    def downloads(self) -> int:
        """How often a whole body was asked for."""
        return sum(1 for method, _, sought in self.asked if method == "GET" and sought is None)

    def validators(self, content: bytes) -> dict[str, str]:
        digest = _digest(content)
        match self.validator:
            case "strong":
                return {"ETag": f'"{digest[:16]}"'}
            case "weak":
                return {"ETag": f'W/"{digest[:16]}"'}
            case "time":
                return {"Last-Modified": formatdate(1_500_000_000 + int(digest[:6], 16), usegmt=True)}
            case _:
                return {}


@cache
def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


class Gate:
    """Holds up every request but the first few until it is opened."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._opened = threading.Event()
        self._waiting = threading.Semaphore(0)

    def __call__(self, method: str, path: str) -> None:
        if method == "GET":
            self._free -= 1
            if self._free < 0:
                self._waiting.release()
                self._opened.wait(60)

    def wait_for(self, requests: int) -> None:
        """Return when that many requests have come to the gate."""
        for _ in range(requests):
            assert self._waiting.acquire(timeout=60), "nobody came to the gate"

    def open(self) -> None:
        self._opened.set()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        web = self.server.web
        web.asked.append((self.command, self.path, self.headers.get("Range")))
        web.before_answer(self.command, self.path)
        content = web.files.get(self.path)
        if self.path in web.status:
            self._send(web.status[self.path], web.headers, b"")
        elif not body and not web.heads:
            self._send(405, {}, b"")
        elif content is None:
            self._send(404, {}, b"")
        elif web.heeds_conditions and self._fails(web.validators(content)):
            self._send(412, {}, b"")
        else:
            self._send_content(content, body)

    def _fails(self, now: dict[str, str]) -> bool:
        match, since = self.headers.get("If-Match"), self.headers.get("If-Unmodified-Since")
        return bool((match and match != now.get("ETag")) or (since and since != now.get("Last-Modified")))

    def _send_content(self, content: bytes, body: bool) -> None:
        sought, total, status = self.headers.get("Range"), len(content), 200
        headers = self.server.web.validators(content)
        if sought and self.server.web.ranges:
            start, end = map(int, sought.removeprefix("bytes=").split("-"))
            if start >= total:
                self._send(416, {"Content-Range": f"bytes */{total}"}, b"")
                return
            content, status = content[start : end + 1], 206
            headers["Content-Range"] = f"bytes {start}-{start + len(content) - 1}/{total}"
        self._send(status, headers, content, body)

    def _send(self, status: int, headers: dict[str, str], content: bytes, body: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not self.server.web.lengths:
            self._send_chunks(content if body else b"")
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and self.server.web.truncated:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif body:
            self.wfile.write(content)

    def _send_chunks(self, content: bytes) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "GET":
            for piece in (content[at : at + 2**16] for at in range(0, len(content), 2**16)):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, web: Web) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.web = web

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""


@contextmanager
def web_server() -> Iterator[Web]:
    web = Web()
    http = _Server(web)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield web
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
