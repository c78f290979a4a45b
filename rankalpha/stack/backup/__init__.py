"""Backup and restore of a stack: its database, the data of its batches and the keys that it has made.

`form`, `writing` and `reading` are about the file, `database` speaks to PostgreSQL by its own tools, `files`
replaces folders of data, and `place` says where a stack keeps all of it.
"""
