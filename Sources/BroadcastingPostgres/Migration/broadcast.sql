-- broadcast.publish(channel, message): publishes inside the caller's own transaction. Subscribers get the message when that
-- commits, and never when it is rolled back.
--
-- Run this once in the database, as a user who may create a schema; again after an update, which replaces the functions.
-- A message has at most 1 MiB. Whoever may connect may call them: they do what pg_notify does, with the rights of the
-- caller. To remove all of it:
--
--   DROP SCHEMA broadcast CASCADE;
--
-- PostgreSQL 11 or later.

CREATE SCHEMA IF NOT EXISTS broadcast;
GRANT USAGE ON SCHEMA broadcast TO PUBLIC;

-- What a channel is called by LISTEN and NOTIFY, which cut names at 63 bytes: longer ones by a digest.
CREATE OR REPLACE FUNCTION broadcast.notify_channel(channel text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  name bytea := pg_catalog.convert_to(channel, 'UTF8');
BEGIN
  IF channel IS NULL OR channel = '' THEN
    RAISE EXCEPTION 'a channel''s name cannot be null or empty' USING ERRCODE = 'invalid_parameter_value';
  ELSIF pg_catalog.octet_length(name) > 255 THEN
    RAISE EXCEPTION 'a channel''s name is % bytes of UTF-8; at most 255 are allowed', pg_catalog.octet_length(name)
      USING ERRCODE = 'invalid_parameter_value';
  ELSIF pg_catalog.starts_with(channel, '__broadcast.') THEN
    RAISE EXCEPTION 'names that begin with "__broadcast." are reserved' USING ERRCODE = 'invalid_parameter_value';
  ELSIF pg_catalog.octet_length(name) <= 63 THEN
    RETURN channel;
  END IF;
  RETURN '__broadcast.' || pg_catalog.rtrim(pg_catalog.encode(pg_catalog.sha256(name), 'base64'), '=');
END
$$;

-- Sends what is to go over the wire: as it is where it can be, else in parts.
CREATE OR REPLACE FUNCTION broadcast.send_wire(channel text, wire text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  piece_limit CONSTANT integer := 7920;
  remembered CONSTANT integer := 256;
  name text := broadcast.notify_channel(channel);
  -- What this transaction has sent, as digests of 16 characters: PostgreSQL sends equal notifications of one transaction
  -- only once. A setting that is local to the transaction also forgets what is rolled back to a savepoint.
  sent text := coalesce(pg_catalog.current_setting('broadcast.sent', true), '');
  digest text;
  bytes bytea;
  total integer;
  number bigint;
  starts integer[] := ARRAY[0];
  place integer := 0;
BEGIN
  IF pg_catalog.octet_length(wire) <= 7999 AND pg_catalog.length(sent) < remembered * 17 THEN
    digest := pg_catalog.lpad(
      pg_catalog.to_hex(pg_catalog.hashtextextended(wire, pg_catalog.hashtextextended(name, 0))), 16, '0');
    IF pg_catalog.strpos(sent, digest) = 0 THEN
      PERFORM pg_catalog.set_config('broadcast.sent', sent || digest || ' ', true);
      PERFORM pg_catalog.pg_notify(name, wire);
      RETURN;
    END IF;
  END IF;

  -- A number tells apart what is equal. It counts on through the session: a setting of that also forgets what is rolled back.
  number := coalesce(nullif(pg_catalog.current_setting('broadcast.number', true), ''), '0')::bigint + 1;
  PERFORM pg_catalog.set_config('broadcast.number', number::text, false);
  bytes := pg_catalog.convert_to(wire, 'UTF8');
  total := pg_catalog.octet_length(bytes);
  WHILE total - place > piece_limit LOOP
    place := place + piece_limit;
    -- Cut between characters: a byte of the form 10xxxxxx continues one.
    WHILE pg_catalog.get_byte(bytes, place) & 192 = 128 LOOP
      place := place - 1;
    END LOOP;
    starts := starts || place;
  END LOOP;
  FOR part IN 1 .. pg_catalog.cardinality(starts) LOOP
    PERFORM pg_catalog.pg_notify(
      name,
      pg_catalog.format(E'\x02bc1p%s %s %s %s ', number, part, pg_catalog.cardinality(starts), total)
      || pg_catalog.convert_from(
        pg_catalog.substring(bytes, starts[part] + 1, coalesce(starts[part + 1], total) - starts[part]), 'UTF8'));
  END LOOP;
END
$$;

-- Refuses a message that is null, and so has no size, or is too long.
CREATE OR REPLACE FUNCTION broadcast.check_message(size integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF size IS NULL THEN
    RAISE EXCEPTION 'a message cannot be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF size > 1048576 THEN
    RAISE EXCEPTION 'the message has % bytes; at most 1048576 are allowed', size
      USING ERRCODE = 'program_limit_exceeded';
  END IF;
END
$$;

-- The envelope of a body, in Base64 without the line breaks that encode() puts in.
CREATE OR REPLACE FUNCTION broadcast.envelope(body bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN E'\x02bc1b' || pg_catalog.translate(pg_catalog.encode(body, 'base64'), E'\n', '');
END
$$;

-- Publishes text.
CREATE OR REPLACE FUNCTION broadcast.publish(channel text, message text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM broadcast.check_message(pg_catalog.octet_length(message));
  IF pg_catalog.starts_with(message, E'\x02bc') THEN
    -- It looks like an envelope, so it goes in one: text ("t"), no headers.
    PERFORM broadcast.send_wire(
      channel, broadcast.envelope('\x7400'::bytea || pg_catalog.convert_to(message, 'UTF8')));
  ELSE
    PERFORM broadcast.send_wire(channel, message);
  END IF;
END
$$;

-- Publishes a binary message.
CREATE OR REPLACE FUNCTION broadcast.publish(channel text, message bytea) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM broadcast.check_message(pg_catalog.octet_length(message));
  -- Binary ("b"), no headers.
  PERFORM broadcast.send_wire(channel, broadcast.envelope('\x6200'::bytea || message));
END
$$;

-- Default privileges may keep it from others.
GRANT EXECUTE ON FUNCTION
  broadcast.notify_channel(text), broadcast.send_wire(text, text), broadcast.check_message(integer),
  broadcast.envelope(bytea), broadcast.publish(text, text), broadcast.publish(text, bytea)
TO PUBLIC;
