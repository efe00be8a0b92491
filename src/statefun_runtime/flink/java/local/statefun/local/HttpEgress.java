package statefun.local;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
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

/** {@code GET /<topic>} takes the next message of a topic. Messages outlive a restart of the job, not of Java. */
final class HttpEgress extends RichSinkFunction<TypedValue> {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(HttpEgress.class);
  private static final String RECORD = "io.statefun.playground/EgressRecord";
  private static final ObjectMapper JSON = new ObjectMapper();
  /** By port, since all parallel parts of the egress fill the topics of one server. */
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
        Http.serve(port, this::give);
        SERVERS.put(port, new ConcurrentHashMap<>());
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
      queue(json.get("topic").asText()).add(json.get("payload").asText());
    }
  }

  private void give(HttpExchange exchange) throws IOException {
    String topic = Http.decode(exchange.getRequestURI().getRawPath().substring(1));
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
    return SERVERS.get(port).computeIfAbsent(topic, name -> new ConcurrentLinkedQueue<>());
  }
}
