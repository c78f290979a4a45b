"""The datasets (Airflow's assets) that join the DAGs, each with its contract.

prices ──► scores ────┐
   └─────► sentiment ─┴─► grades ──► evaluations
"""

from datasets.evaluations import EVALUATIONS, EVALUATIONS_CONTRACT
from datasets.grades import GRADES, GRADES_CONTRACT
from datasets.prices import PRICES, PRICES_CONTRACT
from datasets.scores import SCORES, SCORES_CONTRACT
from datasets.sentiment import SENTIMENT, SENTIMENT_CONTRACT

__all__ = [
    "EVALUATIONS",
    "EVALUATIONS_CONTRACT",
    "GRADES",
    "GRADES_CONTRACT",
    "PRICES",
    "PRICES_CONTRACT",
    "SCORES",
    "SCORES_CONTRACT",
    "SENTIMENT",
    "SENTIMENT_CONTRACT",
]
