
-- Watching a table: these make and drop the triggers.

-- Refuses names that are no columns of the table.
CREATE OR REPLACE FUNCTION broadcast.check_columns(relation pg_catalog.regclass, names pg_catalog.text[], what pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  IF cardinality(names) = 0 THEN
    RAISE EXCEPTION '% names no column; leave it out for none', what USING ERRCODE = 'invalid_parameter_value';
  ELSIF array_ndims(names) > 1 OR array_position(names, NULL) IS NOT NULL THEN
    RAISE EXCEPTION '% has to be a plain list of names, none of them null', what USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOREACH name IN ARRAY names LOOP
    IF NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = relation AND a.attname::text COLLATE "C" = name COLLATE "C" AND a.attnum > 0 AND NOT a.attisdropped)
    THEN
      RAISE EXCEPTION 'the table % has no column "%"', relation, name USING ERRCODE = 'undefined_column';
    END IF;
  END LOOP;
END
$$;

-- Refuses what can't be watched, or not by this user.
CREATE OR REPLACE FUNCTION broadcast.check_table(relation pg_catalog.regclass) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
BEGIN
  SELECT c.relkind, c.relowner, c.relnamespace INTO found FROM pg_class AS c WHERE c.oid = relation;
  IF found IS NULL THEN
    RAISE EXCEPTION 'there is no table %', coalesce(relation::text, 'null') USING ERRCODE = 'undefined_table';
  ELSIF found.relkind NOT IN ('r', 'p') OR found.relnamespace = 'pg_catalog'::regnamespace THEN
    RAISE EXCEPTION '% is not a table that can be watched', relation
      USING ERRCODE = 'wrong_object_type', HINT = 'Of a view, watch the tables that it reads.';
  ELSIF NOT pg_has_role(current_user, found.relowner, 'USAGE') THEN
    RAISE EXCEPTION 'only the owner of the table % may watch it: "%"', relation, pg_get_userbyid(found.relowner)
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;

-- The name of a channel's trigger. Triggers run in the order of their names, and this one has to run before one that changes
-- the row again: else the second change would be told before the first.
CREATE OR REPLACE FUNCTION broadcast.trigger_name(kind pg_catalog.text, channel pg_catalog.text) RETURNS pg_catalog.name
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN '0_broadcast_' || kind || '_' || left(encode(sha256(convert_to(channel, 'UTF8')), 'hex'), 32);
END
$$;

-- The table and those that inherit from it. Partitions are not among them: they get their trigger by themselves.
CREATE OR REPLACE FUNCTION broadcast.inheriting_tables(relation pg_catalog.regclass) RETURNS SETOF pg_catalog.regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    WITH RECURSIVE tables(id) AS (
      SELECT relation::oid
      UNION
      SELECT c.oid FROM tables AS t JOIN pg_inherits AS i ON i.inhparent = t.id JOIN pg_class AS c ON c.oid = i.inhrelid
      WHERE c.relkind = 'r' AND NOT c.relispartition)
    SELECT t.id::regclass FROM tables AS t ORDER BY t.id;
END
$$;

-- Makes a trigger, in the place of one of that name, and leaves one alone that is the same.
CREATE OR REPLACE FUNCTION broadcast.make_trigger(
  relation pg_catalog.regclass, name pg_catalog.name, event pg_catalog.text, arguments pg_catalog.text[])
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  present record;
  same bytea := '';
  list text := '';
BEGIN
  FOR i IN 1 .. cardinality(arguments) LOOP
    same := same || convert_to(arguments[i], getdatabaseencoding()) || decode('00', 'hex');
    list := list || CASE WHEN i > 1 THEN ', ' ELSE '' END || quote_literal(arguments[i]);
  END LOOP;
  SELECT t.tgargs, t.tgenabled, t.tgfoid INTO present FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = name;
  IF FOUND THEN
    IF present.tgargs = same AND present.tgenabled <> 'D' AND present.tgfoid = 'broadcast.row_changed()'::regprocedure THEN
      RETURN;
    END IF;
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation);
  END IF;
  EXECUTE format('CREATE TRIGGER %I %s EXECUTE FUNCTION broadcast.row_changed(%s)', name, format(event, relation), list);
