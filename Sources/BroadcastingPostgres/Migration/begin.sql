-- broadcast.publish(channel, message): publishes inside the caller's own transaction. Subscribers get the message when that
-- commits, and never when it is rolled back.
--
-- broadcast.watch(table, channel): publishes each change of the table's rows so, until broadcast.unwatch(table, channel).
--
-- Run this in the database, as a user who may create a schema; again after an update, which replaces the functions. It is
-- one statement: all of it is done, or nothing. psql tells of an error by its exit code with -v ON_ERROR_STOP=1 alone.
--
-- A message has at most 1 MiB. Whoever may connect may call the functions: they do what pg_notify does, with the rights of
-- the caller; a table is watched by its owner alone. That is granted when they are new; what is revoked afterwards stays so.
-- To remove all of it:
--
--   DROP SCHEMA broadcast CASCADE;
--
-- PostgreSQL 11 or later.

DO $migration$
DECLARE
  is_new boolean;
  has_watches boolean;
  owner pg_catalog.name;
  what pg_catalog.text;
BEGIN
-- Several may run at once, and two that replace a function would fail. The number stands for nothing.
PERFORM pg_catalog.pg_advisory_xact_lock(7089054359448449388);

CREATE SCHEMA IF NOT EXISTS broadcast;

-- Who owns the schema can put other functions in the place of these, and whoever calls them would run those. A superuser and
-- the database's owner can do worse anyway.
SELECT r.rolname INTO owner
FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
WHERE n.nspname OPERATOR(pg_catalog.=) 'broadcast' AND NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) current_user
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_database AS d
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND d.datdba OPERATOR(pg_catalog.=) n.nspowner);
IF FOUND THEN
  RAISE EXCEPTION 'the schema "broadcast" belongs to "%", who could exchange the functions in it', owner
    USING HINT = 'Run this as that user, or drop the schema, and all watches with it: DROP SCHEMA broadcast CASCADE.';
END IF;
-- So can the owner of a function in it, and whoever may create others there: one that fits a call better is called instead.
SELECT coalesce(r.rolname, 'PUBLIC'), f.what INTO owner, what
FROM (
  SELECT p.proowner AS role, pg_catalog.format('owns the function %s', p.oid::pg_catalog.regprocedure) AS what
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
  WHERE n.nspname OPERATOR(pg_catalog.=) 'broadcast'
  UNION ALL
  SELECT a.grantee, 'may create functions'
  FROM pg_catalog.pg_namespace AS n, pg_catalog.aclexplode(n.nspacl) AS a
  WHERE n.nspname OPERATOR(pg_catalog.=) 'broadcast' AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE') AS f
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) f.role
WHERE (r.oid IS NULL OR NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) current_user)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_database AS d
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND d.datdba OPERATOR(pg_catalog.=) f.role)
LIMIT 1;
IF FOUND THEN
  RAISE EXCEPTION 'in the schema "broadcast" "%" %, and could exchange those of this project', owner, what
    USING HINT = 'Drop the schema, and all watches with it: DROP SCHEMA broadcast CASCADE; or REVOKE CREATE ON SCHEMA broadcast.';
END IF;
is_new := pg_catalog.to_regprocedure('broadcast.publish(pg_catalog.text, pg_catalog.text)') IS NULL;
has_watches := pg_catalog.to_regprocedure('broadcast.row_changed()') IS NOT NULL;

