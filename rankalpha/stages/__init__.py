"""The stages, each declared once in a file of its own."""

from rankalpha.stages.ingestion import INGESTION
from rankalpha.stages.scorer import SCORER
from rankalpha.stages.sentiment import SENTIMENT_ANALYSIS

__all__ = ["INGESTION", "SCORER", "SENTIMENT_ANALYSIS", "STAGES"]

STAGES = (INGESTION, SCORER, SENTIMENT_ANALYSIS)
