"""Which headlines are in English, the only language whose words VADER knows.

py3langid knows languages by their letters and endings. A headline is short, and often half of it is names.
So it counts as English unless another of LANGUAGES is far more likely. "Gewinn steigt" passes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

LANGUAGES = "en de fr es it pt nl sv no da fi pl cs tr hu ro id vi zh ja ko ru uk ar he el th hi"
LEAST = 0.03  # how likely English must be


def english(headlines: Sequence[str]) -> list[str]:
    """Return those headlines that are not in another language; none when together they are in one."""
    if not _english("\n".join(headlines)):
        return []
    return [headline for headline in headlines if _english(headline)]


def _english(text: str) -> bool:
    likely: dict[str, float] = dict(identifier().rank(text))
    return likely["en"] >= LEAST


@cache
def identifier() -> Any:
    """Return py3langid's model for LANGUAGES, read once: half a second, from its package."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  only feeds need it

    made = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    made.set_languages(LANGUAGES.split())
    return made
