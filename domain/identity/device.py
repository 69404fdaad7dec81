"""Device: what a User-Agent tells about the program and the system, coarsely and for people."""

PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx/", "a Python program"),
    ("python-requests/", "a Python program"),
)
"""Part of a User-Agent and the name of the program. Browsers name the ones that they descend from
as well, so the first that fits counts."""

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
"""The same for systems: one of Android also names Linux."""

UNKNOWN = "an unknown device"


def device_name(user_agent: str | None) -> str:
    """Return the device that a User-Agent names, such as "Firefox on Windows".

    Everybody can send any User-Agent, so this identifies nothing.
    """
    told = user_agent or ""
    program = next((name for part, name in PROGRAMS if part in told), None)
    system = next((name for part, name in SYSTEMS if part in told), None)
    if program is None or system is None:
        return program or system or UNKNOWN
    return f"{program} on {system}"
