"""which execution of a flow run made an attempt: a retry is the same flow run again"""
from alembic import op
import sqlalchemy as sa

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run_attempt', sa.Column('flow_run_count', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('run_attempt', 'flow_run_count')
