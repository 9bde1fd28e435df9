
-- Row changes: what the triggers do that broadcast.watch() makes.

-- The name of a channel for one key. No two keys have the same: a comma and a percent sign in a value are written %2C and
-- %25, null is %0, and a name that would be too long has a digest in the place of its values.
CREATE OR REPLACE FUNCTION broadcast.key_channel(channel pg_catalog.text, key pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := '';
BEGIN
  FOR i IN 1 .. cardinality(key) LOOP
    IF i > 1 THEN
      name := name || ',';
    END IF;
    name := name || coalesce(replace(replace(key[i], '%', '%25'), ',', '%2C'), '%0');
  END LOOP;
  IF octet_length(convert_to(channel || ':' || name, 'UTF8')) > 255 THEN
    name := '%sha256-' || encode(sha256(convert_to(name, 'UTF8')), 'hex');
  END IF;
  RETURN channel || ':' || name;
END
$$;

-- The columns of a row and the JSON of each. JSON numbers are only whole numbers that every program reads exactly: what has
-- more digits, or may have a fraction, is text. What a json column holds stays as it is.
CREATE OR REPLACE FUNCTION broadcast.row_values(
  relation pg_catalog.oid, content pg_catalog.json, OUT names pg_catalog.text[], OUT contents pg_catalog.text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- json_each() reads all escapes, and fails for \u0000 and for half of a pair, which a json column may hold. So it gets \\u
  -- for \u, and before that \u005c for \\, until the columns are apart.
  is_hidden CONSTANT boolean := strpos(content::text COLLATE "C", E'\\u') > 0;
BEGIN
  IF is_hidden THEN
    content := replace(replace(content::text, E'\\\\', E'\\u005c'), E'\\u', E'\\\\u')::json;
  END IF;
  SELECT
    array_agg(a.attname::text ORDER BY a.attnum),
    array_agg(
      CASE
        WHEN is_hidden AND json_typeof(j.value) <> 'number'
          THEN replace(replace(j.value::text, E'\\\\u', E'\\u'), E'\\u005c', E'\\\\')
        WHEN a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'json'::regtype, 'jsonb'::regtype)
          OR json_typeof(j.value) <> 'number' THEN j.value::text
        WHEN a.atttypid NOT IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype)
          -- A call for each row of a table whose key is a bigint would be felt.
          AND CASE CASE WHEN a.atttypid = 'int8'::regtype THEN a.atttypid ELSE broadcast.base_type(a.atttypid) END
            WHEN 'int8'::regtype THEN abs((j.value::text)::numeric) < 9007199254740992
            WHEN 'int2'::regtype THEN true
            WHEN 'int4'::regtype THEN true
            WHEN 'json'::regtype THEN true
            WHEN 'jsonb'::regtype THEN true
            ELSE false
          END THEN j.value::text
        ELSE to_json(j.value::text)::text
      END ORDER BY a.attnum)
  INTO names, contents
  FROM pg_attribute AS a JOIN json_each(content) AS j ON j.key COLLATE "C" = CASE
    WHEN is_hidden
      THEN replace(replace(to_json(a.attname::text)::text, E'\\\\', E'\\u005c'), E'\\u', E'\\\\u')::json #>> '{}'
    ELSE a.attname::text
  END COLLATE "C"
  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END
$$;

-- The type that a domain is made of.
CREATE OR REPLACE FUNCTION broadcast.base_type(type pg_catalog.oid) RETURNS pg_catalog.oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base oid := type;
  next oid;
BEGIN
  LOOP
    SELECT t.typbasetype INTO next FROM pg_type AS t WHERE t.oid = base AND t.typtype = 'd';
    EXIT WHEN NOT FOUND;
    base := next;
  END LOOP;
  RETURN base;
END
$$;

-- A JSON object of some of a row's columns, or of all where `wanted` is null. Null where there is no row.
CREATE OR REPLACE FUNCTION broadcast.row_object(
  names pg_catalog.text[], contents pg_catalog.text[], wanted pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF contents IS NULL THEN
    RETURN 'null';
  END IF;
  RETURN '{' || coalesce(
    (SELECT string_agg(to_json(c.name)::text || ':' || c.content, ',' ORDER BY c.number)
     FROM unnest(names, contents) WITH ORDINALITY AS c(name, content, number)
     WHERE wanted IS NULL OR c.name = ANY (wanted)), '') || '}';
END
$$;

-- The texts of a key's columns, as a reader of the JSON sees them.
CREATE OR REPLACE FUNCTION broadcast.row_key(
  names pg_catalog.text[], contents pg_catalog.text[], key pg_catalog.text[]) RETURNS pg_catalog.text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT contents[array_position(names, k.name)]::json #>> '{}'
    FROM unnest(key) WITH ORDINALITY AS k(name, number) ORDER BY k.number);
END
$$;

