-- Each function has a search path of its own. With the caller's, an operator or a function in a schema of another user could
-- fit better than the system's, and run with the rights of the caller. Text is compared byte by byte ("C"), whatever the
-- collation of a column it comes from.

-- What a channel is called by LISTEN and NOTIFY, which cut names at 63 bytes: longer ones by a digest.
CREATE OR REPLACE FUNCTION broadcast.notify_channel(channel pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name bytea := convert_to(channel, 'UTF8');
BEGIN
  IF name IS NULL OR octet_length(name) = 0 THEN
    RAISE EXCEPTION 'a channel''s name cannot be null or empty' USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(name) > 255 THEN
    RAISE EXCEPTION 'a channel''s name is % bytes of UTF-8; at most 255 are allowed', octet_length(name)
      USING ERRCODE = 'invalid_parameter_value';
  ELSIF starts_with(channel COLLATE "C", '__broadcast.') THEN
    RAISE EXCEPTION 'names that begin with "__broadcast." are reserved' USING ERRCODE = 'invalid_parameter_value';
  ELSIF octet_length(name) <= 63 THEN
    RETURN channel;
  END IF;
  RETURN '__broadcast.' || rtrim(encode(sha256(name), 'base64'), '=');
END
$$;

-- Sends what is to go over the wire: as it is where it can be, else in parts.
CREATE OR REPLACE FUNCTION broadcast.send_wire(channel pg_catalog.text, wire pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  piece_limit CONSTANT integer := 7920;
  remembered CONSTANT integer := 256;
  -- As many as a part's number may be, which has up to 15 digits.
  numbers CONSTANT bigint := 1000000000000000;
  name text := broadcast.notify_channel(channel);
  -- What this transaction has sent, as digests of 16 characters: PostgreSQL sends equal notifications of one transaction
  -- only once. A setting that is local to the transaction also forgets what is rolled back to a savepoint.
  sent text := coalesce(current_setting('broadcast.sent', true), '');
  digest text;
  bytes bytea;
  total integer;
  number bigint;
  starts integer[] := ARRAY[0];
  place integer := 0;
BEGIN
  IF octet_length(wire) <= 7999 AND length(sent) < remembered * 17 THEN
    digest := lpad(
      to_hex(hashtextextended(wire COLLATE "C", hashtextextended(name COLLATE "C", 0))), 16, '0');
    IF strpos(sent COLLATE "C", digest COLLATE "C") = 0 THEN
      PERFORM set_config('broadcast.sent', sent || digest || ' ', true);
      PERFORM pg_notify(name, wire);
      RETURN;
    END IF;
  END IF;

  -- A number tells apart what is equal. It counts on through the session: a setting of that also forgets what is rolled back.
  -- It begins with the clock, in microseconds: RESET ALL may empty the setting in the middle of a transaction.
  number := nullif(current_setting('broadcast.number', true), '');
  number := coalesce(number + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) % numbers;
  PERFORM set_config('broadcast.number', number::text, false);
  bytes := convert_to(wire, 'UTF8');
  total := octet_length(bytes);
  WHILE total - place > piece_limit LOOP
    place := place + piece_limit;
    -- Cut between characters: a byte of the form 10xxxxxx continues one.
    WHILE get_byte(bytes, place) & 192 = 128 LOOP
      place := place - 1;
    END LOOP;
    starts := starts || place;
  END LOOP;
  FOR part IN 1 .. cardinality(starts) LOOP
    PERFORM pg_notify(
      name,
      format(E'\x02bc1p%s %s %s %s ', number, part, cardinality(starts), total)
      || convert_from(substring(bytes, starts[part] + 1, coalesce(starts[part + 1], total) - starts[part]), 'UTF8'));
  END LOOP;
END
$$;

-- Refuses a message that is null, and so has no size, or is too long.
CREATE OR REPLACE FUNCTION broadcast.check_message(size integer) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
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
CREATE OR REPLACE FUNCTION broadcast.envelope(body pg_catalog.bytea) RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN E'\x02bc1b' || translate(encode(body, 'base64'), E'\n', '');
END
$$;

-- Publishes text.
CREATE OR REPLACE FUNCTION broadcast.publish(channel pg_catalog.text, message pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM broadcast.check_message(octet_length(message));
  IF starts_with(message COLLATE "C", E'\x02bc') THEN
    -- It looks like an envelope, so it goes in one: text ("t"), no headers.
    PERFORM broadcast.send_wire(channel, broadcast.envelope(decode('7400', 'hex') || convert_to(message, 'UTF8')));
  ELSE
    PERFORM broadcast.send_wire(channel, message);
  END IF;
END
$$;

-- Publishes a binary message.
CREATE OR REPLACE FUNCTION broadcast.publish(channel pg_catalog.text, message pg_catalog.bytea) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM broadcast.check_message(octet_length(message));
  -- Binary ("b"), no headers.
  PERFORM broadcast.send_wire(channel, broadcast.envelope(decode('6200', 'hex') || message));
END
$$;
