// A shop's calls from Go: see ../README.md.  Usage: shop CONNECTION_STRING
package main

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/lib/pq"
)

// What the calls return: all of them have these columns. An int64 holds any id.
type result struct {
	disposition, status string
	id                  int64
}

type item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

var db *sql.DB

// again says whether an error says "not now": nothing was done, and the same call may succeed.
func again(err error) bool {
	var refused *pq.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "OE110", "40001", "40P01":
		return true
	}
	return false
}

// call calls a function that returns a row; slices are passed as JSON.
func call(query string, values ...interface{}) (result, error) {
	var r result
	var err error
	for i, v := range values {
		if items, ok := v.([]item); ok {
			text, _ := json.Marshal(items)
			values[i] = string(text)
		}
	}
	for attempt := 1; attempt <= 10; attempt++ {
		err = db.QueryRow("SELECT disposition, status, id FROM order_ext."+query, values...).Scan(&r.disposition, &r.status, &r.id)
		if !again(err) {
			break
		}
		fmt.Println("busy, trying again")
		time.Sleep(time.Duration(50*attempt) * time.Millisecond)
	}
	return r, err
}

func must(r result, err error) result {
	check(err)
	return r
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// refused reads what a refused call says for programs: DETAIL is an object in this session.
func refused(code string, err error, facts interface{}) {
	var pqErr *pq.Error
	if !errors.As(err, &pqErr) || string(pqErr.Code) != code {
		log.Fatalf("not refused with %s: %v", code, err)
	}
	check(json.Unmarshal([]byte(pqErr.Detail), facts))
}

func requestID() string {
	random := make([]byte, 16)
	_, err := rand.Read(random)
	check(err)
	return fmt.Sprintf("%x", random)
}

func main() {
	var err error
	db, err = sql.Open("postgres", os.Args[1])
	check(err)
	db.SetMaxOpenConns(1) // SET is of the session: a pool sets it in the connection string's options
	_, err = db.Exec("SET order_ext.error_detail = 'json'")
	check(err)
	_, err = db.Exec("SET order_ext.lock_timeout = '300ms'")
	check(err)

	items := []item{{"tea", 2}, {"cup", 1}}
	list, _ := json.Marshal(items)
	const create = "create_order($1, $2, $3, request_id => $4)"
	var amount int64
	check(db.QueryRow("SELECT order_ext.quote_order(7, $1) ->> 'pay_amount'", string(list)).Scan(&amount))
	fmt.Printf("quoted %d\n", amount)

	var price struct {
		Expected  int64
		PayAmount int64 `json:"pay_amount"`
	}
	_, err = call(create, 7, items, 1, requestID())
	refused("OE002", err, &price)
	fmt.Printf("price: %d, not %d\n", price.Expected, price.PayAmount)
	var shortage struct {
		Short []struct {
			SKU               string
			Wanted, Available int64
		}
	}
	_, err = call(create, 7, []item{{"tea", 1000}}, 1250000, requestID())
	refused("OE201", err, &shortage)
	for _, s := range shortage.Short {
		fmt.Printf("short: %s %d of %d\n", s.SKU, s.Wanted, s.Available)
	}

	// The same request_id again, after a timeout or a lost connection: the first answer again.
	var made result
	request := requestID()
	for i := 0; i < 2; i++ {
		made = must(call(create, 7, items, amount, request))
		fmt.Printf("order: %s %s\n", made.disposition, made.status)
	}
	order := made.id

	// What the gateway reports, twice; what the warehouse reports, once the order is on its way.
	for i := 0; i < 2; i++ {
		told := must(call("pay_callback($1, $2, $3, $4)", order, fmt.Sprintf("T-%d", order), "card", amount))
		fmt.Printf("payment: %s\n", told.disposition)
	}
	for status := ""; status != "fulfilling"; time.Sleep(20 * time.Millisecond) {
		check(db.QueryRow("SELECT order_ext.get_order($1) ->> 'status'", order).Scan(&status))
	}
	for _, kind := range []string{"out_stock", "delivering", "signed"} {
		must(call("shipment_event($1, $2, $3)", order, kind, kind))
	}

	applied := must(call("apply_after_sale($1, 7, $2, $3, $4, request_id => $5)",
		order, "refund_only", []item{{"cup", 1}}, "chipped", requestID()))
	fmt.Printf("after-sale: %s %s\n", applied.disposition, applied.status)

	// An order that its buyer cancels, while somebody else is at it, perhaps.
	var other int64
	check(db.QueryRow("SELECT order_ext.find_order('contended')").Scan(&other))
	canceled := must(call("cancel_order($1, 7, request_id => $2)", other, requestID()))
	fmt.Printf("cancel: %s %s\n", canceled.disposition, canceled.status)

	rows, err := db.Query("SELECT coalesce(o ->> 'external_id', 'new') || ' ' || (o ->> 'status') FROM order_ext.list_orders(7, max_orders => 10) AS o")
	check(err)
	var orders []string
	for rows.Next() {
		var order string
		check(rows.Scan(&order))
		orders = append(orders, order)
	}
	check(rows.Err())
	fmt.Printf("orders: %s\n", strings.Join(orders, ", "))
	check(db.Close())
}
