import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.checkpoint.CheckpointOptions;
import org.apache.flink.runtime.checkpoint.CheckpointProperties;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.FullSnapshotResources;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.LocalRecoveryConfig;
import org.apache.flink.runtime.state.SavepointSnapshotStrategy;
import org.apache.flink.runtime.state.SnapshotResult;
import org.apache.flink.runtime.state.UncompressedStreamCompressionDecorator;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;
import org.apache.flink.runtime.state.filesystem.FsCheckpointStreamFactory;
import org.apache.flink.runtime.state.heap.HeapKeyedStateBackend;
import org.apache.flink.runtime.state.heap.HeapKeyedStateBackendBuilder;
import org.apache.flink.runtime.state.heap.HeapPriorityQueueSetFactory;
import org.apache.flink.runtime.state.metrics.LatencyTrackingStateConfig;
import org.apache.flink.runtime.state.ttl.TtlStateFactory.TtlSerializer;
import org.apache.flink.runtime.state.ttl.TtlTimeProvider;
import org.apache.flink.runtime.state.ttl.TtlValue;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.statefun.flink.core.types.remote.RemoteValueTypeInfo;
import org.apache.flink.statefun.sdk.TypeName;

/** Makes a savepoint in Flink's canonical format that holds the state of functions; no job is run for it. */
final class SavepointMaker {
  private static final int WRITE_BUFFER = 1 << 16;
  private static final long CHECKPOINT = 1;

  private final ExecutionConfig config = new ExecutionConfig();
  private final int maxParallelism;
  private final HeapKeyedStateBackend<String> backend;
  private final Map<String, ValueState<byte[]>> plain = new HashMap<>();
  private final Map<String, ValueState<TtlValue<byte[]>>> expiring = new HashMap<>();

  SavepointMaker(int maxParallelism) throws Exception {
    this.maxParallelism = maxParallelism;
    KeyGroupRange all = KeyGroupRange.of(0, maxParallelism - 1);
    backend =
        new HeapKeyedStateBackendBuilder<>(
                null,
                StringSerializer.INSTANCE,
                SavepointMaker.class.getClassLoader(),
                maxParallelism,
                all,
                config,
                TtlTimeProvider.DEFAULT,
                LatencyTrackingStateConfig.disabled(),
                List.of(),
                UncompressedStreamCompressionDecorator.INSTANCE,
                new LocalRecoveryConfig(null),
                new HeapPriorityQueueSetFactory(all, maxParallelism, 128),
                false,
                new CloseableRegistry())
            .build();
  }

  void readAll(BufferedReader in) throws Exception {
    ObjectMapper json = new ObjectMapper();
    for (String text = in.readLine(); text != null; text = in.readLine()) {
      JsonNode line = json.readTree(text);
      switch (line.get("kind").textValue()) {
        case "state":
          declare(line.get("state").textValue(), line.get("typename").textValue(), line.get("expires").booleanValue());
          break;
        case "value":
          put(line);
          break;
        case "end":
          return;
        default:
          throw new IOException("unknown line " + text);
      }
    }
    throw new IOException("the last line is missing");
  }

  private void declare(String name, String typename, boolean expires) throws Exception {
    TypeSerializer<byte[]> serializer = new RemoteValueTypeInfo(TypeName.parseFrom(typename)).createSerializer(config);
    if (expires) {
      // As Flink itself stores a value with a time to live, so that each keeps the time from which it expires.
      expiring.put(name, state(name, new TtlSerializer<>(LongSerializer.INSTANCE, serializer)));
    } else {
      plain.put(name, state(name, serializer));
    }
  }

  private <T> ValueState<T> state(String name, TypeSerializer<T> serializer) throws Exception {
    return backend.getPartitionedState(
        VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, new ValueStateDescriptor<>(name, serializer));
  }

  private void put(JsonNode line) throws Exception {
    String name = line.get("state").textValue();
    byte[] value = line.get("base64").binaryValue();
    backend.setCurrentKey(line.get("id").textValue());
    if (expiring.containsKey(name)) {
      expiring.get(name).update(new TtlValue<>(value, line.get("touched").longValue()));
    } else {
      plain.get(name).update(value);
    }
  }

  void write(String path) throws Exception {
    Path directory = new Path(path);
    FileSystem files = directory.getFileSystem();
    files.mkdirs(directory);
    OperatorState operator = new OperatorState(StateBridge.FUNCTIONS, 1, maxParallelism);
    operator.putState(
        0, OperatorSubtaskState.builder().setManagedKeyedState(snapshot(files, directory)).build());
    CheckpointMetadata metadata =
        new CheckpointMetadata(
            CHECKPOINT,
            List.of(operator),
            List.of(),
            CheckpointProperties.forSavepoint(false, SavepointFormatType.CANONICAL));
    Path file = new Path(directory, AbstractFsCheckpointStorageAccess.METADATA_FILE_NAME);
    try (OutputStream out = files.create(file, WriteMode.NO_OVERWRITE)) {
      Checkpoints.storeCheckpointMetadata(metadata, out);
    }
  }

  private KeyedStateHandle snapshot(FileSystem files, Path directory) throws Exception {
    FullSnapshotResources<String> resources = backend.savepoint().getSnapshotResources();
    FsCheckpointStreamFactory streams =
        new FsCheckpointStreamFactory(files, directory, directory, 0, WRITE_BUFFER);
    try (CloseableRegistry open = new CloseableRegistry()) {
      SnapshotResult<KeyedStateHandle> result =
          new SavepointSnapshotStrategy<>(resources)
              .asyncSnapshot(
                  resources,
                  CHECKPOINT,
                  System.currentTimeMillis(),
                  streams,
                  CheckpointOptions.forCheckpointWithDefaultLocation())
              .get(open);
      return result.getJobManagerOwnedSnapshot();
    }
  }
}
