"""${message}

Leaves the release before this one working, because its nodes go on serving while the new ones start: add here, and
remove in a later release. Forward-only.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
