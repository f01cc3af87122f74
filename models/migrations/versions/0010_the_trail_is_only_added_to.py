"""the audit trail refuses to be changed"""
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit trail is only added to: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege', HINT = 'What is wrong in it is put right by a further row.';
        END $$
    """)
    for name, what in (('audit_refuses_change', 'UPDATE OR DELETE'), ('audit_refuses_truncate', 'TRUNCATE')):
        op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()")
        # Always: not even a session that plays a replica gets past it.
        op.execute(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {name}")


def downgrade() -> None:
    for name in ('audit_refuses_change', 'audit_refuses_truncate'):
        op.execute(f"DROP TRIGGER {name} ON audit")
    op.execute("DROP FUNCTION audit_refuses()")
