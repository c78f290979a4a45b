"""Users of a running Airflow, made as the README says."""

import secrets

ROLES = ("Viewer", "User", "Op")


def make_users(stack, *roles):
    """Make a user of each role but Admin, or of some, named like it; return the password of them all."""
    word = f"-{secrets.token_urlsafe(12)}"  # what no command may take for an option
    for role in roles or ROLES:
        name = role.lower()
        identity = f"--firstname {name} --lastname {name} --email {name}@localhost"
        command = f"users create --role {role} --username {name} --password={word} {identity}"
        done = stack.stack("airflow", *command.split())
        assert done.returncode == 0, done.stdout
    return word
