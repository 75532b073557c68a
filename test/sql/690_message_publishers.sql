-- Who publishes, and from where: triggers, functions, cursors, subtransactions at any depth,
-- aborted or not; each message is delivered exactly if it was committed.
SELECT t.drain();
CREATE SCHEMA mp;
CREATE TABLE mp.seen (n serial, id bigint, key bigint);
CREATE FUNCTION mp.note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO mp.seen (id, key) VALUES (m.id, m.key)';
CREATE FUNCTION mp.take() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	taken bigint[];
BEGIN
	PERFORM t.dispatch();
	WITH gone AS (DELETE FROM mp.seen RETURNING key) SELECT array_agg(key ORDER BY key) INTO taken FROM gone;
	RETURN taken;
END $$;
SELECT order_ext.create_topic('mp.t'), t.subscribe('mp.g', 'mp.t', 'mp.note(order_ext.message)');

-- triggers: before and after, of a row and a statement, deferred to the commit
CREATE TABLE mp.thing (id bigint PRIMARY KEY, x integer);
CREATE FUNCTION mp.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.publish('mp.t', coalesce(NEW.id, 0) + TG_ARGV[0]::bigint);
	RETURN NEW;
END $$;
CREATE TRIGGER a BEFORE INSERT ON mp.thing FOR EACH ROW EXECUTE FUNCTION mp.tell(100);
CREATE TRIGGER b AFTER INSERT OR UPDATE ON mp.thing FOR EACH ROW EXECUTE FUNCTION mp.tell(200);
CREATE TRIGGER c AFTER INSERT ON mp.thing FOR EACH STATEMENT EXECUTE FUNCTION mp.tell(300);
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON mp.thing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mp.tell(400);
INSERT INTO mp.thing SELECT n FROM generate_series(1, 2) AS n;
SELECT mp.take();
BEGIN;
INSERT INTO mp.thing VALUES (3);
ROLLBACK;
SELECT mp.take();
-- a row that is refused after its trigger has published
INSERT INTO mp.thing VALUES (4), (1);
INSERT INTO mp.thing VALUES (5), (1) ON CONFLICT DO NOTHING;
SELECT mp.take();
COPY mp.thing FROM stdin;
6	1
7	1
\.
SELECT mp.take();
UPDATE mp.thing SET x = 2 WHERE id IN (6, 7);
SELECT mp.take();
INSERT INTO mp.thing VALUES (7), (8) ON CONFLICT (id) DO UPDATE SET x = 3;
SELECT mp.take();
-- the same in a foreign key's cascade
CREATE TABLE mp.part (id bigint PRIMARY KEY, thing bigint REFERENCES mp.thing ON UPDATE CASCADE);
CREATE TRIGGER e AFTER UPDATE ON mp.part FOR EACH ROW EXECUTE FUNCTION mp.tell(500);
INSERT INTO mp.part VALUES (1, 8);
UPDATE mp.thing SET id = 9 WHERE id = 8;
SELECT mp.take();

-- subtransactions: many, nested, aborted in all places
DO $$
BEGIN
	FOR n IN 1..200 LOOP
		BEGIN
			PERFORM order_ext.publish('mp.t', 41000 + n);
			IF n % 3 <> 0 THEN
				RAISE EXCEPTION 'no';
			END IF;
			BEGIN
				PERFORM order_ext.publish('mp.t', 42000 + n);
				IF n % 2 = 0 THEN
					RAISE EXCEPTION 'no';
				END IF;
			EXCEPTION WHEN raise_exception THEN
				PERFORM order_ext.publish('mp.t', 43000 + n);
			END;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) AS messages,
	count(*) FILTER (WHERE k / 1000 = 41) AS ones, count(*) FILTER (WHERE k / 1000 = 42) AS twos, count(*) FILTER (WHERE k / 1000 = 43) AS threes
FROM unnest(mp.take()) AS k;
BEGIN;
SELECT order_ext.publish('mp.t', 1) > 0 AS published;
SAVEPOINT a;
SELECT order_ext.publish('mp.t', 2) > 0 AS published;
SAVEPOINT b;
SELECT order_ext.publish('mp.t', 3) > 0 AS published;
RELEASE b;
ROLLBACK TO a;
SELECT order_ext.publish('mp.t', 4) > 0 AS published;
SAVEPOINT c;
SELECT order_ext.publish('mp.t', 5, '{}', clock_timestamp() + interval '1 ms') > 0 AS armed;
ROLLBACK TO c;
SELECT order_ext.publish('mp.t', 6, '{}', clock_timestamp() + interval '1 ms') > 0 AS armed;
COMMIT;
SELECT pg_sleep(0.01);
SELECT mp.take();

-- more subtransactions than the server's cache for them holds, while the reader looks on
BEGIN;
DO $$
BEGIN
	FOR n IN 1..300 LOOP
		BEGIN
			PERFORM order_ext.publish('mp.t', n);
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END LOOP;
END $$;
SELECT mp.take();
COMMIT;
SELECT array_length(mp.take(), 1);

-- by procedures that commit, in cursors and loops, with one statement for many
CREATE PROCEDURE mp.steps() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM order_ext.publish('mp.t', 1);
	COMMIT;
	PERFORM order_ext.publish('mp.t', 2);
	ROLLBACK;
	PERFORM order_ext.publish('mp.t', 3);
END $$;
CALL mp.steps();
SELECT mp.take();
BEGIN;
DECLARE c CURSOR FOR SELECT order_ext.publish('mp.t', n) > 0 AS published FROM generate_series(10, 20) AS n;
FETCH 3 FROM c;
CLOSE c;
COMMIT;
SELECT mp.take();
WITH p AS (INSERT INTO mp.thing SELECT n, 0 FROM generate_series(20, 21) AS n RETURNING order_ext.publish('mp.t', 600 + id)) SELECT count(*) FROM p;
SELECT mp.take();
CREATE TABLE mp.made AS SELECT order_ext.publish('mp.t', 700) > 0 AS published;
SELECT mp.take();
PREPARE p (bigint) AS SELECT order_ext.publish('mp.t', $1) > 0 AS published;
EXECUTE p (800);
EXECUTE p (801);
SELECT mp.take();
DEALLOCATE p;

-- in the other isolation levels, and after the session's role and settings have changed
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT order_ext.publish('mp.t', 900) > 0 AS published;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT order_ext.publish('mp.t', 901) > 0 AS published;
COMMIT;
SET synchronous_commit = off;
SELECT order_ext.publish('mp.t', 902) > 0 AS published;
RESET synchronous_commit;
SET session_replication_role = replica;
SELECT order_ext.publish('mp.t', 903) > 0 AS published;
RESET session_replication_role;
SELECT mp.take();
BEGIN READ ONLY;
SELECT t.go($$order_ext.publish('mp.t', 904)$$);
COMMIT;
SELECT mp.take();

SELECT order_ext.unsubscribe('mp.g'), order_ext.drop_topic('mp.t');
SET client_min_messages = warning;
DROP SCHEMA mp CASCADE;
RESET client_min_messages;
SELECT * FROM order_ext.verify() WHERE severity = 'error';
