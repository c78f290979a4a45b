"""The channels by name, and the Airflow connections that switch them on."""

SMTP_CONNECTION = "smtp_default"
SLACK_CONNECTION = "slackwebhook_default"
EMAIL, SLACK = "e-mail", "Slack"
CONNECTIONS = {EMAIL: SMTP_CONNECTION, SLACK: SLACK_CONNECTION}
