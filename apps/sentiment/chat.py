"""A chat model behind an OpenAI-compatible API: rates symbols and tells refusals apart."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from apps.common.addresses import shown
from apps.common.stage import BadConfig, StageError
from apps.common.transient import Unavailable
from apps.sentiment.answers import content, rating, refusal
from apps.sentiment.fetch import Answer, Service
from apps.sentiment.kept import KeptRatings
from apps.sentiment.question import FORMS, INSTRUCTION
from apps.sentiment.settings import ChatSettings
from apps.sentiment.spending import Spending, usage
from apps.sentiment.unrated import Absent, Unrated

ATTEMPTS = 2  # when an answer holds no rating
SHOWN = 120  # characters of a malformed answer that the log shows
UNKNOWN = (400, 422)  # a parameter that the API does not take, or a question that it refuses
ABOUT_FORM = ("response_format", "json_schema", "json_object", "structured")
ABOUT_QUESTION = (
    "content",
    "filter",
    "moderation",
    "flagged",
    "policy",
    "safety",
    "context_length",
    "inspection",
)


class ChatModel:
    """Rates the headlines of one symbol at a time; may be asked by several threads."""

    def __init__(self, settings: ChatSettings, kept: KeptRatings) -> None:
        self.name = settings.model
        self._key = settings.api_key.get_secret_value()
        self._base_url = settings.base_url.rstrip("/")
        self._service = Service(settings.patience)
        self._kept = kept
        self._spending = Spending(settings.budget, kept)
        self._form = 0  # of FORMS, the richest that the API has not refused
        self._temperature = True  # whether the API takes one
        self._proven = False  # whether key, address and model have brought a rating

    def details(self) -> dict[str, int | float]:
        """Return what the batch has spent."""
        return self._spending.details()

    def rate(self, symbol: str, headlines: Sequence[str]) -> float:
        """Return the model's rating, or the one that this batch has paid for already.

        Raises Unrated when the fault is about this symbol, and BadConfig when it is about key, address or
        model.
        """
        mark = (self._base_url, self.name, INSTRUCTION, symbol, list(headlines))
        if (paid := self._kept.get(*mark)) is not None:
            return paid
        question = json.dumps({"symbol": symbol, "headlines": list(headlines)}, ensure_ascii=False)
        for _ in range(ATTEMPTS):
            with self._spending.asking(symbol, INSTRUCTION + question) as expected:
                answer = self._ask(symbol, question)
                body = answer.json()
                rated = rating(content(body))
                self._spending.paid(usage(body), expected, rated, *mark)
            if rated is not None:
                self._proven = True
                return rated
            if refused := refusal(body):
                raise Unrated(
                    "model_refused",
                    f"{symbol} is not rated: {self.name} refused it ({refused}); it counts as neutral",
                )
        raise Unrated("model_malformed", self._malformed(symbol, answer, body), StageError)

    def each(self, headlines: Sequence[str]) -> list[float | None]:
        """Return None for each: a symbol's headlines are rated together."""
        return [None for _ in headlines]

    def _ask(self, symbol: str, question: str) -> Answer:
        """Return a good answer, asked for in the richest form that the API takes."""
        form, temperature = self._form, self._temperature
        while True:
            answer = self._send(symbol, question, form, temperature)
            if answer.good:
                self._form, self._temperature = form, temperature
                return answer
            text = answer.content.decode(errors="replace").lower()
            other_form = answer.status in UNKNOWN and not _about_question(answer.code)
            if other_form and temperature and "temperature" in text:
                temperature = False
            elif other_form and form + 1 < len(FORMS) and (not answer.code or _named(ABOUT_FORM, text)):
                form += 1  # the API does not take this form, or gives no reason
            else:
                self._refuse(symbol, answer)

    def _send(self, symbol: str, question: str, form: int, temperature: bool) -> Answer:
        messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": question}]
        body: dict[str, Any] = {"model": self.name, "messages": messages}
        if FORMS[form]:
            body["response_format"] = FORMS[form]
        if temperature:
            body["temperature"] = 0  # the same headlines should give the same rating
        try:
            return self._service.send(
                "POST",
                f"{self._base_url}/chat/completions",
                "OPENAI_BASE_URL",
                json=body,
                headers={"Authorization": f"Bearer {self._key}"},
            )
        except Unavailable as error:
            about = f"{symbol} is not rated: OPENAI_BASE_URL {error}; wait, or check the address"
            raise Absent("model_unavailable", about, Unavailable) from error

    def _refuse(self, symbol: str, answer: Answer) -> NoReturn:
        """Raise what a refusal means. The body is not shown: OpenAI's repeats part of the key."""
        status, refusal = answer.status, answer.status_and_code
        if _about_question(answer.code):
            raise Unrated(
                "model_refused",
                f"{symbol} is not rated: {self.name} refused it ({refusal}); it counts as neutral",
            )
        if status in (401, 402) or (status == 403 and not self._proven):  # noqa: PLR2004
            raise BadConfig(
                f"OPENAI_API_KEY was refused by {shown(self._base_url)} ({refusal}); "
                "check the key and its credit"
            )
        where = f"OPENAI_MODEL={self.name!r} at OPENAI_BASE_URL={shown(self._base_url)!r}"
        remedy = f"{where} answered {refusal} for {symbol}; check both"
        if status in (403, *UNKNOWN, 413) or self._proven:
            raise Unrated("model_refused", f"{symbol} is not rated: {remedy}", BadConfig)
        raise BadConfig(remedy)

    def _malformed(self, symbol: str, answer: Answer, body: object) -> str:
        rated = content(body)
        text = rated if isinstance(rated, str) else answer.content.decode(errors="replace")
        excerpt = text.replace(self._key, "[key]")[:SHOWN]
        return f'{self.name} gave a malformed answer for {symbol}: {excerpt!r} is not {{"sentiment": -1..1}}'


def _about_question(code: str) -> bool:
    return _named(ABOUT_QUESTION, code.lower())


def _named(words: Sequence[str], text: str) -> bool:
    return any(word in text for word in words)
