import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * Drives the JDBC driver for test_jdbc.py: runs one scenario against one URL and prints what it saw, a line an item.
 * A scenario that needs the test's help prints "ready" and waits for a line on standard input.
 */
public final class JdbcClient {
    private static final List<String> seen = new ArrayList<>();

    private interface Scenario {
        void run(Connection connection) throws Exception;
    }

    private JdbcClient() {}

    public static void main(String[] args) throws Exception {
        Scenario scenario = switch (args[0]) {
            case "types" -> JdbcClient::types;
            case "prepared" -> JdbcClient::prepared;
            case "batch" -> JdbcClient::batch;
            case "cursor" -> JdbcClient::cursor;
            case "errors" -> JdbcClient::errors;
            case "copy" -> JdbcClient::copy;
            case "notify" -> connection -> notifications(connection, args[1]);
            case "cancel" -> JdbcClient::cancel;
            case "largeObject" -> JdbcClient::largeObject;
            case "metadata" -> JdbcClient::metadata;
            case "stageChange" -> JdbcClient::stageChange;
            default -> throw new IllegalArgumentException(args[0]);
        };
        try (Connection connection = DriverManager.getConnection(args[1])) {
            scenario.run(connection);
        }
        seen.forEach(System.out::println);
    }

    private static void see(Object... items) {
        seen.add(Arrays.deepToString(items));
    }

