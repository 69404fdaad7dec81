"""Password hashes as configured: their cost, and the peppers that go into them."""

from runtime.settings import Settings
from security.passwords import Passwords
from security.pepper import Pepper, Peppers


def password_hashes(settings: Settings) -> Passwords:
    """Return what hashes passwords.

    Without a pepper of their own they get one derived from the secret of the log; it stays known
    after that has been set.
    """
    fallback = Pepper(settings.log_secret)
    given = (settings.password_pepper, settings.password_previous_pepper)
    configured = [Pepper(secret) for secret in given if secret]
    return Passwords(
        memory_kib=settings.argon2_memory,
        iterations=settings.argon2_iterations,
        peppers=Peppers(*configured, fallback),
    )