-- The trigger's function. Its arguments: the channel, the columns, the condition, the key, where '' stands for none.
--
-- It runs with the rights of whoever writes to the table. Times are in UTC, whatever the session has set.
CREATE OR REPLACE FUNCTION broadcast.row_changed() RETURNS pg_catalog.trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601' SET timezone = 'UTC'
SET extra_float_digits = 3 SET bytea_output = 'hex' SET standard_conforming_strings = on AS $$
DECLARE
  size_limit CONSTANT integer := 1048576;
  channel CONSTANT text := TG_ARGV[0];
  condition CONSTANT text := nullif(TG_ARGV[2], '');
  key CONSTANT text[] := nullif(TG_ARGV[3], '')::text[];
  -- The columns of the key are always sent: whoever hears of one key alone sees by them that a row has left it.
  wanted text[] := CASE WHEN TG_ARGV[1] <> '' THEN TG_ARGV[1]::text[] || coalesce(key, '{}') END;
  watched oid := TG_RELID;
  parent oid;
  schema_name text := TG_TABLE_SCHEMA;
  table_name text := TG_TABLE_NAME;
  old_meets boolean := TG_OP IN ('UPDATE', 'DELETE');
  new_meets boolean := TG_OP IN ('INSERT', 'UPDATE');
  names text[];
  old_contents text[];
  new_contents text[];
  changed text[] := '{}';
  test text;
  head text;
  tail text;
  message text;
  is_truncated boolean := false;
  old_channel text;
  new_channel text;
BEGIN
  -- A partition has a copy of the trigger, and the change is one of the table that is watched. TRUNCATE has no copies: its
  -- trigger is there where the partition is watched too, and what it empties is that alone.
  WHILE TG_OP <> 'TRUNCATE' LOOP
    SELECT i.inhparent INTO parent
    FROM pg_inherits AS i JOIN pg_trigger AS t ON t.tgrelid = i.inhparent AND t.tgname = TG_NAME
    WHERE i.inhrelid = watched ORDER BY i.inhparent LIMIT 1;
    EXIT WHEN NOT FOUND;
    watched := parent;
  END LOOP;
  IF watched <> TG_RELID THEN
    SELECT n.nspname, c.relname INTO schema_name, table_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = watched;
  END IF;

  IF condition IS NOT NULL AND TG_OP <> 'TRUNCATE' THEN
    test := format(E'SELECT (%s\n) IS TRUE FROM (SELECT ($1).*) AS %I', condition, table_name);
    IF old_meets THEN
      EXECUTE test INTO old_meets USING OLD;
    END IF;
    IF new_meets THEN
      EXECUTE test INTO new_meets USING NEW;
    END IF;
    IF NOT (old_meets OR new_meets) THEN
      RETURN NULL;
    END IF;
  END IF;

  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    SELECT r.names, r.contents INTO names, old_contents FROM broadcast.row_values(TG_RELID, to_json(OLD)) AS r;
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    SELECT r.names, r.contents INTO names, new_contents FROM broadcast.row_values(TG_RELID, to_json(NEW)) AS r;
  END IF;
  IF TG_OP <> 'TRUNCATE' AND NOT coalesce(wanted, key, '{}') <@ names THEN
    RAISE EXCEPTION 'the table %.% has no longer all columns that the watch on the channel "%" names: %',
      quote_ident(schema_name), quote_ident(table_name), channel, coalesce(wanted, key)
      USING ERRCODE = 'undefined_column',
        HINT = 'Call broadcast.watch() again with the columns that there are, or broadcast.unwatch().';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    changed := ARRAY(
      SELECT c.name FROM unnest(names, old_contents, new_contents) WITH ORDINALITY AS c(name, before, after, number)
      WHERE c.before <> c.after AND (wanted IS NULL OR c.name = ANY (wanted)) ORDER BY c.number);
    IF cardinality(changed) = 0 AND old_meets = new_meets THEN
      RETURN NULL;
    END IF;
  END IF;

  head := format(
    '{"schema":%s,"table":%s,"action":"%s","transaction":"%s"', to_json(schema_name), to_json(table_name), TG_OP,
    txid_current());
  tail := ',"changed":' || to_json(changed)::text;
  IF TG_OP = 'UPDATE' AND old_meets <> new_meets THEN
    tail := tail || CASE WHEN new_meets THEN ',"condition":"entered"' ELSE ',"condition":"left"' END;
  END IF;
  LOOP
    message := head || ',"new":' || broadcast.row_object(names, new_contents, wanted)
      || ',"old":' || broadcast.row_object(names, old_contents, wanted) || tail || '}';
    EXIT WHEN octet_length(message) <= size_limit;
    -- Neither may the writer's transaction fail for it, nor the change be lost: the key tells which row to read. Where that
    -- is too long too, it goes without.
    IF is_truncated THEN
      wanted := '{}';
    ELSE
      is_truncated := true;
      tail := tail || ',"truncated":true';
      SELECT coalesce(key, '{}') || coalesce(array_agg(a.attname::text), '{}') INTO wanted
      FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = TG_RELID AND i.indisprimary;
    END IF;
  END LOOP;

  IF key IS NULL OR TG_OP = 'TRUNCATE' THEN
    PERFORM broadcast.publish(channel, message);
    RETURN NULL;
  END IF;
  IF old_meets THEN
    old_channel := broadcast.key_channel(channel, broadcast.row_key(names, old_contents, key));
    PERFORM broadcast.publish(old_channel, message);
  END IF;
  IF new_meets THEN
    new_channel := broadcast.key_channel(channel, broadcast.row_key(names, new_contents, key));
    IF old_channel IS NULL OR new_channel <> old_channel THEN
      PERFORM broadcast.publish(new_channel, message);
    END IF;
  END IF;
  RETURN NULL;
END
$$;
