"""Many rows into one table, each once: as fast as the database takes them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = tuple[object, ...]


def insert_new(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: list[Row],
    constants: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Insert the rows whose key is not there yet; part of the transaction under way.

    `constants` are columns that have the same value in every row, as SQL has it. PostgreSQL takes
    the rows by COPY into a table of the session's own, which knows no key, and from there.
    """
    names, all_names = ", ".join(columns), ", ".join((*columns, *constants))
    if connection.dialect.name != "postgresql":
        values = ", ".join((*"?" * len(columns), *constants.values()))
        statement = f"INSERT INTO {table} ({all_names}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
        connection.exec_driver_sql(statement, rows)
        return
    new, values = f"new_{table}", ", ".join((*columns, *constants.values()))
    empty = f"SELECT * FROM {table} WITH NO DATA"  # noqa: S608
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {new} ON COMMIT DELETE ROWS AS {empty}")
    _copy(connection, f"COPY {new} ({names}) FROM STDIN", rows)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({all_names}) SELECT {values} FROM {new} ON CONFLICT DO NOTHING"  # noqa: S608
    )
    connection.exec_driver_sql(f"DELETE FROM {new}")  # noqa: S608


def _copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """COPY on psycopg's own cursor, its errors raised as SQLAlchemy would."""
    cursor = connection.connection.cursor()
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise DBAPIError.instance(statement, None, error, errors, dialect=connection.dialect) from error
    finally:
        cursor.close()
