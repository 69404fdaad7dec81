"""The rules of the areas that came later, in one table."""

from commands.claims.exchange import EXCHANGE_RULES
from commands.claims.inbox import INBOX_RULES
from commands.claims.planning import PLANNING_RULES
from commands.claims.recurrence import RECURRENCE_RULES
from commands.claims.templates import TEMPLATE_RULES
from commands.claims.views import VIEW_RULES
from commands.happening import Rule
from domain.base import Event

AREA_RULES: dict[type[Event], Rule] = {
    **PLANNING_RULES,
    **RECURRENCE_RULES,
    **VIEW_RULES,
    **TEMPLATE_RULES,
    **INBOX_RULES,
    **EXCHANGE_RULES,
}
