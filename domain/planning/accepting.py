"""Which values a custom field takes."""

from domain.planning.field import CHOOSING, Field
from domain.work.task.custom_field import FieldInput, UnknownField, not_valid, texts_of


def field_texts(field: Field, key: str, value: FieldInput | None) -> tuple[str, ...]:
    """Return the texts by which tasks keep *value* in *field*, whose key is to be *key*.

    A field in the trash, and options that are retired, are not refused: tasks may have them.

    :raises UnknownField: the project has no such field.
    :raises FieldValueNotValid: the value is not of its type, or no option of it.
    """
    if field.created_at is None:
        raise UnknownField(key=key)
    texts = texts_of(key, field.kind, value)
    if field.kind in CHOOSING and not {*texts} <= {*field.options}:
        raise not_valid(key, field.kind, [each for each in field.options if each in field.offered])
    return texts


def is_not_offered(field: Field, value: FieldInput | None) -> bool:
    """Return whether *value* is an option that tasks do not get."""
    if value is None or field.kind not in CHOOSING:
        return False
    return bool({*texts_of(field.key, field.kind, value)}.difference(field.offered))