END
$$;

-- Tells each change of the table's rows on a channel, from now on and until broadcast.unwatch(). Again with the same channel
-- it replaces what is there. Only the table's owner may.
--
-- columns: only these are sent, and an update that changes none of them is not told.
-- condition: SQL over the columns of a row. Only changes are told of rows that meet it, before or after. It runs with the
--   rights of whoever writes, and finds functions and operators of the system alone; others need their schema.
-- key: these columns' values make the channel: channel || ':' || values.
CREATE OR REPLACE FUNCTION broadcast.watch(
  relation pg_catalog.regclass, channel pg_catalog.text, columns pg_catalog.text[] DEFAULT NULL,
  condition pg_catalog.text DEFAULT NULL, key pg_catalog.text[] DEFAULT NULL)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
  arguments text[] := ARRAY[channel, coalesce(columns::text, ''), coalesce(condition, ''), coalesce(key::text, '')];
  watched regclass;
BEGIN
  PERFORM broadcast.notify_channel(channel);
  PERFORM broadcast.check_table(relation);
  IF columns IS NOT NULL THEN
    PERFORM broadcast.check_columns(relation, columns, 'columns');
  END IF;
  IF key IS NOT NULL THEN
    PERFORM broadcast.check_columns(relation, key, 'key');
    -- Its value may be a text that PostgreSQL can't have, and whoever writes it would fail.
    IF EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = relation AND a.attname::text COLLATE "C" = ANY (key COLLATE "C") AND a.attnum > 0
        AND broadcast.base_type(a.atttypid) = 'json'::regtype)
    THEN
      RAISE EXCEPTION 'a column of the type json can''t be a key'
        USING ERRCODE = 'invalid_parameter_value', HINT = 'One of the type jsonb can.';
    END IF;
    IF octet_length(convert_to(channel, 'UTF8')) > 180 THEN
      RAISE EXCEPTION 'with a key the channel''s name can have at most 180 bytes of UTF-8'
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
  END IF;
  IF condition IS NOT NULL THEN
    IF btrim(condition, E' \t\r\n') = '' THEN
      RAISE EXCEPTION 'the condition is empty; leave it out for none' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Reads nothing, so it needs no right to read.
    EXECUTE format(
      E'SELECT (%s\n) IS TRUE FROM (SELECT (NULL::%s).*) AS %I WHERE false', condition, relation,
      (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation));
  END IF;
  -- Two that make the same trigger at once would fail.
  PERFORM pg_advisory_xact_lock(hashtextextended('broadcast.watch', relation::oid::bigint));
  FOR watched IN SELECT broadcast.inheriting_tables(relation) LOOP
    PERFORM broadcast.check_table(watched);
    PERFORM broadcast.make_trigger(
      watched, broadcast.trigger_name('row', channel), 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW', arguments);
  END LOOP;
  PERFORM broadcast.make_trigger(
    relation, broadcast.trigger_name('truncate', channel), 'AFTER TRUNCATE ON %s FOR EACH STATEMENT', arguments);
END
$$;

-- Ends it without a trace. Returns whether the table was watched on that channel.
CREATE OR REPLACE FUNCTION broadcast.unwatch(relation pg_catalog.regclass, channel pg_catalog.text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  present record;
  was_watched boolean := false;
BEGIN
  PERFORM broadcast.notify_channel(channel);
  PERFORM broadcast.check_table(relation);
  PERFORM pg_advisory_xact_lock(hashtextextended('broadcast.watch', relation::oid::bigint));
  FOR present IN
    SELECT t.tgrelid::regclass AS relation, t.tgname AS name
    FROM pg_trigger AS t JOIN broadcast.inheriting_tables(relation) AS i(id) ON t.tgrelid = i.id
    WHERE t.tgname IN (broadcast.trigger_name('row', channel), broadcast.trigger_name('truncate', channel))
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', present.name, present.relation);
    was_watched := true;
  END LOOP;
  RETURN was_watched;
END
$$;
