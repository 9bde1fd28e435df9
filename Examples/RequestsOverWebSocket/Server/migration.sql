-- Users and their addresses, with some of each to begin with.

CREATE TABLE users (
  id serial PRIMARY KEY,
  name varchar(50) NOT NULL UNIQUE CHECK (name <> '' AND position('@' IN name) = 0),
  fullname varchar(50) NOT NULL DEFAULT 'Unknown',
  password varchar(512)
);

CREATE TABLE addresses (
  id serial PRIMARY KEY,
  email_address varchar NOT NULL,
  user_id integer REFERENCES users ON DELETE SET NULL
);

CREATE INDEX ON addresses (user_id);

-- What is kept of a password: a salt, and a digest of both. Nothing here asks for a password again. A program that does should
-- take a hash that is made to be slow, such as that of pgcrypto's crypt().
CREATE FUNCTION hash_password(password text) RETURNS text LANGUAGE sql VOLATILE STRICT AS $$
  SELECT salt || ':' || encode(sha256(convert_to(salt || password, 'UTF8')), 'hex')
  FROM (SELECT gen_random_uuid()::text AS salt) AS salts
$$;

INSERT INTO users (name, fullname) VALUES
  ('ada', 'Ada Lovelace'),
  ('grace', 'Grace Hopper'),
  ('alan', 'Alan Turing'),
  ('edsger', 'Edsger Dijkstra'),
  ('barbara', 'Barbara Liskov');

INSERT INTO addresses (email_address) VALUES ('ada@example.org');
