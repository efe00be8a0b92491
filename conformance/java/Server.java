import static java.util.Map.entry;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.apache.flink.statefun.sdk.java.Context;
import org.apache.flink.statefun.sdk.java.StatefulFunctionSpec;
import org.apache.flink.statefun.sdk.java.StatefulFunctions;
import org.apache.flink.statefun.sdk.java.TypeName;
import org.apache.flink.statefun.sdk.java.ValueSpec;
import org.apache.flink.statefun.sdk.java.handler.RequestReplyHandler;
import org.apache.flink.statefun.sdk.java.io.KafkaEgressMessage;
import org.apache.flink.statefun.sdk.java.io.KinesisEgressMessage;
import org.apache.flink.statefun.sdk.java.message.EgressMessageBuilder;
import org.apache.flink.statefun.sdk.java.message.Message;
import org.apache.flink.statefun.sdk.java.message.MessageBuilder;
import org.apache.flink.statefun.sdk.java.slice.Slices;
import org.apache.flink.statefun.sdk.java.types.SimpleType;
import org.apache.flink.statefun.sdk.java.types.Type;

/** The command interpreter on the Java SDK of Apache Flink Stateful Functions; ../README.md says what the commands do. */
public final class Server {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MODULUS = 1L << 30;
  private static final Type<ObjectNode> MESSAGE = json("conformance/Message");
  private static final ValueSpec<ObjectNode> JOURNAL = ValueSpec.named("journal").withCustomType(json("conformance/Journal"));
  private static final ValueSpec<String> SCRATCH = ValueSpec.named("scratch").withUtf8StringType();
  private static final ValueSpec<Boolean> BOOL = ValueSpec.named("bool").withBooleanType();
  private static final ValueSpec<Integer> INT = ValueSpec.named("int").withIntType();
  private static final ValueSpec<Long> LONG = ValueSpec.named("long").withLongType();
  private static final ValueSpec<Float> FLOAT = ValueSpec.named("float").withFloatType();
  private static final ValueSpec<Double> DOUBLE = ValueSpec.named("double").withDoubleType();
  private static final ValueSpec<String> STRING = ValueSpec.named("string").withUtf8StringType();
  private static final ValueSpec<ObjectNode> COUNT = ValueSpec.named("json").withCustomType(json("conformance/Count"));
  private static final Map<String, ValueSpec<?>> VALUES =
      Map.ofEntries(
          entry("bool", BOOL), entry("int", INT), entry("long", LONG), entry("float", FLOAT),
          entry("double", DOUBLE), entry("string", STRING), entry("json", COUNT));
  private static final Set<Long> FAILED = ConcurrentHashMap.newKeySet();

  private final Context context;
  private final ObjectNode order;
  private final ObjectNode journal;
  private final String name;
  private int records;

  private Server(Context context, ObjectNode order) {
    this.context = context;
    this.order = order;
    this.name = context.self().type().asTypeNameString() + "/" + context.self().id();
    this.journal = context.storage().get(JOURNAL).orElseGet(Server::emptyJournal);
  }

  private static ObjectNode emptyJournal() {
    ObjectNode journal = JSON.createObjectNode().put("messages", 0).put("digest", 0);
    journal.putObject("sent");
    journal.putObject("seen");
    journal.putObject("totals");
    journal.putArray("roots");
    journal.putArray("violations");
    return journal;
  }

  private static CompletableFuture<Void> interpret(Context context, Message message) throws Exception {
    Server instance = new Server(context, message.as(MESSAGE));
    instance.noteArrival();
    for (JsonNode command : instance.order.get("commands")) {
      instance.carryOut(command);
    }
    context.storage().set(JOURNAL, instance.journal);
    return context.done();
  }

  private static CompletableFuture<Void> answerCaller(Context context, Message message) {
    Message back = MessageBuilder.forAddress(context.caller().orElseThrow()).withValue(message.asUtf8String()).build();
    context.sendAfter(Duration.ofMillis(-1000), back);
    return context.done();
  }

  private void noteArrival() {
    journal.put("messages", journal.get("messages").asLong() + 1);
    journal.put("digest", (journal.get("digest").asLong() + order.get("id").asLong()) % MODULUS);
    if (order.has("root")) {
      ((ArrayNode) journal.get("roots")).add(order.get("root").asText());
    }
    if (!order.has("number")) {
      return;
    }
    String sender = order.get("sender").asText();
    long number = order.get("number").asLong();
    long last = journal.get("seen").path(sender).asLong(-1);
    if (number <= last || (!order.has("root") && number != last + 1)) {
      violation(sender + " sent " + number + " after " + last);
    }
    ((ObjectNode) journal.get("seen")).put(sender, number);
  }

  private void carryOut(JsonNode command) throws Exception {
    switch (command.get("kind").asText()) {
      case "add" -> add(command.get("state").asText(), Long.parseLong(command.get("amount").asText()));
      case "replace" -> replace(command.get("state").asText());
      case "scratch" -> scratch();
      case "verify" -> verify();
      case "egress" -> egress(command.get("to").asText());
      case "send" -> send(command);
      case "after" -> {
        Message message = messageTo(command.get("target").asText(), (ObjectNode) command.get("message"));
        context.sendAfter(Duration.ofMillis(command.get("delay").asLong()), command.get("token").asText(), message);
      }
      case "cancel" -> context.cancelDelayedMessage(command.get("token").asText());
      case "sleep" -> Thread.sleep(command.get("delay").asLong());
      case "fail" -> {
        if (FAILED.add(order.get("id").asLong())) {
          throw new IllegalStateException("message " + order.get("id") + " fails once, as it was told to");
        }
      }
      default -> throw new IllegalArgumentException("unknown command " + command);
    }
  }

