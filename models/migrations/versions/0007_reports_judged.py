"""what the office should look at in accepted reports, restatements, and why a candidate was decided on"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, empty in (('figures', "'{}'"), ('remarks', "'[]'"), ('changes', "'[]'")):
        op.add_column('submission', sa.Column(column, postgresql.JSONB(), server_default=sa.text(empty), nullable=False))
    op.add_column('submission', sa.Column('restates', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_submission_restates'), 'submission', 'submission', ['restates'], ['id'])
    op.add_column('candidate', sa.Column('reason', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('candidate', 'reason')
    op.drop_constraint(op.f('fk_submission_restates'), 'submission', type_='foreignkey')
    for column in ('restates', 'changes', 'remarks', 'figures'):
        op.drop_column('submission', column)
