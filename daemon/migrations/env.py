"""What alembic runs: the revisions, on the connection and in the transaction it is handed."""

from alembic import context

from daemon.recording.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, once BEGIN is said to it
)
with context.begin_transaction():
    context.run_migrations()
