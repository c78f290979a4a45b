"""The machinery that RankAlpha's DAGs and scripts share; installed beside Airflow."""
