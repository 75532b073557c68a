/*
 * machine.c
 *		Lookups in the transition tables, which are in tables.c.
 */
#include "compat.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "machine/base/machine.h"

static const struct
{
	Event		event;
	const char *name;
}			event_names[] = {
	{EVENT_CREATE, "create"},
	{EVENT_PRE_PAY, "pre_pay"},
	{EVENT_CHANGE_ADDRESS, "change_address"},
	{EVENT_EXTEND_DEADLINE, "extend_deadline"},
	{EVENT_IMPORT, "import"},
	{EVENT_CANCEL, "cancel"},
	{EVENT_REQUEST_INTERCEPT, "request_intercept"},
	{EVENT_REFUSE_INTERCEPT, "refuse_intercept"},
	{EVENT_EXPIRE, "expire"},
	{EVENT_PAY, "pay"},
	{EVENT_FULFIL, "fulfil"},
	{EVENT_SHIP_OUT, "ship_out"},
	{EVENT_DELIVER, "deliver"},
	{EVENT_SIGN, "sign"},
	{EVENT_REMOVE, "remove"},
	{EVENT_REFUSE, "refuse"},
	{EVENT_SIGN_VIRTUAL, "sign_virtual"},
	{EVENT_AFTER_SALE_APPLY, "apply"},
	{EVENT_AFTER_SALE_OPEN, "open"},
	{EVENT_AFTER_SALE_APPROVE, "approve"},
	{EVENT_AFTER_SALE_REJECT, "reject"},
	{EVENT_AFTER_SALE_REFUND, "refund"},
	{EVENT_AFTER_SALE_SETTLE, "settle"},
	{EVENT_AFTER_SALE_FAIL, "fail"},
	{EVENT_AFTER_SALE_REVERSE, "reverse"},
	{EVENT_AFTER_SALE_RETRY, "retry"},
	{EVENT_AFTER_SALE_CLOSE, "close"},
	{EVENT_AFTER_SALE_REOPEN, "reopen"},
	{EVENT_AFTER_SALE_REAPPLY, "reapply"},
	{EVENT_AFTER_SALE_REVOKE, "revoke"},
	{EVENT_AFTER_SALE_REVIVE, "revive"},
	{EVENT_RETURN_AWAIT, "await"},
	{EVENT_RETURN_ALLOW, "allow"},
	{EVENT_RETURN_SEND, "send"},
	{EVENT_RETURN_TURN_BACK, "turn_back"},
	{EVENT_RETURN_RECEIVE, "receive"},
	{EVENT_RETURN_PASS, "pass"},
	{EVENT_RETURN_AWAIT_REST, "await_rest"},
	{EVENT_RETURN_DAMAGE, "damage"},
	{EVENT_RETURN_RESOLVE, "resolve"},
	{EVENT_RETURN_RESOLVE_PART, "resolve_part"},
	{EVENT_RETURN_LAPSE, "lapse"},
	{EVENT_INITIATE, "initiate"},
	{EVENT_CAPTURE, "capture"},
	{EVENT_ACCEPT, "accept"},
	{EVENT_ASSIGN, "assign"},
	{EVENT_DUPLICATE, "duplicate"},
	{EVENT_NOT_DUPLICATE, "not_duplicate"},
	{EVENT_PAYMENT_CLOSE, "close"},
	{EVENT_PAYMENT_FAIL, "fail"},
	{EVENT_DISPUTE_OPEN, "dispute_open"},
	{EVENT_DISPUTE_WIN, "dispute_win"},
	{EVENT_DISPUTE_LOSE, "dispute_lose"},
	{EVENT_REQUEST, "request"},
	{EVENT_REFUND_RECORD, "record"},
	{EVENT_REFUND_DISPUTE, "dispute"},
	{EVENT_REFUND_CLAIM, "claim"},
	{EVENT_REFUND_RECLAIM, "reclaim"},
	{EVENT_REFUND_SUCCEED, "succeed"},
	{EVENT_REFUND_FAIL, "fail"},
	{EVENT_REFUND_REVERSE, "reverse"},
	{EVENT_REFUND_RETRY, "retry"},
	{EVENT_REFUND_UNHOLD, "unhold"},
	{EVENT_REFUND_WITHDRAW, "withdraw"},
	{EVENT_REFUND_REDUCE, "reduce"},
	{EVENT_REFUND_REVIVE, "revive"},
	{EVENT_ISSUE, "issue"},
	{EVENT_LOCK, "lock"},
	{EVENT_USE, "use"},
	{EVENT_RELEASE, "release"},
	{EVENT_LAPSE, "lapse"},
	{EVENT_PREPARE, "prepare"},
	{EVENT_PICK, "pick"},
	{EVENT_LABEL, "label"},
	{EVENT_OUT, "out"},
	{EVENT_REQUEST_CANCEL, "request_cancel"},
	{EVENT_ACCEPT_CANCEL, "accept_cancel"},
	{EVENT_REJECT_CANCEL, "reject_cancel"},
	{EVENT_ABANDON, "abandon"},
	{EVENT_TOMBSTONE, "tombstone"}
};

