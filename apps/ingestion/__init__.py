"""Ingestion: brings a batch's prices up to date and lists the screener appearances of its last day."""
