"""how attempts end and by which flow run; refusals of a release; events for Prefect's feed"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column, kind in (('flow_run', sa.Text()), ('ended_at', sa.DateTime(timezone=True)), ('outcome', sa.Text())):
        op.add_column('run_attempt', sa.Column(column, kind, nullable=True))
    op.execute("UPDATE run_attempt a SET ended_at = a.at, outcome = CASE r.state WHEN 'done' THEN 'done' ELSE 'failed' END "
               "FROM run r WHERE r.id = a.run_id")
    for column, kind in (('refused_by', sa.Text()), ('refused_at', sa.DateTime(timezone=True)), ('reason', sa.Text())):
        op.add_column('release', sa.Column(column, kind, nullable=True))
    op.create_table('event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('organisations', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=True),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_event_campaign_id')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_event_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event')),
    sa.UniqueConstraint('campaign_id', 'event', 'key', name=op.f('uq_event_campaign_id_event_key'))
    )
    op.create_index('ix_event_waiting', 'event', ['campaign_id'], postgresql_where=sa.text('told_at IS NULL'))


def downgrade() -> None:
    op.drop_table('event')
    for column in ('reason', 'refused_at', 'refused_by'):
        op.drop_column('release', column)
    for column in ('outcome', 'ended_at', 'flow_run'):
        op.drop_column('run_attempt', column)
