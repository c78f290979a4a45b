"""Sentiment stage: reads a batch's screener appearances and headlines, writes one sentiment a symbol."""
