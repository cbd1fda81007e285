"""`ebbtide serve`, which notes what it answered: a line "OPERATION STATUS FLOW" in the file RECORD for each request.
FLOW: what the client's User-Agent says after "flow/"; else "-". What it answered is in the file RECORD.answers.

RECORD=/tmp/answers python -m tests.acceptance.recorded_server serve --listen 127.0.0.1:0 ...
"""

from __future__ import annotations

import os
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send

from service.api.application import BatchApplication
from service.api.routing import Router
from service.entry import main

from . import recorded_answers

_ROUTER = Router()
_answer = BatchApplication.__call__


async def _answer_and_note(self: BatchApplication, scope: Scope, receive: Receive, send: Send) -> None:
    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            _note(scope, message["status"])
        await keep(message)

    keep = recorded_answers.kept(Path(f"{os.environ['RECORD']}.answers"), _name(scope), send)
    await _answer(self, scope, receive, noted)


def _note(scope: Scope, status: int) -> None:
    agent = next((value for key, value in scope["headers"] if key == b"user-agent"), b"").decode("latin-1")
    _, _, flow = agent.partition("flow/")
    with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
        record.write(f"{_name(scope)} {status} {flow.split()[0] if flow else '-'}\n")


def _name(scope: Scope) -> str:
    path = scope["raw_path"].decode("latin-1")
    found = _ROUTER.find(scope["method"], path)
    return found.operation.name if found is not None and found.operation is not None else f"{scope['method']}:{path}"


if __name__ == "__main__":
    BatchApplication.__call__ = _answer_and_note  # type: ignore[method-assign]
    main()