const MachineTable *
machine_by_name(const char *name)
{
	int			n;
	const MachineTable *tables = machine_tables(&n);
	int			i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(tables[i].name, name) == 0)
			return &tables[i];
	}
	return NULL;
}

static const Edge *
find_edge(Machine machine, int16 from, Event event)
{
	const Edge *edge;

	for (edge = machine_table(machine)->edges; edge->event != 0; edge++)
	{
		if (edge->from == from && edge->event == event)
			return edge;
	}
	return NULL;
}

static void
no_such_edge(Machine machine, int16 from, Event event)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_INVARIANT),
			 errmsg("the %s machine has no transition \"%s\" from status %d",
					machine_table(machine)->name, machine_event_name(event), from),
			 error_facts("The status is \"{status}\".",
						 FACT_TEXT("machine", machine_table(machine)->name),
						 FACT_TEXT("event", machine_event_name(event)),
						 FACT_TEXT("status", machine_status_name(machine, from))),
			 errhint("This is a bug in order_ext; nothing was changed.")));
}

const Edge *
machine_edge(Machine machine, int16 from, Event event)
{
	const Edge *edge = find_edge(machine, from, event);

	if (edge == NULL)
		no_such_edge(machine, from, event);
	return edge;
}

const Edge *
machine_edge_to(Machine machine, int16 from, Event event, int16 to)
{
	const Edge *edge;

	for (edge = machine_table(machine)->edges; edge->event != 0; edge++)
	{
		if (edge->from == from && edge->event == event && edge->to == to)
			return edge;
	}
	no_such_edge(machine, from, event);
	return NULL;				/* keep the compiler quiet */
}

bool
machine_allows(Machine machine, int16 from, Event event, char actor)
{
	const Edge *edge = find_edge(machine, from, event);

	return edge != NULL && strchr(edge->actors, actor) != NULL;
}

const char *
machine_status_name(Machine machine, int16 status)
{
	const CodeName *entry;

	for (entry = machine_table(machine)->statuses; entry->name != NULL; entry++)
	{
		if (entry->code == status)
			return entry->name;
	}
	return NULL;
}

int16
machine_status_code(Machine machine, const char *name)
{
	const CodeName *entry;

	for (entry = machine_table(machine)->statuses; entry->name != NULL; entry++)
	{
		if (strcmp(entry->name, name) == 0)
			return entry->code;
	}
	return STATUS_NONE;
}

const char *
machine_event_name(int event)
{
	int			i;

	for (i = 0; i < (int) lengthof(event_names); i++)
	{
		if ((int) event_names[i].event == event)
			return event_names[i].name;
	}
	return NULL;
}
