"""What grading calls: RankAlpha's API, which grades, and the frontend, which then shows the grades."""

from rankalpha.stages.call import Call

GRADING_REFRESH = Call(
    name="GRADING", url_key="API_URL", url_default="api_url", path="/api/v1/grading/refresh"
)
FRONTEND_REFRESH = Call(
    name="FRONTEND", url_key="FRONTEND_URL", url_default="frontend_url", path="/api/refresh-data"
)
