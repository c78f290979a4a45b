"""The API key of the lineage server, read when it is needed, so that no configuration holds it."""

from openlineage.client.transport.http import TokenProvider

from rankalpha.settings import settings


class KeyOfSettings(TokenProvider):
    """Gives OpenLineage's client RANKALPHA_OPENLINEAGE_KEY."""

    def get_bearer(self) -> str:
        """Return the Authorization header."""
        return f"Bearer {settings().openlineage_key.get_secret_value()}"
