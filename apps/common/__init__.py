"""What the reference services share: the container contract (`stage`) and atomic files (`files`)."""
