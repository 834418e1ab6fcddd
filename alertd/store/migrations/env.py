"""Alembic's entry: runs the migrations in the transaction of the connection that the store opened."""

from alembic import context

from alertd.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
