// A shop's calls from Java: see ../README.md.  Usage: java -cp postgresql.jar Shop.java JDBC_URL

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.postgresql.util.PSQLException;

public final class Shop {
  // Errors that say "not now": nothing was done, and the same call may succeed.
  private static final Set<String> AGAIN = Set.of("OE110", "40001", "40P01");

  // What the calls return: all of them have these columns. A long holds any id.
  private record Result(String disposition, String status, long id) {}

  private static Connection connection;

  private static PreparedStatement prepare(String sql, Object... values) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < values.length; i++) {
      statement.setObject(i + 1, values[i]);
    }
    return statement;
  }

  // The first column of each row.
  private static List<String> texts(String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = prepare(sql, values); ResultSet rows = statement.executeQuery()) {
      List<String> found = new ArrayList<>();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
      return found;
    }
  }

  // Calls a function, each call a transaction of its own. JSON is passed as text, hence ?::jsonb.
  private static Result call(String function, Object... values) throws SQLException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try (PreparedStatement statement = prepare("SELECT * FROM order_ext." + function, values);
          ResultSet row = statement.executeQuery()) {
        row.next();
        return new Result(row.getString("disposition"), row.getString("status"), row.getLong("id"));
      } catch (SQLException e) {
        if (!AGAIN.contains(e.getSQLState()) || attempt == 10) {
          throw e;
        }
        System.out.println("busy, trying again");
        Thread.sleep(50L * attempt);
      }
    }
  }

  // What a refused call says for programs: DETAIL is an object in this session. The JDK has no
  // parser of JSON, and a shop has its own; here the server takes it apart.
  private static String refused(String code, String path, Object... create) throws Exception {
    try {
      call(CREATE, create);
    } catch (PSQLException e) {
      if (code.equals(e.getSQLState())) {
        return texts("SELECT ?::jsonb #>> ?::text[]", e.getServerErrorMessage().getDetail(), path).get(0);
      }
      throw e;
    }
    throw new IllegalStateException("not refused with " + code);
  }

  private static final String CREATE = "create_order(?, ?::jsonb, ?, request_id => ?)";

  private static String requestId() {
    return UUID.randomUUID().toString();
  }

  public static void main(String[] args) throws Exception {
    connection = DriverManager.getConnection(args[0]);
    connection.createStatement().execute("SET order_ext.error_detail = 'json'");
    connection.createStatement().execute("SET order_ext.lock_timeout = '300ms'");

    String items = "[{\"sku\": \"tea\", \"quantity\": 2}, {\"sku\": \"cup\", \"quantity\": 1}]";
    long amount = Long.parseLong(texts("SELECT order_ext.quote_order(7, ?::jsonb) ->> 'pay_amount'", items).get(0));
    System.out.println("quoted " + amount);

    System.out.println("price: " + refused("OE002", "{expected}", 7L, items, 1L, requestId())
        + ", not " + refused("OE002", "{pay_amount}", 7L, items, 1L, requestId()));
    Object[] many = {7L, "[{\"sku\": \"tea\", \"quantity\": 1000}]", 1250000L, requestId()};
    System.out.println("short: " + refused("OE201", "{short,0,sku}", many) + " "
        + refused("OE201", "{short,0,wanted}", many) + " of " + refused("OE201", "{short,0,available}", many));

    // The same request_id again, after a timeout or a lost connection: the first answer again.
    String request = requestId();
    long order = 0;
    for (int i = 0; i < 2; i++) {
      Result made = call(CREATE, 7L, items, amount, request);
      System.out.println("order: " + made.disposition() + " " + made.status());
      order = made.id();
    }

    // What the gateway reports, twice; what the warehouse reports, once the order is on its way.
    for (int i = 0; i < 2; i++) {
      Result told = call("pay_callback(?, ?, ?, ?)", order, "T-" + order, "card", amount);
      System.out.println("payment: " + told.disposition());
    }
    while (!texts("SELECT order_ext.get_order(?) ->> 'status'", order).get(0).equals("fulfilling")) {
      Thread.sleep(20);
    }
    for (String kind : List.of("out_stock", "delivering", "signed")) {
      call("shipment_event(?, ?, ?)", order, kind, kind);
    }

    Result applied = call("apply_after_sale(?, 7, ?, ?::jsonb, ?, request_id => ?)",
        order, "refund_only", "[{\"sku\": \"cup\", \"quantity\": 1}]", "chipped", requestId());
    System.out.println("after-sale: " + applied.disposition() + " " + applied.status());

    // An order that its buyer cancels, while somebody else is at it, perhaps.
    long other = Long.parseLong(texts("SELECT order_ext.find_order('contended')").get(0));
    Result canceled = call("cancel_order(?, 7, request_id => ?)", other, requestId());
    System.out.println("cancel: " + canceled.disposition() + " " + canceled.status());

    System.out.println("orders: " + String.join(", ", texts(
        "SELECT coalesce(o ->> 'external_id', 'new') || ' ' || (o ->> 'status') FROM order_ext.list_orders(7, max_orders => 10) AS o")));
    connection.close();
  }
}
