"""The stack of `make up`: PostgreSQL, Airflow and the reference services, without a Docker engine."""
