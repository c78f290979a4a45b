"""Lineage for an outside catalogue, by Airflow's OpenLineage provider. Off by default.

`configuration` makes the provider's own settings from RANKALPHA_OPENLINEAGE. `extractor` describes our
operators to the provider, and is loaded only when it is on.
"""
