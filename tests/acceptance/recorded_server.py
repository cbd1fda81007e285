"""`ebbtide serve`, which notes what it answered: a line "OPERATION STATUS" in the file RECORD for each request.

RECORD=/tmp/answers python -m tests.acceptance.recorded_server serve --listen 127.0.0.1:0 ...
"""

from __future__ import annotations

import os

from starlette.types import Message, Receive, Scope, Send

from service.api.application import BatchApplication
from service.api.routing import Router
from service.entry import main

_ROUTER = Router()
_answer = BatchApplication.__call__


async def _answer_and_note(self: BatchApplication, scope: Scope, receive: Receive, send: Send) -> None:
    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            _note(scope, message["status"])
        await send(message)

    await _answer(self, scope, receive, noted)


def _note(scope: Scope, status: int) -> None:
    path = scope["raw_path"].decode("latin-1")
    found = _ROUTER.find(scope["method"], path)
    name = found.operation.name if found is not None and found.operation is not None else f"{scope['method']}:{path}"
    with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
        record.write(f"{name} {status}\n")


if __name__ == "__main__":
    BatchApplication.__call__ = _answer_and_note  # type: ignore[method-assign]
    main()
