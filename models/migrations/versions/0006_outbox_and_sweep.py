"""attempts and dead letters of the outbox; when a sweep has to look at an obligation again"""
from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('message', sa.Column('letter', sa.BigInteger(), nullable=True))
    op.add_column('message', sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('message', sa.Column('dead_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('obligation', sa.Column('look_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_obligation_look_at', 'obligation', ['campaign_id', 'look_at'])


def downgrade() -> None:
    op.drop_index('ix_obligation_look_at', 'obligation')
    op.drop_column('obligation', 'look_at')
    op.drop_column('message', 'dead_at')
    op.drop_column('message', 'next_attempt_at')
    op.drop_column('message', 'letter')
