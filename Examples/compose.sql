-- A database for each example in docker-compose.yml, made with the container of PostgreSQL.
CREATE DATABASE orders;
CREATE DATABASE todos;
CREATE DATABASE users;
