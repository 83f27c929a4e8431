-- Makes the three roles of an exchange, by an administrator of PostgreSQL, or gives them other passwords.
\set ON_ERROR_STOP on
\getenv owner OWNER_PASSWORD
\getenv process PROCESS_PASSWORD
\getenv reader READER_PASSWORD

-- A statement that fails would be repeated in the log, with the password in it.
SET log_min_error_statement = panic;
SET log_statement = none;

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['minex_owner', 'minex_process', 'minex_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE minex_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner';
ALTER ROLE minex_process LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'process';
ALTER ROLE minex_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'reader';
