/*
 * facts.h
 *		A check of verify(): facts that wait for staff.
 */
#ifndef ORDER_EXT_VERIFY_FACTS_H
#define ORDER_EXT_VERIFY_FACTS_H

/* Held facts whose matter has not ended. */
extern const char verify_held_facts[];

#endif							/* ORDER_EXT_VERIFY_FACTS_H */
