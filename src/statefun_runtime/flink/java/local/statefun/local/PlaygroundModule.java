package statefun.local;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.statefun.extensions.ComponentBinder;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.flink.io.common.AutoRoutableProtobufRouter;
import org.apache.flink.statefun.flink.io.datastream.SinkFunctionSpec;
import org.apache.flink.statefun.flink.io.datastream.SourceFunctionSpec;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.io.EgressIdentifier;
import org.apache.flink.statefun.sdk.io.IngressIdentifier;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * The kinds io.statefun.playground.v1/ingress and /egress, which Flink Stateful Functions itself does not bring, so
 * that an application without Kafka runs on it. For trying things out: messages in the egress are in memory alone.
 */
public final class PlaygroundModule implements ExtensionModule {
  private static final IngressIdentifier<Message> INGRESS =
      new IngressIdentifier<>(Message.class, "io.statefun.playground", "ingress");
  private static final EgressIdentifier<TypedValue> EGRESS =
      new EgressIdentifier<>("io.statefun.playground", "egress", TypedValue.class);

  @Override
  public void configure(Map<String, String> configuration, Binder binder) {
    ComponentBinder ingress =
        (component, module) -> {
          module.bindIngress(new SourceFunctionSpec<>(INGRESS, new HttpIngress(port(component.specJsonNode(), 8090))));
          module.bindIngressRouter(INGRESS, new AutoRoutableProtobufRouter());
        };
    ComponentBinder egress =
        (component, module) -> {
          JsonNode spec = component.specJsonNode();
          module.bindEgress(new SinkFunctionSpec<>(EGRESS, new HttpEgress(port(spec, 8091), topics(spec))));
        };
    binder.bindExtension(TypeName.parseFrom("io.statefun.playground.v1/ingress"), ingress);
    binder.bindExtension(TypeName.parseFrom("io.statefun.playground.v1/egress"), egress);
  }

  private static int port(JsonNode spec, int otherwise) {
    return spec.path("port").asInt(otherwise);
  }

  private static List<String> topics(JsonNode spec) {
    List<String> topics = new ArrayList<>();
    spec.path("topics").forEach(topic -> topics.add(topic.asText()));
    return topics;
  }
}
