/*
 * alert.c
 *		Alerts for operators; see alert.h.
 */
#include "compat.h"

#include "core/alert.h"

Jsonb *
alert_end(JsonbBuilder *payload, const char *kind)
{
	jsonb_add_text(payload, "kind", kind);
	return jsonb_object_end(payload);
}
