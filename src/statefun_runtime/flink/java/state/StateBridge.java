import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.shaded.guava30.com.google.common.hash.Hashing;

/**
 * Savepoints of Flink Stateful Functions as lines of JSON, and the other way round.
 *
 * <p>{@code read SAVEPOINT} prints what is in a savepoint. {@code write DIRECTORY MAX_PARALLELISM} reads states and
 * their values from the standard input and makes a savepoint of them.
 */
final class StateBridge {
  static final OperatorID FUNCTIONS = operator("functions_uid1");
  static final OperatorID FEEDBACK = operator("feedback_union_uid1");

  private StateBridge() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 2 && arguments[0].equals("read")) {
      OutputStreamWriter encoded = new OutputStreamWriter(System.out, StandardCharsets.UTF_8);
      try (PrintWriter out = new PrintWriter(new BufferedWriter(encoded, 1 << 16))) {
        new SavepointLines(out).print(arguments[1]);
      }
    } else if (arguments.length == 3 && arguments[0].equals("write")) {
      SavepointMaker maker = new SavepointMaker(Integer.parseInt(arguments[2]));
      maker.readAll(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
      maker.write(arguments[1]);
    } else {
      throw new IllegalArgumentException("read SAVEPOINT, or write DIRECTORY MAX_PARALLELISM");
    }
  }

  /** The identity that Flink gives to an operator with this uid. */
  private static OperatorID operator(String uid) {
    return new OperatorID(
        Hashing.murmur3_128(0).newHasher().putString(uid, StandardCharsets.UTF_8).hash().asBytes());
  }
}
