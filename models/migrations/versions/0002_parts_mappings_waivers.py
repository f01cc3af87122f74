"""parts, corrections, profiles and waivers of deliveries; saved mappings"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('part', sa.Text(), server_default='', nullable=False))
    op.add_column('delivery', sa.Column('corrects', sa.BigInteger(), nullable=True))
    op.add_column('delivery', sa.Column('profile', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column('delivery', sa.Column('quality_page', sa.Text(), nullable=True))
    op.add_column('delivery', sa.Column('return_workbook', sa.Text(), nullable=True))
    op.add_column('delivery', sa.Column('waived_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('delivery', sa.Column('waived_by', sa.Text(), nullable=True))
    op.add_column('delivery', sa.Column('waived_reason', sa.Text(), nullable=True))
    op.create_foreign_key(op.f('fk_delivery_corrects'), 'delivery', 'delivery', ['corrects'], ['id'])
    # A file may be judged again: what must stand once is its judgement in force, not every one there ever was.
    op.drop_constraint(op.f('uq_delivery_campaign_id_feed_period_provider_sha256'), 'delivery', type_='unique')
    op.create_index('uq_delivery_standing', 'delivery', ['campaign_id', 'feed', 'period', 'provider', 'sha256'],
                    unique=True, postgresql_where=sa.text('superseded_at IS NULL'))
    op.create_table('saved_mapping',
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('header_key', sa.Text(), nullable=False),
    sa.Column('column_name', sa.Text(), nullable=False),
    sa.Column('confirmed_by', sa.Text(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_saved_mapping_campaign_id')),
    sa.PrimaryKeyConstraint('campaign_id', 'feed', 'provider', 'header_key', name=op.f('pk_saved_mapping'))
    )


def downgrade() -> None:
    op.drop_table('saved_mapping')
    op.drop_index('uq_delivery_standing', table_name='delivery')
    op.create_unique_constraint(op.f('uq_delivery_campaign_id_feed_period_provider_sha256'), 'delivery',
                                ['campaign_id', 'feed', 'period', 'provider', 'sha256'])
    op.drop_constraint(op.f('fk_delivery_corrects'), 'delivery', type_='foreignkey')
    for column in ('waived_reason', 'waived_by', 'waived_at', 'return_workbook', 'quality_page', 'profile', 'corrects', 'part'):
        op.drop_column('delivery', column)
