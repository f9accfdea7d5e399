"""Many rows into one table, each once: as fast as the database takes them."""

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = tuple[object, ...]


def insert_new(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet; part of the transaction under way.

    PostgreSQL takes them by COPY into a table of the session's own, which knows no key, and from there.
    """
    names = ", ".join(columns)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        connection.exec_driver_sql(statement, list(rows))
        return
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS new_{table} (LIKE {table}) ON COMMIT DELETE ROWS"
    )
    _copy(connection, f"COPY new_{table} ({names}) FROM STDIN", rows)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM new_{table} ON CONFLICT DO NOTHING"  # noqa: S608
    )
    connection.exec_driver_sql(f"DELETE FROM new_{table}")  # noqa: S608


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
