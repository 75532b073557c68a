#!/usr/bin/python3
"""A shop's calls from Python: see ../README.md.  Usage: shop.py CONNECTION_STRING"""

import json
import sys
import time
import uuid

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

# Errors that say "not now": nothing was done, and the same call may succeed.
AGAIN = {"OE110", "40001", "40P01"}


def call(connection, sql, *values):
    """Calls a function that returns a row, each call a transaction of its own.

    Lists and dicts are passed as JSON; an int of Python holds any id.
    """
    values = [Jsonb(v) if isinstance(v, (list, dict)) else v for v in values]
    for attempt in range(1, 11):
        try:
            return connection.execute(sql, values).fetchone()
        except psycopg.Error as error:
            if error.sqlstate not in AGAIN or attempt == 10:
                raise
            print("busy, trying again", flush=True)
            time.sleep(0.05 * attempt)


def refused(code, connection, sql, *values):
    """What a refused call says for programs: DETAIL is an object in this session."""
    try:
        call(connection, sql, *values)
    except psycopg.Error as error:
        if error.sqlstate == code:
            return json.loads(error.diag.message_detail)
        raise
    raise AssertionError(f"not refused with {code}")


def main():
    connection = psycopg.connect(sys.argv[1], autocommit=True, row_factory=dict_row)
    connection.execute("SET order_ext.error_detail = 'json'")
    connection.execute("SET order_ext.lock_timeout = '300ms'")

    items = [{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 1}]
    create = "SELECT * FROM order_ext.create_order(%s, %s, %s, request_id => %s)"
    quote = call(connection, "SELECT order_ext.quote_order(7, %s) AS quote", items)["quote"]
    print(f"quoted {quote['pay_amount']}")

    price = refused("OE002", connection, create, 7, items, 1, str(uuid.uuid4()))
    print(f"price: {price['expected']}, not {price['pay_amount']}")
    many = [{"sku": "tea", "quantity": 1000}]
    short = refused("OE201", connection, create, 7, many, 1250000, str(uuid.uuid4()))["short"]
    print("short: " + ",".join(f"{s['sku']} {s['wanted']} of {s['available']}" for s in short))

    # The same request_id again, after a timeout or a lost connection: the first answer again.
    request = str(uuid.uuid4())
    for _ in range(2):
        made = call(connection, create, 7, items, quote["pay_amount"], request)
        print(f"order: {made['disposition']} {made['status']}")
    order = made["id"]

    # What the gateway reports, twice; what the warehouse reports, once the order is on its way.
    paid = "SELECT * FROM order_ext.pay_callback(%s, %s, %s, %s)"
    for _ in range(2):
        told = call(connection, paid, order, f"T-{order}", "card", quote["pay_amount"])
        print(f"payment: {told['disposition']}")
    status = "SELECT order_ext.get_order(%s) AS found"
    while call(connection, status, order)["found"]["status"] != "fulfilling":
        time.sleep(0.02)
    for kind in "out_stock", "delivering", "signed":
        call(connection, "SELECT * FROM order_ext.shipment_event(%s, %s, %s)", order, kind, kind)

    back = [{"sku": "cup", "quantity": 1}]
    applied = call(connection, "SELECT * FROM order_ext.apply_after_sale(%s, 7, %s, %s, %s, request_id => %s)",
                   order, "refund_only", back, "chipped", str(uuid.uuid4()))
    print(f"after-sale: {applied['disposition']} {applied['status']}")

    # An order that its buyer cancels, while somebody else is at it, perhaps.
    other = call(connection, "SELECT order_ext.find_order('contended') AS id")["id"]
    canceled = call(connection, "SELECT * FROM order_ext.cancel_order(%s, 7, request_id => %s)", other, str(uuid.uuid4()))
    print(f"cancel: {canceled['disposition']} {canceled['status']}")

    page = connection.execute("SELECT o FROM order_ext.list_orders(7, max_orders => 10) AS o").fetchall()
    print("orders: " + ", ".join(f"{row['o']['external_id'] or 'new'} {row['o']['status']}" for row in page))
    connection.close()


main()
