"""The profile `production`, made of env/example as a user makes it."""

import re
import secrets

from cryptography.fernet import Fernet

PASSWORDS = {name: secrets.token_urlsafe(24) for name in ("database", "broker", "admin", "own")}
PASSWORDS["admin"] = f"-{PASSWORDS['admin']}"  # what no command may take for an option
SECRETS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:{PASSWORDS['database']}@postgres/airflow",
    "AIRFLOW__CELERY__BROKER_URL": f"redis://:{PASSWORDS['broker']}@redis:6379/0",
    "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
    "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
    "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
    "RANKALPHA_ADMIN_PASSWORD": PASSWORDS["admin"],
    "RANKALPHA_METRICS_TOKEN": secrets.token_urlsafe(48),
}


def fill(file, **values):
    """Set keys in a copy of an example, as its head says: each stands there, commented out."""
    text = file.read_text()
    for key, value in values.items():
        text, times = re.subn(
            rf"^# {key}=.*", lambda _, line=f"{key}={value}": line, text, flags=re.MULTILINE
        )
        assert times == 1, f"{key} is {times} times in {file}"
    file.write_text(text)
