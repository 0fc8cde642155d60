"""A stand-in for a language model: an OpenAI-compatible server that answers from the facts in the prompt, or by script.

The script is part of the model's name, `stand-in:prose`; plain `stand-in` answers sensibly. It is no model and says so
where the model's name stands. GET /calls tells how often each question was asked, for tests.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.model import answers, scripts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NAME = "stand-in (no real model)"
asked: Counter[str] = Counter()


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    path = scope["path"].rstrip("/")
    if path.endswith("/chat/completions") and scope["method"] == "POST":
        await complete(json.loads(await body(receive)), send)
    elif path.endswith("/models"):
        await reply(send, 200, {"object": "list", "data": [{"id": "stand-in", "object": "model"}]})
    elif path == "/calls":
        await reply(send, 200, {"calls": sum(asked.values()), "questions": len(asked)})
    elif path in ("", "/health"):
        await reply(send, 200, {"status": "ok", "model": NAME})
    else:
        await reply(send, 404, {"error": {"message": f"The stand-in has no {path}."}})


async def complete(request: dict[str, Any], send: Send) -> None:
    """Do what the script says: wait, refuse, break the connection, or answer."""
    script = str(request.get("model", "")).partition(":")[2] or "sensible"
    prompt = "\n".join(str(message["content"]) for message in request["messages"])
    question = hashlib.sha256(f"{script}\n{prompt}".encode()).hexdigest()
    asked[question] += 1
    step = scripts.step(script, asked[question], request)
    await asyncio.sleep(step.wait)
    if step.status != 200:
        await reply(send, step.status, {"error": {"message": step.message, "type": "stand_in"}}, step.headers)
    elif step.broken:
        await break_off(send, step.broken)
    else:
        text = answers.answer(script, prompt)
        await reply(send, 200, completion(prompt, text, answers.finish_reason(script)))


def completion(prompt: str, text: str, finish_reason: str) -> dict[str, Any]:
    """Four characters a token, as models roughly have it."""
    message = {"role": "assistant", "content": text}
    sent, said = len(prompt) // 4, len(text) // 4
    return {
        "id": "stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said},
    }


async def body(receive: Receive) -> bytes:
    found = b""
    while True:
        message = await receive()
        found += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return found


async def reply(send: Send, status: int, value: object, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    await start(send, status, headers)
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def start(send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})


async def break_off(send: Send, how: str) -> None:
    """`dropped`: less than was promised. `drip`: a byte a tenth of a second, for ever. `garbage`: something else."""
    if how == "garbage":
        await start(send, 200)
        await send({"type": "http.response.body", "body": b'{"hello": "I am no chat completion"}'})
        return
    await start(send, 200, ((b"content-length", b"100000"),))
    await send({"type": "http.response.body", "body": b'{"id": "', "more_body": True})
    for _ in range(600 if how == "drip" else 0):
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body", "body": b""})
