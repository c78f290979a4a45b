"""A call to a service. It is declared once, and `rankalpha.operators.service` makes it."""

from dataclasses import dataclass, replace
from typing import Self

from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.settings import SettingsError, settings
from rankalpha.stages.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that a service offers. Each part is a setting of env/<profile>/api.env or a Variable.

    With `name` GRADING: GRADING_METHOD, GRADING_PATH and GRADING_TIMEOUT (seconds); `url_key` names the
    setting of the base URL, `settings().<url_default>` its default.

    `output` is the folder of the versions that the service writes, see `rankalpha.pipeline.versions`; empty
    for a call that writes none. GRADING_VERSIONS=false is for a service that refuses what it does not know.
    A call that is `optional` need not be offered: a service of your own may answer 404 or 405.
    """

    name: str
    url_key: str
    url_default: str
    path: str
    output: str = ""
    optional: bool = False
    market: Market = DEFAULT_MARKET

    def of(self, market: Market) -> Self:
        """Return the call of a market."""
        return replace(self, market=market)

    def about(self, batch: str) -> dict[str, str]:
        """Return what the call says about a batch; the default market is not mentioned."""
        return {"batch": batch, **({"market": self.market.name} if self.market.folder else {})}

    @property
    def defaults(self) -> dict[str, str]:
        """The call's settings without a Variable or a line of the env file."""
        return {
            self.url_key: getattr(settings(), self.url_default),
            f"{self.name}_METHOD": "POST",
            f"{self.name}_PATH": self.path,
            f"{self.name}_TIMEOUT": "60",
            **({f"{self.name}_VERSIONS": "true"} if self.output else {}),
        }

    def takes_part(self, profile: Profile) -> bool:
        """Return whether the call names versions; those of a GET have no place in its address.

        Raises SettingsError when a challenger's does not, because what it writes would take the champion's
        place, and when a market's with a `sentiment_weight` does not, because nothing would name the weight.
        """
        method, versions = f"{self.name}_METHOD", f"{self.name}_VERSIONS"
        if not self.output:
            return False
        if profile.get(method).upper() != "GET" and profile.flag(versions):
            return True
        if self.market.challenges:
            raise SettingsError(
                "a variant needs a service that takes part in versions; "
                f"set {method}=POST and {versions}=true"
            )
        if self.market.sentiment_weight is not None:
            raise SettingsError(
                f"the sentiment_weight of market {self.market.name} needs a service that takes part in "
                f"versions; set {method}=POST and {versions}=true, or leave the weight out"
            )
        return False

    def profile(self) -> Profile:
        """Look up the call's settings."""
        return Profile.load("api", self.defaults, self.market)
