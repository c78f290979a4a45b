"""Users of a running Airflow."""

import secrets

ROLES = ("Viewer", "User", "Op")


def make_users(api, *roles):
    """Make a user of each role but Admin, or of some, named like it; return the password of them all."""
    word = f"-{secrets.token_urlsafe(12)}"  # what no command may take for an option
    for role in roles or ROLES:
        name = role.lower()
        identity = {"username": name, "first_name": name, "last_name": name, "email": f"{name}@localhost"}
        api.post("/auth/fab/v1/users", {**identity, "roles": [{"name": role}], "password": word})
    return word
