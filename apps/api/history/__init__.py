"""The record of all grades that were shown: one Parquet file a month, which outlives the batches."""
