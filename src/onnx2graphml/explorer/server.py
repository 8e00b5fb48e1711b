"""A page from a server on this machine, for networks that are too large for a file.

It listens on 127.0.0.1 only. The address holds a random token: without it nothing is answered. A request must name this
server as its host. If it comes from a page, it must name it as its origin, too. So neither another page in the same
browser nor a name that is pointed to this machine reaches it. It reads no file.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from onnx2graphml.errors import Error, MissingExtraError, OutputError, reason
from onnx2graphml.explorer.answers import Answers
from onnx2graphml.explorer.page import described, head, tail
from onnx2graphml.explorer.runs import Explored

if TYPE_CHECKING:
    import uvicorn

ADDRESS = "127.0.0.1"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class Server:
    """A server that is ready: `start()` serves in a thread until `stop()`.

    Attributes:
        url: of the page, with its token.

    Raises:
        MissingExtraError: starlette or uvicorn is not installed.
        OutputError: the port is taken.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.explorer.runs import explored
        >>> server = Server(explored([onnx2graphml.load("fixtures/digits.onnx")], ["ties"]))
        >>> server.url.startswith("http://127.0.0.1:")
        True
        >>> server.stop()
    """

    def __init__(self, found: Explored, port: int = 0) -> None:
        try:
            import uvicorn
        except ImportError:
            raise MissingExtraError("uvicorn", "explore") from None
        self._socket = _listening(port)
        port = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(24)
        self.url = f"http://{ADDRESS}:{port}/{token}/"
        app = guarded(application(found, token), port)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        self._server: uvicorn.Server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> Server:
        """Serve in a thread; return when it is ready."""
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.005)
        return self

    def wait(self) -> None:
        """Return when it has stopped."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.2)

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    def _repr_html_(self) -> str:
        return f'<a href="{self.url}" target="_blank" rel="noopener">{self.url}</a>'


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        listening.listen()
    except (OSError, OverflowError) as e:
        listening.close()
        raise OutputError(f"can't listen on port {port}: {reason(e)}; choose another, or 0 for any") from None
    return listening


def application(found: Explored, token: str) -> Handler:
    """The pages and answers below the token."""
    try:
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import Response
        from starlette.routing import Route
    except ImportError:
        raise MissingExtraError("starlette", "explore") from None

    answers = Answers(found)
    answers.warm()
    meta = {**described(found, None), "arrays": []}
    text = (head(meta, found.graphs[0].model_name, "'self'") + tail()).encode()

    def shown(request: Request) -> Response:
        return Response(text, media_type="text/html", headers=HEADERS)

    def answer(request: Request) -> Response:
        what = request.path_params["what"]
        if what not in answers.known:
            return Response(status_code=404, headers=HEADERS)
        status = 200
        try:
            content = answers.known[what](request.query_params)
        except Error as e:
            status, content = 400, json.dumps({"error": str(e)}).encode()
        return Response(content, status, HEADERS, "application/octet-stream" if status == 200 else "application/json")

    return Starlette(routes=[Route(f"/{token}/", shown), Route(f"/{token}/{{what}}", answer)])


def guarded(app: Handler, port: int) -> Handler:
    """The application, but that only requests for this server from itself come to it; others are forbidden."""
    hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
    origins = {f"http://{host}" for host in hosts}

    async def checked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        named = {
            key: [v.decode("latin-1") for k, v in scope.get("headers", ()) if k == key] for key in (b"host", b"origin")
        }
        allowed = (
            scope["type"] == "http"
            and scope["method"] in ("GET", "HEAD")
            and len(named[b"host"]) == 1
            and named[b"host"][0] in hosts
            and set(named[b"origin"]) <= origins
        )
        if allowed:
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    return checked
