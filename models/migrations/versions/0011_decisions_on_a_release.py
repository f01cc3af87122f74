"""every decision on a release is a row of its own; what each row of a proposal said"""
from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('release_content',
    sa.Column('release_id', sa.BigInteger(), nullable=False),
    sa.Column('rows', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['release_id'], ['release.id'], name=op.f('fk_release_content_release_id')),
    sa.PrimaryKeyConstraint('release_id', name=op.f('pk_release_content'))
    )
    op.create_table('release_decision',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('release_id', sa.BigInteger(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('content_sha256', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['release_id'], ['release.id'], name=op.f('fk_release_decision_release_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_release_decision'))
    )
    op.execute("INSERT INTO release_decision (release_id, decision, decided_by, decided_at, content_sha256, expires_at, reason) "
               "SELECT id, 'approved', approved_by, approved_at, content_sha256, expires_at, coalesce(reason, '') FROM release "
               "WHERE approved_by IS NOT NULL AND approved_at IS NOT NULL")
    op.execute("INSERT INTO release_decision (release_id, decision, decided_by, decided_at, content_sha256, reason) "
               "SELECT id, 'refused', refused_by, refused_at, content_sha256, coalesce(reason, '') FROM release "
               "WHERE refused_by IS NOT NULL AND refused_at IS NOT NULL")
    op.execute("""
        CREATE FUNCTION decision_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a decision stands as it was made: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege', HINT = 'Decide anew: that is a further row.';
        END $$
    """)
    op.execute("CREATE TRIGGER decision_refuses_change BEFORE UPDATE OR DELETE ON release_decision "
               "FOR EACH STATEMENT EXECUTE FUNCTION decision_refuses()")


def downgrade() -> None:
    op.drop_table('release_decision')
    op.execute("DROP FUNCTION decision_refuses()")
    op.drop_table('release_content')
