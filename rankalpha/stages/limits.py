"""The limits of a stage's container, as its settings give them; SettingsError names key, value and fix."""

import re

from rankalpha.settings import SettingsError
from rankalpha.stages.profile import Profile
from rankalpha.texts import shown

LEAST_CPUS = 0.01  # Docker's own minimum; it takes 0 for "no limit"
MOST_CPUS = 2**63 // 10**9  # Docker counts billionths of a CPU in 64 bits
MOST_PROCESSES = 4 * 1024**2  # the kernel's own maximum
LEAST_MEMORY = 6 * 1024**2  # bytes, Docker's own minimum
LEAST_TMP = 1024**2  # bytes; 0 would be no bound
MOST_BYTES = 2**63 - 1
UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s*([bkmg]?)b?", re.IGNORECASE)


def cpus(profile: Profile, key: str) -> float:
    """Return a number of CPUs, such as 1.5."""
    number = profile.number(key, MOST_CPUS)
    if number < LEAST_CPUS:
        raise SettingsError(f"{key}={profile.get(key)!r} is below the minimum of {LEAST_CPUS} CPUs")
    return number


def processes(profile: Profile, key: str) -> int:
    """Return a number of processes, such as 512."""
    number = profile.number(key, MOST_PROCESSES)
    if number != int(number):  # 0.5 would become 0, which Docker takes for "no limit"
        raise SettingsError(f"{key}={profile.get(key)!r} is not a whole number, such as 512")
    return int(number)


def size(profile: Profile, key: str, least: int) -> int:
    """Return a size in bytes, `least` or more; it is written in bytes or with b, k, m or g, such as 2g."""
    value = profile.get(key)
    match = SIZE.fullmatch(value.strip())
    if not match:
        raise SettingsError(f"{key}={shown(value)} is not a size; expected one such as 512m or 2g")
    amount = float(match[1]) * UNITS[match[2].lower()]
    if amount > MOST_BYTES:
        raise SettingsError(f"{key}={shown(value)} is more memory than any machine has; such as 2g")
    if amount < least:
        raise SettingsError(f"{key}={value!r} is below the minimum of {least // 1024**2}m")
    return int(amount)
