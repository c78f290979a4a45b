"""An OpenAI-compatible API for the tests of the sentiment stage, which answers as a test says."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.http_server import Answer, Request, local_server

RATED = '{"sentiment": 0.5}'
SECRET = "sk-very-secret-0123456789"
Says = Callable[[str, dict], Answer]  # of a symbol and the whole question


def chat(content: object, tokens: tuple[int, int] | None = None, **choice: object) -> Answer:
    """Return an answer with that content; `tokens` are those of question and answer."""
    message = {"role": "assistant", "content": content, **choice.pop("message", {})}
    usage = (
        {"usage": dict(zip(("prompt_tokens", "completion_tokens"), tokens, strict=True))} if tokens else {}
    )
    return 200, json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}], **usage})


def refusal(status: int, **error: object) -> Answer:
    """Return an error as the API words it."""
    return status, json.dumps({"error": {"message": f"Not this one, {SECRET}", **error}})


def symbol_of(request: Request) -> str:
    """Return the symbol that a question is about."""
    return json.loads(json.loads(request.body)["messages"][1]["content"])["symbol"]


@contextmanager
def chat_api(says: Says) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Run the API; give the stage's settings for it and the symbols that it was asked about."""
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(symbol_of(request))
        return says(asked[-1], json.loads(request.body))

    with local_server(answer) as (url, _):
        yield {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "test-model"}, asked
