"""Linux capabilities, the parts of root's power: a stage has only those that it declares."""

# Docker's own defaults without NET_RAW: what every container has elsewhere. Most others lead out of it.
GRANTABLE = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
NEVER = {
    "NET_RAW": "read and forge the packets of its network",
    "NET_ADMIN": "redirect the packets of its network",
}


def check_capabilities(stage: str, names: tuple[str, ...]) -> None:
    """Raise ValueError when a stage declares what is not a capability, or one that no stage may have."""
    if isinstance(names, str):
        message = f"stage {stage}: capabilities={names!r} is not a tuple, such as ('CHOWN',)"
        raise ValueError(message)  # noqa: TRY004  every mistake of a declaration is a ValueError
    for name in names:
        if why := NEVER.get(name.upper().removeprefix("CAP_")):
            raise ValueError(
                f"stage {stage}: no stage may have the capability {name}, with which it could {why}; "
                "leave it out, and change the image so that it works without it"
            )
        if name not in GRANTABLE:
            raise ValueError(
                f"stage {stage}: {name!r} is not a capability that a stage may have; "
                f"expected one of {', '.join(GRANTABLE)}"
            )
