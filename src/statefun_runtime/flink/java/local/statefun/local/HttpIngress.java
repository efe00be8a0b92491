package statefun.local;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.StringValue;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.statefun.flink.io.generated.AutoRoutable;
import org.apache.flink.statefun.flink.io.generated.RoutingConfig;
import org.apache.flink.statefun.flink.io.generated.TargetFunctionType;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.source.RichSourceFunction;

/**
 * {@code PUT /<namespace>/<type>/<id>}: one message, answered when a checkpoint holds it. Whoever gets no answer sends
 * it again: at least once.
 */
final class HttpIngress extends RichSourceFunction<Message> implements CheckpointedFunction, CheckpointListener {
  private static final long serialVersionUID = 1;
  private static final int LARGEST_BODY = 32 << 20;
  private static final String VENDOR = "application/vnd.";

  private final int port;
  private volatile boolean running = true;
  private transient HttpServer server;
  private transient BlockingQueue<Request> queue;
  /** What was emitted since the last checkpoint, and by checkpoint what it holds; guarded by Flink's checkpoint lock. */
  private transient List<Request> emitted;
  private transient TreeMap<Long, List<Request>> unconfirmed;

  HttpIngress(int port) {
    this.port = port;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) {
    queue = new ArrayBlockingQueue<>(10_000);
    emitted = new ArrayList<>();
    unconfirmed = new TreeMap<>();
  }

  @Override
  public void open(Configuration parameters) throws IOException {
    server = Http.serve(port, this::take);
  }

  @Override
  public void run(SourceContext<Message> context) throws InterruptedException {
    while (running) {
      Request request = queue.poll(50, TimeUnit.MILLISECONDS);
      if (request != null) {
        synchronized (context.getCheckpointLock()) {
          context.collect(request.message);
          emitted.add(request);
        }
      }
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) {
    unconfirmed.put(context.getCheckpointId(), emitted);
    emitted = new ArrayList<>();
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) {
    var durable = unconfirmed.headMap(checkpoint, true);
    durable.values().forEach(requests -> requests.forEach(request -> request.durable.complete(true)));
    durable.clear();
  }

  @Override
  public void cancel() {
    running = false;
  }

  @Override
  public void close() {
    if (server != null) {
      server.stop(0);
    }
    queue.forEach(Request::giveUp);
    emitted.forEach(Request::giveUp);
    unconfirmed.values().forEach(requests -> requests.forEach(Request::giveUp));
  }

  private void take(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getRawPath().split("/", -1);
    byte[] body = exchange.getRequestBody().readNBytes(LARGEST_BODY + 1);
    if (path.length != 4 || path[1].isEmpty() || path[2].isEmpty() || path[3].isEmpty()) {
      Http.answer(exchange, 404, "the path must be /<namespace>/<type>/<id>\n");
    } else if (!exchange.getRequestMethod().equals("PUT")) {
      Http.answer(exchange, 405, "only PUT sends a message\n");
    } else if (body.length > LARGEST_BODY) {
      Http.answer(exchange, 413, "the body is larger than " + LARGEST_BODY + " bytes\n");
    } else {
      Request request = new Request(message(path, exchange.getRequestHeaders().getFirst("Content-Type"), body));
      try {
        queue.put(request);
        request.durable.get();
        Http.answer(exchange, 200, "");
      } catch (Exception failed) {
        Http.answer(exchange, 503, "Flink restarts or stops: send the message again\n");
      }
    }
  }

  private static Message message(String[] path, String contentType, byte[] body) {
    boolean typed = contentType != null && contentType.startsWith(VENDOR);
    TargetFunctionType target =
        TargetFunctionType.newBuilder().setNamespace(Http.decode(path[1])).setType(Http.decode(path[2])).build();
    // A text becomes a StringWrapper, whose bytes are those of protobuf's own wrapper of a text.
    ByteString text = StringValue.of(new String(body, StandardCharsets.UTF_8)).toByteString();
    return AutoRoutable.newBuilder()
        .setId(Http.decode(path[3]))
        .setConfig(
            RoutingConfig.newBuilder()
                .setTypeUrl(typed ? contentType.substring(VENDOR.length()) : "io.statefun.types/string")
                .addTargetFunctionTypes(target))
        .setPayloadBytes(typed ? ByteString.copyFrom(body) : text)
        .build();
  }

  private static final class Request {
    final Message message;
    final CompletableFuture<Boolean> durable = new CompletableFuture<>();

    Request(Message message) {
      this.message = message;
    }

    void giveUp() {
      durable.cancel(true);
    }
  }
}
