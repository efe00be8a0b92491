import java.io.DataInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.CompletedCheckpointStorageLocation;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupsSavepointStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.StateSerializerProvider;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.runtime.state.restore.FullSnapshotRestoreOperation;
import org.apache.flink.runtime.state.restore.KeyGroup;
import org.apache.flink.runtime.state.restore.KeyGroupEntry;
import org.apache.flink.runtime.state.restore.SavepointRestoreResult;
import org.apache.flink.runtime.state.restore.ThrowingIterator;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** Prints a savepoint in Flink's canonical format, key group by key group; no job is run for it. */
final class SavepointLines {
  /** What a message log of StateFun 3 begins with in each key group, before the number of its messages. */
  private static final int HEADER_BYTES = 8;

  private static final int NO_OFFSET = -1;

  private final ObjectMapper json = new ObjectMapper();
  private final ClassLoader loader = SavepointLines.class.getClassLoader();
  private final PrintWriter out;

  SavepointLines(PrintWriter out) {
    this.out = out;
  }

  void print(String path) throws Exception {
    CompletedCheckpointStorageLocation location = AbstractFsCheckpointStorageAccess.resolveCheckpointPointer(path);
    CheckpointMetadata metadata;
    try (DataInputStream in = new DataInputStream(location.getMetadataHandle().openInputStream())) {
      metadata = Checkpoints.loadCheckpointMetadata(in, loader, location.getExternalPointer());
    }
    boolean found = false;
    for (OperatorState operator : metadata.getOperatorStates()) {
      if (operator.getOperatorID().equals(StateBridge.FUNCTIONS)) {
        found = true;
        printFunctions(operator);
      } else if (operator.getOperatorID().equals(StateBridge.FEEDBACK)) {
        printFeedback(operator);
      }
    }
    if (!found) {
      throw new IOException(path + " has no state of functions: Stateful Functions did not write it");
    }
    print(line("end"));
  }

  private ObjectNode line(String kind) {
    return json.createObjectNode().put("kind", kind);
  }

  private void print(ObjectNode line) throws IOException {
    out.println(json.writeValueAsString(line));
    if (out.checkError()) {
      throw new IOException("the standard output is closed");
    }
  }

  private void printFunctions(OperatorState operator) throws Exception {
    for (OperatorSubtaskState subtask : operator.getStates()) {
      for (KeyedStateHandle handle : subtask.getManagedKeyedState()) {
        if (!(handle instanceof KeyGroupsSavepointStateHandle)) {
          throw new IOException("the savepoint is not in the canonical format; take one with --type canonical");
        }
        printHandle(handle, operator.getMaxParallelism());
      }
    }
  }

  private void printHandle(KeyedStateHandle handle, int maxParallelism) throws Exception {
    KeyGroupRange range = handle.getKeyGroupRange();
    FullSnapshotRestoreOperation<String> restore =
        new FullSnapshotRestoreOperation<>(
            range,
            loader,
            List.of(handle),
            StateSerializerProvider.fromNewRegisteredSerializer(StringSerializer.INSTANCE));
    try (ThrowingIterator<SavepointRestoreResult> results = restore.restore()) {
      while (results.hasNext()) {
        printResult(results.next(), maxParallelism);
      }
    }
  }

  private void printResult(SavepointRestoreResult result, int maxParallelism) throws Exception {
    List<SavepointState> states = new ArrayList<>();
    for (StateMetaInfoSnapshot snapshot : result.getStateMetaInfoSnapshots()) {
      SavepointState state = SavepointState.of(snapshot, maxParallelism);
      states.add(state);
      ObjectNode described = line("state").put("state", snapshot.getName());
      state.describe(described);
      print(described);
    }
    try (ThrowingIterator<KeyGroup> groups = result.getRestoredKeyGroups()) {
      while (groups.hasNext()) {
        try (ThrowingIterator<KeyGroupEntry> entries = groups.next().getKeyGroupEntries()) {
          while (entries.hasNext()) {
            KeyGroupEntry entry = entries.next();
            for (ObjectNode line : states.get(entry.getKvStateId()).lines(json, entry)) {
              print(line);
            }
          }
        }
        print(line("group"));
      }
    }
  }

  /** Says how many messages between functions were on their way when the savepoint was taken. */
  private void printFeedback(OperatorState operator) throws IOException {
    for (OperatorSubtaskState subtask : operator.getStates()) {
      for (KeyedStateHandle handle : subtask.getRawKeyedState()) {
        KeyGroupsStateHandle logs = (KeyGroupsStateHandle) handle;
        try (FSDataInputStream in = logs.openInputStream()) {
          for (int group : logs.getKeyGroupRange()) {
            long offset = logs.getOffsetForKeyGroup(group);
            if (offset != NO_OFFSET) {
              in.seek(offset + HEADER_BYTES);
              print(line("feedback").put("messages", new DataInputStream(in).readInt()));
            }
          }
        }
      }
    }
  }
}
