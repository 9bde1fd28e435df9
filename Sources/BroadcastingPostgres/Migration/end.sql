
IF is_new THEN
  GRANT USAGE ON SCHEMA broadcast TO PUBLIC;
  -- Default privileges may keep it from others.
  GRANT EXECUTE ON FUNCTION
    broadcast.notify_channel(pg_catalog.text), broadcast.send_wire(pg_catalog.text, pg_catalog.text),
    broadcast.check_message(integer), broadcast.envelope(pg_catalog.bytea),
    broadcast.publish(pg_catalog.text, pg_catalog.text), broadcast.publish(pg_catalog.text, pg_catalog.bytea)
  TO PUBLIC;
END IF;
IF NOT has_watches THEN
  GRANT EXECUTE ON FUNCTION
    broadcast.key_channel(pg_catalog.text, pg_catalog.text[]), broadcast.row_values(pg_catalog.oid, pg_catalog.json),
    broadcast.base_type(pg_catalog.oid), broadcast.row_object(pg_catalog.text[], pg_catalog.text[], pg_catalog.text[]),
    broadcast.row_key(pg_catalog.text[], pg_catalog.text[], pg_catalog.text[]), broadcast.row_changed(),
    broadcast.check_columns(pg_catalog.regclass, pg_catalog.text[], pg_catalog.text),
    broadcast.check_table(pg_catalog.regclass), broadcast.trigger_name(pg_catalog.text, pg_catalog.text),
    broadcast.inheriting_tables(pg_catalog.regclass),
    broadcast.make_trigger(pg_catalog.regclass, pg_catalog.name, pg_catalog.text, pg_catalog.text[]),
    broadcast.watch(pg_catalog.regclass, pg_catalog.text, pg_catalog.text[], pg_catalog.text, pg_catalog.text[]),
    broadcast.unwatch(pg_catalog.regclass, pg_catalog.text)
  TO PUBLIC;
END IF;
END
$migration$;
