"""The calls that RankAlpha's API and frontend offer, each declared once."""

from dataclasses import dataclass, replace
from typing import Self

from rankalpha.market import DEFAULT_MARKET, Market
from rankalpha.profile import Profile
from rankalpha.settings import settings


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call that a service offers. Each part is a setting of env/<profile>/api.env or a Variable.

    With `name` GRADING: GRADING_METHOD, GRADING_PATH and GRADING_TIMEOUT (seconds); `url_key` names the
    setting of the base URL, `settings().<url_default>` its default.
    """

    name: str
    url_key: str
    url_default: str
    path: str
    market: Market = DEFAULT_MARKET

    def of(self, market: Market) -> Self:
        """Return the call of a market."""
        return replace(self, market=market)

    def about(self, batch: str) -> dict[str, str]:
        """Return what the service is told of a batch; the default market goes without saying."""
        return {"batch": batch, **({"market": self.market.name} if self.market.folder else {})}

    @property
    def defaults(self) -> dict[str, str]:
        """The call's settings where neither a Variable nor the env file sets them."""
        return {
            self.url_key: getattr(settings(), self.url_default),
            f"{self.name}_METHOD": "POST",
            f"{self.name}_PATH": self.path,
            f"{self.name}_TIMEOUT": "60",
        }

    def profile(self) -> Profile:
        """Look the call's settings up."""
        return Profile.load("api", self.defaults, self.market.profile)


GRADING_REFRESH = Call(
    name="GRADING", url_key="API_URL", url_default="api_url", path="/api/v1/grading/refresh"
)
FRONTEND_REFRESH = Call(
    name="FRONTEND", url_key="FRONTEND_URL", url_default="frontend_url", path="/api/refresh-data"
)
