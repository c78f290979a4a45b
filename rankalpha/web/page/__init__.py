"""The operators' page in Airflow's UI: static files, and the two routes that they read."""

PREFIX = "rankalpha"  # of all that the plugin serves; without a slash, so that it works behind a base_url too
PAGE = "/page"

# what Airflow's own frame shows, embedded and with an entry in its navigation
VIEW = {
    "name": "RankAlpha",
    "href": f"{PREFIX}{PAGE}/",
    "url_route": "rankalpha",
    "icon": f"{PREFIX}{PAGE}/icon.svg",
    "icon_dark_mode": f"{PREFIX}{PAGE}/icon-dark.svg",
    "destination": "nav",
    "nav_top_level": True,
}
