"""What `rankalpha verify` prints."""

import re

DATASETS = ["prices", "scores", "sentiment", "grades", "evaluations"]


def sound(printed):
    """The datasets whose published version is as it was sealed, in the order that they are printed in."""
    return re.findall(r"^ok .*\((\w+), published\)$", printed, re.MULTILINE)
