package statefun.local;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code GET /<topic>} takes the next message of a topic. Messages outlive a restart of the job, not of Java. The first
 * process to open the port serves it; the others hand it their messages by {@code PUT /<topic>}.
 */
final class HttpEgress extends RichSinkFunction<TypedValue> {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(HttpEgress.class);
  private static final String RECORD = "io.statefun.playground/EgressRecord";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ACCEPTED = 204;
  /** By port, since all parallel parts of the egress in a process fill the topics of one server. */
  private static final Map<Integer, Map<String, Queue<String>>> SERVERS = new ConcurrentHashMap<>();

  private final int port;
  private final List<String> topics;

  HttpEgress(int port, List<String> topics) {
    this.port = port;
    this.topics = topics;
  }

  @Override
  public void open(Configuration parameters) throws IOException {
    synchronized (SERVERS) {
      if (!SERVERS.containsKey(port)) {
        try {
          Http.serve(port, this::answer);
          SERVERS.putIfAbsent(port, new ConcurrentHashMap<>());
        } catch (BindException taken) {
          tell("OPTIONS", "", "");
        }
      }
    }
  }

  @Override
  public void invoke(TypedValue value, Context context) throws IOException {
    JsonNode json = value.getTypename().equals(RECORD) ? JSON.readTree(value.getValue().toByteArray()) : null;
    if (json == null || !json.path("topic").isTextual() || !json.path("payload").isTextual()) {
      LOG.error("a record for io.statefun.playground/egress is of type {}, not a {}", value.getTypename(), RECORD);
    } else if (!isKnown(json.get("topic").asText())) {
      LOG.error("a record is for topic {}, which the module does not list", json.get("topic"));
    } else {
      put(json.get("topic").asText(), json.get("payload").asText());
    }
  }

  private void put(String topic, String payload) throws IOException {
    if (SERVERS.containsKey(port)) {
      queue(topic).add(payload);
    } else {
      tell("PUT", topic, payload);
    }
  }

  /** Ask the egress of another process. Whatever else has the port does not answer as one. */
  private void tell(String method, String topic, String payload) throws IOException {
    int status = Http.ask(method, port, topic, payload);
    if (status != ACCEPTED) {
      throw new BindException("port " + port + " is another server's: it answers " + method + " with " + status);
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String topic = Http.decode(exchange.getRequestURI().getRawPath().substring(1));
    if (exchange.getRequestMethod().equals("OPTIONS")) {
      Http.answer(exchange, ACCEPTED, "");
      return;
    }
    if (exchange.getRequestMethod().equals("PUT") && isKnown(topic)) {
      queue(topic).add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      Http.answer(exchange, ACCEPTED, "");
      return;
    }
    if (!exchange.getRequestMethod().equals("GET") || !isKnown(topic)) {
      Http.answer(exchange, 405, "only GET takes a message, of a topic that there is\n");
      return;
    }
    String payload = queue(topic).poll();
    Http.answer(exchange, payload == null ? 404 : 200, payload == null ? "no message waits at " + topic + "\n" : payload);
  }

  private boolean isKnown(String topic) {
    return topics.isEmpty() || topics.contains(topic);
  }

  private Queue<String> queue(String topic) {
    // Another process may hand over a message before `open` has returned.
    Map<String, Queue<String>> queues = SERVERS.computeIfAbsent(port, served -> new ConcurrentHashMap<>());
    return queues.computeIfAbsent(topic, name -> new ConcurrentLinkedQueue<>());
  }
}
