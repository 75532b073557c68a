/*
 * tables.h
 *		The transition tables: events and edges.
 *
 * An edge that is not in the table of its machine does not exist: the engine rejects it and
 * state_graph() does not print it. The tables contain what this version executes.
 *
 * Prefixes: machine_
 */
#ifndef ORDER_EXT_MACHINE_BASE_TABLES_H
#define ORDER_EXT_MACHINE_BASE_TABLES_H

#include "postgres.h"

#include "machine/base/codes.h"
#include "machine/base/topics.h"

/* Events, unique across machines; the order's are the operate types of the source. */
typedef enum Event
{
	EVENT_CREATE = 10,
	EVENT_PRE_PAY = 11,
	EVENT_CHANGE_ADDRESS = 12,
	EVENT_EXTEND_DEADLINE = 13,
	EVENT_IMPORT = 15,
	EVENT_CANCEL = 20,
	EVENT_REQUEST_INTERCEPT = 21,
	EVENT_REFUSE_INTERCEPT = 22,
	EVENT_EXPIRE = 30,
	EVENT_PAY = 40,
	EVENT_FULFIL = 50,
	EVENT_SHIP_OUT = 60,
	EVENT_DELIVER = 70,
	EVENT_SIGN = 80,
	EVENT_REMOVE = 81,
	EVENT_REFUSE = 90,
	EVENT_SIGN_VIRTUAL = 300,

	EVENT_AFTER_SALE_APPLY = 310,
	EVENT_AFTER_SALE_OPEN = 315,
	EVENT_AFTER_SALE_APPROVE = 320,
	EVENT_AFTER_SALE_REJECT = 330,
	EVENT_AFTER_SALE_REFUND = 340,
	EVENT_AFTER_SALE_SETTLE = 350,
	EVENT_AFTER_SALE_FAIL = 360,
	EVENT_AFTER_SALE_REVERSE = 365,
	EVENT_AFTER_SALE_RETRY = 368,
	EVENT_AFTER_SALE_CLOSE = 370,
	EVENT_AFTER_SALE_REOPEN = 380,
	EVENT_AFTER_SALE_REAPPLY = 385,
	EVENT_AFTER_SALE_REVOKE = 390,
	EVENT_AFTER_SALE_REVIVE = 395,

	EVENT_RETURN_AWAIT = 410,
	EVENT_RETURN_ALLOW = 420,
	EVENT_RETURN_SEND = 430,
	EVENT_RETURN_TURN_BACK = 435,
	EVENT_RETURN_RECEIVE = 440,
	EVENT_RETURN_PASS = 450,
	EVENT_RETURN_AWAIT_REST = 455,
	EVENT_RETURN_DAMAGE = 460,
	EVENT_RETURN_RESOLVE = 470,
	EVENT_RETURN_RESOLVE_PART = 475,
	EVENT_RETURN_LAPSE = 480,

	EVENT_INITIATE = 510,
	EVENT_CAPTURE = 520,
	EVENT_ACCEPT = 525,
	EVENT_ASSIGN = 526,
	EVENT_DUPLICATE = 527,
	EVENT_NOT_DUPLICATE = 528,
	EVENT_PAYMENT_CLOSE = 530,
	EVENT_PAYMENT_FAIL = 540,
	EVENT_DISPUTE_OPEN = 550,
	EVENT_DISPUTE_WIN = 560,
	EVENT_DISPUTE_LOSE = 570,

	EVENT_REQUEST = 610,
	EVENT_REFUND_RECORD = 611,
	EVENT_REFUND_DISPUTE = 612,
	EVENT_REFUND_CLAIM = 615,
	EVENT_REFUND_RECLAIM = 616,
	EVENT_REFUND_SUCCEED = 620,
	EVENT_REFUND_FAIL = 630,
	EVENT_REFUND_REVERSE = 635,
	EVENT_REFUND_RETRY = 636,
	EVENT_REFUND_UNHOLD = 637,
	EVENT_REFUND_WITHDRAW = 640,
	EVENT_REFUND_REDUCE = 645,
	EVENT_REFUND_REVIVE = 650,

	EVENT_ISSUE = 710,
	EVENT_LOCK = 720,
	EVENT_USE = 730,
	EVENT_RELEASE = 740,
	EVENT_LAPSE = 750,

	EVENT_PREPARE = 810,
	EVENT_PICK = 820,
	EVENT_LABEL = 830,
	EVENT_OUT = 840,
	EVENT_REQUEST_CANCEL = 850,
	EVENT_ACCEPT_CANCEL = 860,
	EVENT_REJECT_CANCEL = 870,
	EVENT_ABANDON = 880,
	EVENT_TOMBSTONE = 890
} Event;

/* Who drives an edge. */
#define ACTOR_BUYER		'B'
#define ACTOR_STAFF		'S'
#define ACTOR_GATEWAY	'G'
#define ACTOR_WAREHOUSE	'W'
#define ACTOR_SYSTEM	'X'

#define MAX_EDGE_MESSAGES 4

typedef struct Edge
{
	int16		from;
	int16		to;
	Event		event;
	const char *actors;			/* any of the ACTOR_ letters */
	const char *guard;			/* the condition, for human readers */
	BuiltinTopic messages[MAX_EDGE_MESSAGES];	/* published with it; 0 ends the list */

	/* payment.close per open attempt, refund.execute unless held; or 0 */
	BuiltinTopic optional;
} Edge;

typedef struct MachineTable
{
	Machine		machine;
	const char *name;
	const CodeName *statuses;	/* ends with a NULL name */
	const Edge *edges;			/* ends with event 0 */
} MachineTable;

/* The table of a machine; by name, NULL if there is none. */
extern const MachineTable *machine_table(Machine machine);

extern const MachineTable *machine_tables(int *n);

#endif							/* ORDER_EXT_MACHINE_BASE_TABLES_H */
