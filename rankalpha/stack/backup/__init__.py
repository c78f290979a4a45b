"""Backup and restore of a stack: its database, the data of its batches and the keys that it has made.

`archive` is the file, `database` speaks to PostgreSQL by its own tools, `files` replaces data folders, and
`place` says where a stack keeps all of it.
"""
