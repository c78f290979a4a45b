"""Grading API: joins a batch's scores and sentiment into grades A to F, and serves them."""
