-- Gives the database of this session to the role minex_owner, with all that is in its schema public; by a superuser, as
-- often as one likes. So is one that an earlier version has filled as the administrator. Nobody else may connect but the
-- two other roles, nor make tables: left to itself PostgreSQL lets everybody connect to every database and make temporary
-- tables there, and until 14 others, too.
--
-- What extensions brought stays whose it is, and the sequence of a column goes where its table goes. Not REASSIGN OWNED:
-- PostgreSQL refuses it for the role that initdb made, for which it would take all of the catalog.
DO $$
DECLARE statement text;
BEGIN
    FOR statement IN
        SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname)
        FROM pg_database WHERE datname IN (current_database(), 'postgres', 'template1')
        UNION ALL SELECT format('ALTER DATABASE %I OWNER TO minex_owner', current_database())
        UNION ALL SELECT format('GRANT CONNECT ON DATABASE %I TO minex_process, minex_reader', current_database())
        UNION ALL SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
        UNION ALL SELECT 'GRANT CREATE ON SCHEMA public TO minex_owner'
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO minex_owner', CAST(c.oid AS regclass))
        FROM pg_class c
        WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND c.relowner <> CAST('minex_owner' AS regrole) AND NOT EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid
                    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i')))
            )
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO minex_owner', CAST(p.oid AS regprocedure))
        FROM pg_proc p
        WHERE p.pronamespace = CAST('public' AS regnamespace)
            AND p.proowner <> CAST('minex_owner' AS regrole) AND NOT EXISTS (
                SELECT FROM pg_depend d
                WHERE d.classid = CAST('pg_proc' AS regclass) AND d.objid = p.oid AND d.deptype = 'e'
            )
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;
