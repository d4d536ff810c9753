"""models/ → schema.py: the same tables as typed SQLAlchemy classes. Run by `make schema`, never by the engine.

write_schema()      the module's text, from Django's models
python -m store.generate [--check]     writes it, or says that it is stale (exit 1)

Rule: the text depends on the models alone, and ruff finds nothing to do in it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings

PATH = Path(__file__).parent / "schema.py"
LINE_MAX = 120

# Django's kind of a column → (Python's type, SQLAlchemy's type)
TYPES = {
    "BigAutoField": ("int", "Id"),
    "BigIntegerField": ("int", "sa.BigInteger"),
    "BinaryField": ("bytes", "sa.LargeBinary"),
    "BooleanField": ("bool", "sa.Boolean"),
    "CharField": ("str", "sa.String({length})"),
    "IntegerField": ("int", "sa.Integer"),
    "JSONField": ("Any", "Json"),
    "SmallIntegerField": ("int", "sa.SmallInteger"),
    "TextField": ("str", "sa.Text"),
}

HEAD = '''\
"""Every table, typed, for SQLAlchemy. MADE by store/generate.py from store/models/: change those, then `make schema`.

Json   a column of text that holds JSON, written with sorted keys
Id     a row's number, given by the database

Rule: this module imports SQLAlchemy and nothing of Django's.
"""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Json(sa.TypeDecorator[Any]):
    """JSON as text, the same on both databases; None is NULL, as Django stores it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return write_json(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


def write_json(value: Any) -> str | None:
    """A value as a column of Json holds it."""
    return None if value is None else json.dumps(value, sort_keys=True)


# SQLite numbers rows by itself only in a column whose type is exactly INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Base(DeclarativeBase):
    """What all tables share: `Base.metadata`."""
'''


def main() -> int:
    """Write schema.py, or with --check only compare."""
    text = write_schema()
    if "--check" not in sys.argv[1:]:
        PATH.write_text(text, encoding="utf-8")
        return 0
    if PATH.exists() and PATH.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{PATH} is stale: store/models/ says something else; run `make schema`.\n")
    return 1


def write_schema() -> str:
    """The whole of schema.py."""
    if not settings.configured:
        settings.configure(INSTALLED_APPS=["store"], USE_TZ=True)
        django.setup()
    models = apps.get_app_config("store").get_models()
    return "\n\n".join([HEAD, *(_write_class(model) for model in models)])


def _write_class(model: Any) -> str:
    lines = [
        f"class {model.__name__}(Base):",
        f'    """{model.__doc__.strip().splitlines()[0]}"""',
        "",
        f'    __tablename__ = "{model._meta.db_table}"',
        *_write_constraints(list(_constraints(model))),
        "",
        *(_write_column(field, model) for field in model._meta.local_fields if field.column is not None),
    ]
    return "\n".join(lines) + "\n"


def _constraints(model: Any) -> Iterator[str]:
    """Unique constraints and indexes over columns that are named together."""
    column = {field.name: field.column for field in model._meta.local_fields}
    for constraint in model._meta.constraints:
        assert type(constraint).__name__ == "UniqueConstraint", f"{constraint}: teach store/generate.py to write it"
        assert constraint.fields, f"{constraint}: plain columns only"
        assert constraint.condition is None, f"{constraint}: plain columns only"
        yield f"sa.UniqueConstraint({', '.join(_quoted(column[name]) for name in constraint.fields)})"
    for index in model._meta.indexes:
        assert index.fields, f"{index}: plain columns only"
        assert index.condition is None, f"{index}: plain columns only"
        names = [_quoted(index.name), *(_quoted(column[name]) for name in index.fields)]
        yield f"sa.Index({', '.join(names)})"


def _write_constraints(constraints: list[str]) -> list[str]:
    if not constraints:
        return []
    line = f"    __table_args__ = ({', '.join(constraints)}{',' if len(constraints) == 1 else ''})"
    if len(line) <= LINE_MAX:
        return [line]
    return ["    __table_args__ = (", *(f"        {constraint}," for constraint in constraints), "    )"]


def _write_column(field: Any, model: Any) -> str:
    kind = field.target_field.get_internal_type() if field.is_relation else field.get_internal_type()
    if field.is_relation and kind == "BigAutoField":
        kind = "BigIntegerField"
    python, sql = TYPES[kind]
    arguments = [sql.format(length=field.max_length), *_column_arguments(field, model)]
    optional = " | None" if field.null and python != "Any" else ""
    line = f"    {field.column}: Mapped[{python}{optional}] = mapped_column({', '.join(arguments)})"
    assert len(line) <= LINE_MAX, f"{line}: teach store/generate.py to fold it"
    return line


def _column_arguments(field: Any, model: Any) -> Iterator[str]:
    if field in model._meta.pk_fields:
        yield "primary_key=True"
        if field.get_internal_type() != "BigAutoField":
            yield "autoincrement=False"
    else:
        if field.unique:
            yield "unique=True"
        elif field.db_index:
            yield "index=True"
        # Without it SQLAlchemy reads the nullability off `Mapped[...]`, and Any says nothing.
        if field.get_internal_type() == "JSONField":
            yield f"nullable={field.null}"
    if field.has_db_default():
        yield f"server_default={_server_default(field)}"


def _server_default(field: Any) -> str:
    value = getattr(field.db_default, "value", field.db_default)
    assert isinstance(value, bool | int | str), f"{field}: teach store/generate.py to write {value!r}"
    return f"sa.text({_quoted(str(int(value)))})" if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    assert not set(text) & {'"', "\\"}, text
    return f'"{text}"'


if __name__ == "__main__":
    sys.exit(main())