    /** Typed parameters; after five uses the driver prepares on the server and turns to binary. */
    private static void types(Connection connection) throws SQLException {
        String sql = "SELECT ?::int4, ?::int8, ?::text, ?::numeric, ?::bool, ?::timestamp, ?::uuid, ?::bytea, ?::float8, ?::int4[]";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int n = 0; n < 12; n++) {
                statement.setInt(1, n);
                statement.setLong(2, 1L << 40);
                statement.setString(3, n % 3 == 0 ? null : "it's ü€😀");
                statement.setBigDecimal(4, new java.math.BigDecimal("12.500"));
                statement.setBoolean(5, true);
                statement.setTimestamp(6, Timestamp.valueOf("2024-02-29 12:00:00.5"));
                statement.setObject(7, new UUID(1, 2));
                statement.setBytes(8, new byte[] {0, -1, 5});
                statement.setDouble(9, 1.25);
                Array array = connection.createArrayOf("int4", new Object[] {1, null, 3});
                statement.setArray(10, array);
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    see(row.getInt(1), row.getLong(2), row.getString(3), row.getBigDecimal(4), row.getBoolean(5), row.getTimestamp(6),
                        row.getObject(7), row.getBytes(8), row.getDouble(9), row.getArray(10).getArray());
                }
            }
        }
    }

    private static void prepared(Connection connection) throws SQLException {
        for (String sql : List.of("SELECT ? + 1", "SELECT ? || 'x'")) {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int n = 0; n < 20; n++) {
                    statement.setObject(1, sql.contains("||") ? (Object) ("s" + n) : (Object) n);
                    try (ResultSet row = statement.executeQuery()) {
                        row.next();
                        see(row.getObject(1));
                    }
                }
            }
        }
        // The type of a parameter changes between uses.
        try (PreparedStatement statement = connection.prepareStatement("SELECT ?::text")) {
            for (int n = 0; n < 20; n++) {
                if (n % 2 == 0) {
                    statement.setInt(1, n);
                } else {
                    statement.setString(1, "s" + n);
                }
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    see(row.getString(1));
                }
            }
        }
    }

    private static void batch(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE t (a int PRIMARY KEY, b text)");
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
            for (int n = 0; n < 1000; n++) {
                insert.setInt(1, n);
                insert.setString(2, "row " + n);
                insert.addBatch();
            }
            see(Arrays.stream(insert.executeBatch()).sum());
            for (int n : new int[] {2000, 2001, 5, 2002}) {
                insert.setInt(1, n);
                insert.setString(2, "again");
                insert.addBatch();
            }
            try {
                insert.executeBatch();
                see("no error");
            } catch (BatchUpdateException failure) {
                see(failure.getSQLState(), failure.getUpdateCounts());
            }
        }
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery("SELECT count(*) FROM t")) {
            row.next();
            see(row.getInt(1));
        }
    }

    private static void cursor(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT n FROM generate_series(1, ?) n")) {
            statement.setFetchSize(7);
            for (int round = 0; round < 8; round++) {
                statement.setInt(1, 100 + round);
                long sum = 0;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        sum += rows.getInt(1);
                    }
                }
                see(sum);
            }
        }
        connection.commit();
    }

    private static void errors(Connection connection) throws SQLException {
        String[] statements = {"SELEC 1", "SELECT nocolumn", "SELECT 1/0", "INSERT INTO stores (store_id) VALUES (1)", "SELECT 'x'::int"};
        for (int round = 0; round < 7; round++) {
            for (String sql : statements) {
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.execute();
                    see("no error");
                } catch (PSQLException failure) {
                    ServerErrorMessage fields = failure.getServerErrorMessage();
                    see(fields.getSQLState(), fields.getMessage(), fields.getDetail(), fields.getPosition(), fields.getConstraint());
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("DO $$ BEGIN RAISE WARNING 'careful'; END $$");
            SQLWarning warning = statement.getWarnings();
            see(warning == null ? "none" : warning.getMessage());
        }
    }

    private static void copy(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE t (a int, b text)");
        }
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int n = 0; n < 5000; n++) {
            lines.append(n).append(",ré").append(n).append('\n');
        }
        see(copies.copyIn("COPY t FROM STDIN (FORMAT csv)", new StringReader(lines.toString())));
        StringWriter out = new StringWriter();
        see(copies.copyOut("COPY t TO STDOUT (FORMAT csv)", out), out.toString().contentEquals(lines));
        try {
            copies.copyIn("COPY t FROM STDIN (FORMAT csv)", new StringReader("x,y\n"));
            see("no error");
        } catch (SQLException failure) {
            see(failure.getSQLState());
        }
    }

    private static void notifications(Connection listener, String url) throws SQLException {
        try (Statement statement = listener.createStatement()) {
            statement.execute("LISTEN jdbc_news");
        }
        try (Connection sender = DriverManager.getConnection(url); Statement statement = sender.createStatement()) {
            statement.execute("NOTIFY jdbc_news, 'hello'");
        }
        for (PGNotification notification : listener.unwrap(PGConnection.class).getNotifications(5000)) {
            see(notification.getName(), notification.getParameter());
        }
    }

    private static void cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    statement.cancel();
                } catch (Exception failure) {
                    see(failure.toString());
                }
            });
            canceller.start();
            try {
                statement.execute("SELECT pg_sleep(30)");
                see("no error");
            } catch (SQLException failure) {
                see(failure.getSQLState());
            }
            canceller.join();
            statement.setQueryTimeout(1);
            try {
                statement.execute("SELECT pg_sleep(30)");
                see("no error");
            } catch (SQLException failure) {
                see(failure.getSQLState());
            }
            see(statement.execute("SELECT 1"));
        }
    }

    private static void largeObject(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        LargeObjectManager manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
        long oid = manager.createLO();
        byte[] data = new byte[300000];
        Arrays.fill(data, (byte) 7);
        try (LargeObject large = manager.open(oid, LargeObjectManager.READWRITE)) {
            large.write(data);
            large.seek(0);
            see(Arrays.equals(large.read(data.length), data), large.size());
        }
        manager.delete(oid);
        connection.commit();
    }

    private static void metadata(Connection connection) throws SQLException {
        see(connection.getMetaData().getDatabaseProductVersion());
        try (ResultSet columns = connection.getMetaData().getColumns(null, "public", "orders", "%")) {
            while (columns.next()) {
                see(columns.getString("COLUMN_NAME"), columns.getString("TYPE_NAME"));
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT order_id, status FROM orders WHERE order_id = ?")) {
            see(statement.getParameterMetaData().getParameterTypeName(1), statement.getMetaData().getColumnName(2));
        }
    }

    /** The stage changes between two uses of one prepared statement. */
    private static void stageChange(Connection connection) throws Exception {
        String sql = "INSERT INTO line_items (order_id, quantity) VALUES (?, ?)";
        try (PreparedStatement insert = connection.prepareStatement(sql);
             PreparedStatement returning = connection.prepareStatement(sql, new String[] {"order_id"})) {
            for (int n = 0; n < 10; n++) {
                insertItem(insert, 1);
                insertItem(returning, 1);
            }
            System.out.println("ready");
            System.out.flush();
            new BufferedReader(new InputStreamReader(System.in)).readLine();
            for (int order = 1; order <= 20; order++) {
                insertItem(insert, order);
                insertItem(returning, order);
                try (ResultSet keys = returning.getGeneratedKeys()) {
                    keys.next();
                    see(keys.getLong("order_id"));
                }
            }
            for (int order = 21; order <= 60; order++) {
                insert.setLong(1, order);
                insert.setInt(2, 1);
                insert.addBatch();
            }
            see(Arrays.stream(insert.executeBatch()).sum());
        }
    }

    private static void insertItem(PreparedStatement insert, int order) throws SQLException {
        insert.setLong(1, order);
        insert.setInt(2, 1);
        insert.executeUpdate();
    }
}
