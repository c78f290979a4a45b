"""What is called: RankAlpha's API, which grades and shows, and the frontend, which is notified."""

from rankalpha.stages.call import Call

GRADING_REFRESH = Call(
    name="GRADING",
    url_key="API_URL",
    url_default="api_url",
    path="/api/v1/grading/refresh",
    output="grades",
)
GRADING_SHOW = Call(
    name="GRADING_SHOW", url_key="API_URL", url_default="api_url", path="/api/v1/grading/publish"
)
EVALUATION_SHOW = Call(
    name="EVALUATION_SHOW",
    url_key="API_URL",
    url_default="api_url",
    path="/api/v1/evaluation/publish",
    optional=True,
)
FRONTEND_REFRESH = Call(
    name="FRONTEND", url_key="FRONTEND_URL", url_default="frontend_url", path="/api/refresh-data"
)
COMPARE = Call(name="COMPARE", url_key="API_URL", url_default="api_url", path="/api/v1/grading/compare")
CALLS = (GRADING_REFRESH, GRADING_SHOW, FRONTEND_REFRESH, EVALUATION_SHOW, COMPARE)
