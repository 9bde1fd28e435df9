CREATE TABLE todos (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  created_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  title varchar(512) NOT NULL CHECK (title <> ''),
  completed boolean NOT NULL DEFAULT false
);

-- A todo as JSON. Its time is in UTC, as in the changes that the trigger tells.
CREATE FUNCTION todo_json(todo todos) RETURNS json
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$ SELECT row_to_json(todo) $$;

-- All of them, the oldest first.
CREATE FUNCTION todo_list() RETURNS json
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
  SELECT coalesce(json_agg(row_to_json(t) ORDER BY t.created_time, t.id), '[]') FROM todos AS t
$$;

-- Each change of a row is told on the channel "todos", inside the transaction that makes it.
SELECT broadcast.watch('todos', 'todos');
