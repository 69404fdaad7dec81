"""E-mail addresses in requests."""

from api.http.problem import FieldError, invalid
from security.mail_address import is_address


def refuse_odd_address(email: str) -> None:
    """Refuse what cannot be an e-mail address; only a message could prove that it exists.

    :raises Problem: 422.
    """
    if not is_address(email):
        raise invalid(FieldError("$.email", "Expected an e-mail address"))
