"""what people decided at the clerical bench"""
from alembic import op
import sqlalchemy as sa

revision = '0003'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('identity_decision',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('campaign_id', sa.Text(), nullable=False),
    sa.Column('row_key', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('is_same', sa.Boolean(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_identity_decision_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identity_decision'))
    )
    op.create_index('uq_identity_decision_standing', 'identity_decision', ['campaign_id', 'row_key', 'person_id'],
                    unique=True, postgresql_where=sa.text('superseded_at IS NULL'))


def downgrade() -> None:
    op.drop_table('identity_decision')
