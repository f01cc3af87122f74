"""messages that have no way out are held, and a sweep asks what became of an obligation's messages"""
from alembic import op
import sqlalchemy as sa

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('message', sa.Column('held_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_message_obligation', 'message', ['obligation_id'], unique=False)
