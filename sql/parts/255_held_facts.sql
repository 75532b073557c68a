-- held_facts: facts from outside that contradict what is recorded, as they were told; append-only
-- but for what staff says was done about them. kind: the call that reported it. order_id as told,
-- NULL if the fact names none. entity_id: the payment, refund or after-sale that it is about.
-- resolved_by: the role; operator: who that was, as order_ext.operator says, else the role.
CREATE TABLE order_ext_internal.held_facts (
	fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL,
	order_id bigint,
	entity_id bigint,
	resolved_at timestamptz,
	kind text NOT NULL,
	reason text,
	payload jsonb NOT NULL,
	note text,
	resolved_by text,
	operator text
);
-- The few that wait for staff.
CREATE INDEX held_facts_open ON order_ext_internal.held_facts (fact_id) WHERE resolved_at IS NULL;
CREATE INDEX held_facts_order_id ON order_ext_internal.held_facts (order_id);
