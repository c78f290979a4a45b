"""Lineage for a catalogue outside: Airflow's OpenLineage provider, told of our datasets. Off by default.

`configuration` makes the provider's own settings of RANKALPHA_OPENLINEAGE; `extractor` is what the provider
asks about our operators, loaded only when it is on.
"""
