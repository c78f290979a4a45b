"""The pipeline's metrics for Prometheus, served by Airflow's API server."""
