"""chunks of a run with their done-marks; attempts; findings by list"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run', sa.Column('lists', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.create_table('run_attempt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('inputs_sha256', sa.Text(), nullable=False),
    sa.Column('code_version', sa.Text(), nullable=False),
    sa.Column('chunks', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_attempt_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_attempt'))
    )
    op.create_index(op.f('ix_run_attempt_run_id'), 'run_attempt', ['run_id'])
    op.create_table('run_chunk',
    sa.Column('run_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('code_version', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=True),
    sa.Column('rows', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_chunk_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'name', name=op.f('pk_run_chunk'))
    )
    op.create_index('ix_run_chunk_key', 'run_chunk', ['key'])


def downgrade() -> None:
    op.drop_table('run_chunk')
    op.drop_table('run_attempt')
    op.drop_column('run', 'lists')
