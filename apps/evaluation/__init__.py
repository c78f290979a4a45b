"""Evaluation: how well grades foretell returns, as published and as the method would have graded the past."""
