"""What ECS gives a container to talk to: metadata of its task, and scale-in protection, for any number of tasks."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ARN = "arn:aws:ecs:us-east-1:123456789012:task/dispatch"

# (status, answer) in the forms that the documentation of the endpoint shows.
THROTTLED = 400, {"requestID": "1", "error": {"Arn": ARN, "Code": "ThrottlingException", "Message": "Rate exceeded"}}
FAILED = 200, {"failure": {"Arn": ARN, "Detail": None, "Reason": "TASK_NOT_VALID"}}
BROKEN = 500, "no JSON"


@dataclass
class Asked:
    """One PUT to a task's protection."""

    task: str
    body: dict[str, Any]
    at: float
    agreed: bool

    @property
    def protect(self) -> bool:
        return bool(self.body["ProtectionEnabled"])


@dataclass
class EcsAgent:
    """A running stand-in and how it behaves."""

    url: str = ""
    vcpus: float = 1
    memory_mebibytes: int = 2048
    asked: list[Asked] = field(default_factory=list)
    refuses: tuple[int, Any] | None = None  # what to answer instead

    def environment(self, task: str) -> dict[str, str]:
        """What ECS sets in the container of that task."""
        return {"ECS_AGENT_URI": f"{self.url}/{task}", "ECS_CONTAINER_METADATA_URI_V4": f"{self.url}/{task}"}

    def of(self, task: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.task == task]

    def protected(self, task: str) -> bool:
        """Whether the task is protected now."""
        agreed = [asked for asked in self.of(task) if asked.agreed]
        return bool(agreed) and agreed[-1].protect


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        agent = self.server.agent
        task, _, rest = self.path.strip("/").partition("/")
        assert rest == "task"
        limits = {"CPU": agent.vcpus, "Memory": agent.memory_mebibytes}
        self._send(200, {"TaskARN": f"{ARN}/{task}", "Family": "worker", "Limits": limits})

    def do_PUT(self) -> None:
        agent = self.server.agent
        task, _, rest = self.path.strip("/").partition("/")
        assert rest == "task-protection/v1/state"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        agent.asked.append(Asked(task, body, time.monotonic(), agreed=agent.refuses is None))
        if agent.refuses is not None:
            self._send(*agent.refuses)
        else:
            state = {"ProtectionEnabled": body["ProtectionEnabled"], "TaskArn": f"{ARN}/{task}"}
            self._send(200, {"protection": state | {"ExpirationDate": None}})

    def _send(self, status: int, answer: Any) -> None:
        content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, agent: EcsAgent) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.agent = agent


@contextmanager
def ecs_agent() -> Iterator[EcsAgent]:
    agent = EcsAgent()
    http = _Server(agent)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    agent.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield agent
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
