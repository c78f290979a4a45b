"""The log that an engine keeps of a stage's container, for its runner and its proxy: of bounded size."""

FILES, MEGABYTES = 2, 50
DRIVER = "json-file"  # whatever the engine's own default is, which may keep nothing to follow
OPTIONS = {"max-file": str(FILES), "max-size": f"{MEGABYTES}m"}
