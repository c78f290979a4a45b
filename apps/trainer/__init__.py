"""Trainer: a model of forward returns from the scorer's signals, judged on days that it was not fitted to."""
