"""The champion, which a new model is compared with on the days that neither was fitted to."""

import logging
from bisect import bisect_right

from pydantic import ValidationError

from apps.common.stage import Batch
from apps.common.versions import Changed, given
from apps.evaluation.sessions import Sessions
from apps.scorer.chosen import MODELS
from apps.scorer.model import FILE, Unusable, read_model
from apps.trainer.card import CARD, Card
from apps.trainer.walk import Rival

log = logging.getLogger("trainer")


def rival_of(batch: Batch, sessions: Sessions) -> Rival | None:
    """Return the model that the batch is given to compare with; without a usable one none, with a warning."""
    version = given(batch).get(MODELS)
    if version is None:
        return None
    try:
        model = read_model(version.file(FILE))
        card = Card.model_validate_json(version.file(CARD).read_bytes())
    except (Unusable, Changed, ValidationError) as error:
        log.warning("warning: not compared with the champion: %s", error)
        return None
    return Rival(model, bisect_right(sessions.days, card.as_of), batch.shown(version.folder))
