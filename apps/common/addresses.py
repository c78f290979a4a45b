"""How an address is shown in logs and errors."""

import re

SECRET = re.compile(r"(?i)([?&][^=&]*(?:key|token|secret|auth|password)[^=&]*=)[^&]*")
USER = re.compile(r"//[^/?#]*@")


def shown(address: str) -> str:
    """Return an address without its user, its password and the values of parameters such as `apikey`."""
    return SECRET.sub(r"\1…", USER.sub("//", address))
