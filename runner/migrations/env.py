"""What Alembic runs to migrate; `migrate` hands in the connection, its transaction begun."""

from alembic import context

context.configure(**context.config.attributes["configure"])
context.run_migrations()
