"""the life of a finding by its table, excuses that expire, disputes between owners"""
from alembic import op
import sqlalchemy as sa

revision = '0005'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ('excused_until', 'assigned_owner', 'assigned_from'):
        op.add_column('finding', sa.Column(column, sa.Text(), nullable=True))
    op.execute("UPDATE finding SET excused_until = '9999-12' WHERE status = 'excused'")
    for column in ('before', 'after', 'was_closed_in', 'was_last_seen'):
        op.add_column('finding_event', sa.Column(column, sa.Text(), nullable=True))
    op.drop_constraint(op.f('uq_finding_event_finding_id_event_period'), 'finding_event', type_='unique')
    op.create_unique_constraint(op.f('uq_finding_event_finding_id_event_period_at_run_id'), 'finding_event',
                                ['finding_id', 'event', 'period', 'at', 'run_id'], postgresql_nulls_not_distinct=True)
    op.create_table('dispute',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('finding_id', sa.BigInteger(), nullable=False),
    sa.Column('raised_by', sa.Text(), nullable=False),
    sa.Column('owner_then', sa.Text(), nullable=False),
    sa.Column('wanted_owner', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('settled_reason', sa.Text(), nullable=True),
    sa.CheckConstraint('settled_by IS NULL OR settled_by NOT IN (raised_by, wanted_owner)', name=op.f('ck_dispute_four_eyes')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_dispute_campaign_id')),
    sa.ForeignKeyConstraint(['finding_id'], ['finding.id'], name=op.f('fk_dispute_finding_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute'))
    )
    op.create_index('uq_dispute_open', 'dispute', ['finding_id'], unique=True, postgresql_where=sa.text('settled_at IS NULL'))


def downgrade() -> None:
    op.drop_table('dispute')
    op.drop_constraint(op.f('uq_finding_event_finding_id_event_period_at_run_id'), 'finding_event', type_='unique')
    op.create_unique_constraint(op.f('uq_finding_event_finding_id_event_period'), 'finding_event', ['finding_id', 'event', 'period'])
    for column in ('was_last_seen', 'was_closed_in', 'after', 'before'):
        op.drop_column('finding_event', column)
    for column in ('assigned_from', 'assigned_owner', 'excused_until'):
        op.drop_column('finding', column)