  private void add(String state, long amount) {
    long sum = read(state).orElse(0L) + amount;
    long value = state.equals("bool") ? sum % 2 : sum;
    write(state, value);
    ((ObjectNode) journal.get("totals")).put(state, value);
  }

  private void replace(String state) {
    Optional<Long> value = read(state);
    context.storage().remove(VALUES.get(state));
    if (read(state).isPresent()) {
      violation(state + " is there after its removal");
    }
    value.ifPresent(present -> write(state, present));
  }

  private void scratch() {
    context.storage().get(SCRATCH).ifPresent(found -> violation("scratch holds " + found));
    context.storage().set(SCRATCH, name);
    if (!context.storage().get(SCRATCH).equals(Optional.of(name))) {
      violation("scratch does not hold what was written");
    }
    context.storage().remove(SCRATCH);
  }

  private void verify() {
    for (var total : journal.get("totals").properties()) {
      Optional<Long> value = read(total.getKey());
      if (!value.equals(Optional.of(total.getValue().asLong()))) {
        violation(total.getKey() + " is " + value + " and must be " + total.getValue());
      }
    }
  }

  private void egress(String to) {
    String text = name + " " + order.get("id") + " " + records;
    TypeName target = TypeName.typeNameOf("conformance", to);
    records += 1;
    context.send(
        switch (to) {
          case "generic" -> EgressMessageBuilder.forEgress(target).withValue(text).build();
          case "kafka" ->
              KafkaEgressMessage.forEgress(target).withTopic("topic").withUtf8Key(name).withUtf8Value(text).build();
          case "kinesis" ->
              KinesisEgressMessage.forEgress(target)
                  .withStream("stream")
                  .withUtf8PartitionKey(name)
                  .withUtf8ExplicitHashKey("7")
                  .withUtf8Value(text)
                  .build();
          default -> throw new IllegalArgumentException("unknown egress " + to);
        });
  }

  private void send(JsonNode command) {
    String target = command.get("target").asText();
    ObjectNode sent = (ObjectNode) journal.get("sent");
    long number = sent.path(target).asLong(-1) + 1;
    sent.put(target, number);
    ObjectNode message = command.get("message").deepCopy();
    context.send(messageTo(target, message.put("sender", name).put("number", number)));
  }

  private Optional<Long> read(String state) {
    var storage = context.storage();
    return switch (state) {
      case "bool" -> storage.get(BOOL).map(value -> value ? 1L : 0L);
      case "int" -> storage.get(INT).map(Integer::longValue);
      case "long" -> storage.get(LONG);
      case "float" -> storage.get(FLOAT).map(Float::longValue);
      case "double" -> storage.get(DOUBLE).map(Double::longValue);
      case "string" -> storage.get(STRING).map(Long::valueOf);
      default -> storage.get(COUNT).map(value -> value.get("count").asLong());
    };
  }

  private void write(String state, long value) {
    var storage = context.storage();
    switch (state) {
      case "bool" -> storage.set(BOOL, value == 1);
      case "int" -> storage.set(INT, Math.toIntExact(value));
      case "long" -> storage.set(LONG, value);
      case "float" -> storage.set(FLOAT, (float) value);
      case "double" -> storage.set(DOUBLE, (double) value);
      case "string" -> storage.set(STRING, Long.toString(value));
      default -> storage.set(COUNT, JSON.createObjectNode().put("count", value));
    }
  }

  private void violation(String text) {
    ((ArrayNode) journal.get("violations")).add(text);
  }

  private static Message messageTo(String target, ObjectNode order) {
    int cut = target.lastIndexOf('/');
    TypeName type = TypeName.typeNameFromString(target.substring(0, cut));
    return MessageBuilder.forAddress(type, target.substring(cut + 1)).withCustomType(MESSAGE, order).build();
  }

  private static Type<ObjectNode> json(String typename) {
    return SimpleType.simpleTypeFrom(
        TypeName.typeNameFromString(typename),
        JSON::writeValueAsBytes,
        bytes -> JSON.readValue(bytes, ObjectNode.class));
  }

  private static void answer(HttpExchange exchange, RequestReplyHandler handler) throws IOException {
    byte[] request = exchange.getRequestBody().readAllBytes();
    handler
        .handle(Slices.wrap(request))
        .whenComplete(
            (reply, error) -> {
              try (exchange) {
                byte[] body = error == null ? reply.toByteArray() : error.toString().getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
                exchange.sendResponseHeaders(error == null ? 200 : 500, body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
              } catch (IOException gone) {
                System.err.println("the caller is gone: " + gone);
              }
            });
  }

  public static void main(String[] arguments) throws IOException {
    StatefulFunctionSpec spec =
        StatefulFunctionSpec.builder(TypeName.typeNameOf("java", "instance"))
            .withValueSpecs(JOURNAL, SCRATCH, BOOL, INT, LONG, FLOAT, DOUBLE, STRING, COUNT)
            .withSupplier(() -> Server::interpret)
            .build();
    StatefulFunctionSpec answer =
        StatefulFunctionSpec.builder(TypeName.typeNameOf("java", "answer"))
            .withValueSpecs(
                ValueSpec.named("called").thatExpiresAfterCall(Duration.ofSeconds(1)).withUtf8StringType(),
                ValueSpec.named("written").thatExpireAfterWrite(Duration.ofSeconds(1)).withUtf8StringType(),
                ValueSpec.named("kept").withUtf8StringType())
            .withSupplier(() -> Server::answerCaller)
            .build();
    RequestReplyHandler handler =
        new StatefulFunctions().withStatefulFunction(spec).withStatefulFunction(answer).requestReplyHandler();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> answer(exchange, handler));
    server.start();
  }
}
