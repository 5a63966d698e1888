"""Run by Alembic for each migration, on the connection and in the transaction of `loom.store.schema.upgrade`.

A new migration is a file in `versions/` named `r<number>_<what it does>.py`, its revision the next number, with
`HEAD` of `loom/store/schema.py` set to it.
"""

from alembic import context

from loom.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
