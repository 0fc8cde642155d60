"""The language model: one question to an OpenAI-compatible server, answered within a deadline or failed with a reason.

Importing this loads `openai`, most of a second: only a job that asks a model does it.
"""

import asyncio
import random
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import Any

import httpx2
import msgspec
import openai
import tenacity

from common.settings import Model
from common.summaries.mask import mask

CALLS = 3  # within one attempt
MOST_TOKENS = 1_500  # of an answer; a good one has four hundred
CONNECT_SECONDS = 5.0
PASSING = (429, 502, 503, 504)
# Sent where the server takes them; one it names in a refusal is left out from then on.
OPTIONAL: dict[str, Any] = {
    "response_format": {"type": "json_object"},
    "max_tokens": MOST_TOKENS,
    "temperature": 0.2,
}


class Reply(msgspec.Struct, frozen=True):
    text: str
    finish_reason: str
    model: str
    input_tokens: int
    output_tokens: int
    seconds: float


class ModelFailed(Exception):
    """No answer: a failed attempt with its own reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class Asker:
    """One process's way to the model. `refused` remembers which optional parameters its server does not know."""

    def __init__(self, where: Model) -> None:
        self._where = where
        self._tls = httpx2.create_ssl_context()  # a tenth of a second, once
        self._refused: set[str] = set()

    def ask(self, instructions: str, question: str) -> Reply:
        """Raises ModelFailed."""
        # A loop of its own: the deadline then cuts even an answer that comes a byte at a time.
        return asyncio.run(self._ask(instructions, question))

    async def _ask(self, instructions: str, question: str) -> Reply:
        began, most = monotonic(), self._where.deadline_seconds
        try:
            async with asyncio.timeout(most), self._client() as client:
                return await self._answered(client, instructions, question, began)
        except TimeoutError:
            raise ModelFailed("deadline", f"no answer within {most} s") from None
        except openai.APIStatusError as error:
            raise ModelFailed(f"http_{error.status_code}", _said(error)) from None
        except openai.APIConnectionError as error:
            raise ModelFailed("connection", f"{error} {error.__cause__ or ''}".strip()) from None
        except openai.OpenAIError as error:
            raise ModelFailed("no_completion", _said(error)) from None

    async def _answered(self, client: openai.AsyncOpenAI, instructions: str, question: str, began: float) -> Reply:
        left = began + self._where.deadline_seconds
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(passes),
            wait=pause,
            stop=lambda state: state.attempt_number >= CALLS or monotonic() + pause(state) > left,
            reraise=True,
        ):
            with attempt:
                answer = await self._complete(client, instructions, question)
        return _reply(answer, self._where.name, monotonic() - began)

    async def _complete(self, client: openai.AsyncOpenAI, instructions: str, question: str) -> Any:
        """Servers differ in what they know; they say what they do not."""
        messages = [{"role": "system", "content": instructions}, {"role": "user", "content": question}]
        while True:
            given = {name: value for name, value in OPTIONAL.items() if name not in self._refused}
            complete: Any = client.chat.completions.create
            try:
                return await complete(model=self._where.name, messages=messages, **given)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                unknown = {name for name in given if name in _said(error)}
                if not unknown:
                    raise
                self._refused |= unknown

    def _client(self) -> openai.AsyncOpenAI:
        seconds = self._where.deadline_seconds
        return openai.AsyncOpenAI(
            base_url=self._where.base_url,
            api_key=self._where.api_key.reveal() or "none",
            max_retries=0,  # ours to decide
            timeout=openai.Timeout(seconds + 1, connect=CONNECT_SECONDS),
            http_client=openai.DefaultAsyncHttpxClient(verify=self._tls),
        )


def passes(error: BaseException) -> bool:
    """What may be asked again at once: too many requests, a gateway, a connection. Nothing else."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in PASSING
    return isinstance(error, openai.APIConnectionError)


def pause(state: tenacity.RetryCallState) -> float:
    """What the server asks for, else half a second doubled, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = str(error.response.headers.get("retry-after", "")) if isinstance(error, openai.APIStatusError) else ""
    own = 0.5 * 2.0 ** (state.attempt_number - 1) * (1 - random.random() / 2)  # noqa: S311 - only spreads the calls
    return max(retry_after(asked, time()), own)


def retry_after(header: str, now: float) -> float:
    """Seconds, or a date."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, float(parsedate_to_datetime(header).timestamp()) - now)
    except (ValueError, TypeError):
        return 0.0


def _reply(answer: Any, name: str, seconds: float) -> Reply:
    """A server that calls itself compatible may answer anything."""
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices or getattr(choices[0], "message", None) is None:
        raise ModelFailed("no_completion", "the server answered something else than a chat completion")
    usage = getattr(answer, "usage", None)
    return Reply(
        str(choices[0].message.content or ""),
        str(choices[0].finish_reason or "stop"),
        str(answer.model or name)[:120],
        int(getattr(usage, "prompt_tokens", 0) or 0),
        int(getattr(usage, "completion_tokens", 0) or 0),
        seconds,
    )


def _said(error: Exception) -> str:
    """Servers repeat keys and prompts in their errors."""
    return mask(" ".join(str(error).split()))[:300]
