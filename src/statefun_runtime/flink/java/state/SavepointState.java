import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.CompositeTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.ListSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.state.CompositeKeySerializationUtils;
import org.apache.flink.runtime.state.ListDelimitedSerializer;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot.BackendStateType;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot.CommonSerializerKeys;
import org.apache.flink.runtime.state.restore.KeyGroupEntry;
import org.apache.flink.runtime.state.ttl.TtlStateFactory.TtlSerializerSnapshot;
import org.apache.flink.runtime.state.ttl.TtlValue;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.flink.core.generated.Envelope;
import org.apache.flink.statefun.flink.core.message.Message;
import org.apache.flink.statefun.flink.core.message.MessageFactory;
import org.apache.flink.statefun.flink.core.message.MessageFactoryKey;
import org.apache.flink.statefun.flink.core.message.MessageFactoryType;
import org.apache.flink.statefun.flink.core.types.remote.RemoteValueSerializerSnapshot;
import org.apache.flink.statefun.sdk.Address;

/** One keyed state of the functions' operator, and how its rows are read. */
final class SavepointState {
  private enum Content {
    VALUE,
    EXPIRING_VALUE,
    DELAYED,
    OTHER,
    NONE
  }

  private final String name;
  private final Content content;
  private final TypeSerializer<?> serializer;
  private final String typename;
  private final int keyGroupBytes;

  private SavepointState(
      String name, Content content, TypeSerializer<?> serializer, String typename, int keyGroupBytes) {
    this.name = name;
    this.content = content;
    this.serializer = serializer;
    this.typename = typename;
    this.keyGroupBytes = keyGroupBytes;
  }

  static SavepointState of(StateMetaInfoSnapshot snapshot, int maxParallelism) {
    String name = snapshot.getName();
    int prefix = CompositeKeySerializationUtils.computeRequiredBytesInKeyGroupPrefix(maxParallelism);
    // Timers and the index of tokens follow from the delayed messages.
    if (snapshot.getBackendStateType() != BackendStateType.KEY_VALUE || name.equals("delayed-message-index")) {
      return new SavepointState(name, Content.NONE, null, null, prefix);
    }
    TypeSerializerSnapshot<?> values = snapshot.getTypeSerializerSnapshot(CommonSerializerKeys.VALUE_SERIALIZER);
    TypeSerializer<?> serializer = values.restoreSerializer();
    if (values instanceof RemoteValueSerializerSnapshot) {
      return new SavepointState(name, Content.VALUE, serializer, typename(values), prefix);
    }
    if (values instanceof TtlSerializerSnapshot) {
      TypeSerializerSnapshot<?> nested =
          ((CompositeTypeSerializerSnapshot<?, ?>) values).getNestedSerializerSnapshots()[1];
      if (nested instanceof RemoteValueSerializerSnapshot) {
        return new SavepointState(name, Content.EXPIRING_VALUE, serializer, typename(nested), prefix);
      }
    }
    if (name.equals("delayed-messages-buffer")) {
      TypeSerializer<?> messages = ((ListSerializer<?>) serializer).getElementSerializer();
      return new SavepointState(name, Content.DELAYED, messages, null, prefix);
    }
    return new SavepointState(name, Content.OTHER, serializer, null, prefix);
  }

  private static String typename(TypeSerializerSnapshot<?> snapshot) {
    return ((RemoteValueSerializerSnapshot) snapshot).type().canonicalTypenameString();
  }

  void describe(ObjectNode line) {
    line.put("typename", typename).put("expires", content == Content.EXPIRING_VALUE);
  }

  /** The lines that stand for a row: usually one, and one for each message of a list of delayed messages. */
  List<ObjectNode> lines(ObjectMapper json, KeyGroupEntry entry) throws IOException {
    if (content == Content.NONE) {
      return List.of();
    }
    DataInputDeserializer key = new DataInputDeserializer(entry.getKey());
    key.skipBytesToRead(keyGroupBytes);
    String id = StringSerializer.INSTANCE.deserialize(key);
    if (content == Content.DELAYED) {
      return delayed(json, LongSerializer.INSTANCE.deserialize(key), entry.getValue());
    }
    ObjectNode line = json.createObjectNode();
    if (content == Content.OTHER) {
      return List.of(line.put("kind", "other").put("state", name).put("id", id));
    }
    line.put("kind", "value").put("state", name).put("id", id);
    Object value = serializer.deserialize(new DataInputDeserializer(entry.getValue()));
    if (content == Content.EXPIRING_VALUE) {
      TtlValue<?> expiring = (TtlValue<?>) value;
      line.put("touched", expiring.getLastAccessTimestamp());
      value = expiring.getUserValue();
    }
    return List.of(line.put("base64", (byte[]) value));
  }

  @SuppressWarnings("unchecked")
  private List<ObjectNode> delayed(ObjectMapper json, long due, byte[] list) throws IOException {
    List<ObjectNode> lines = new ArrayList<>();
    for (Message message :
        new ListDelimitedSerializer().deserializeList(list, (TypeSerializer<Message>) serializer)) {
      ObjectNode line = json.createObjectNode().put("kind", "delayed").put("due", due);
      putAddress(line, "target", message.target());
      putAddress(line, "sender", message.source());
      line.put("token", message.cancellationToken().orElse(""));
      lines.add(line.put("base64", payload(message)));
    }
    return lines;
  }

  private static void putAddress(ObjectNode line, String field, Address address) {
    if (address == null) {
      line.putNull(field);
    } else {
      String type = address.type().namespace() + "/" + address.type().name();
      line.putObject(field).put("type", type).put("id", address.id());
    }
  }

  /** The bytes of a message as it is stored, whatever its class. */
  private static byte[] payload(Message message) throws IOException {
    MessageFactoryKey raw = MessageFactoryKey.forType(MessageFactoryType.WITH_RAW_PAYLOADS, null);
    DataOutputSerializer out = new DataOutputSerializer(256);
    message.writeTo(MessageFactory.forKey(raw), out);
    DataInputDeserializer in = new DataInputDeserializer(out.getCopyOfBuffer());
    byte[] envelope = new byte[in.readInt()];
    in.readFully(envelope);
    return Envelope.parseFrom(envelope).getPayload().getPayloadBytes().toByteArray();
  }
}
