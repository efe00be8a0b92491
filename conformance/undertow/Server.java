import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.sdk.java.Context;
import org.apache.flink.statefun.sdk.java.StatefulFunctionSpec;
import org.apache.flink.statefun.sdk.java.StatefulFunctions;
import org.apache.flink.statefun.sdk.java.TypeName;
import org.apache.flink.statefun.sdk.java.handler.RequestReplyHandler;
import org.apache.flink.statefun.sdk.java.io.KafkaEgressMessage;
import org.apache.flink.statefun.sdk.java.message.Message;
import org.apache.flink.statefun.sdk.java.slice.Slices;

/** The Java SDK behind Undertow: a failure is told by the status line, and under /header in the way of Apache's example. */
public final class Server {
  private static final long MAX_BODY = 64 * 1024;
  private static final int FAILED = 500;

  private static CompletableFuture<Void> echo(Context context, Message message) {
    String text = message.asUtf8String();
    if (text.equals("fail")) {
      throw new IllegalStateException("it fails, as it was told to");
    }
    context.send(
        KafkaEgressMessage.forEgress(TypeName.typeNameOf("undertow", "out")).withTopic("out").withUtf8Value(text).build());
    return context.done();
  }

  private static StatefulFunctionSpec named(String name) {
    return StatefulFunctionSpec.builder(TypeName.typeNameOf("undertow", name)).withSupplier(() -> Server::echo).build();
  }

  private static void answer(HttpServerExchange exchange, RequestReplyHandler handler, byte[] request) {
    handler
        .handle(Slices.wrap(request))
        .whenComplete(
            (reply, error) -> {
              if (error == null) {
                exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/octet-stream");
                exchange.getResponseSender().send(reply.asReadOnlyByteBuffer());
              } else if (exchange.getRequestPath().equals("/header")) {
                exchange.getResponseHeaders().put(Headers.STATUS, FAILED);
                exchange.endExchange();
              } else {
                exchange.setStatusCode(FAILED);
                exchange.getResponseSender().send(error.toString());
              }
            });
  }

  public static void main(String[] arguments) {
    RequestReplyHandler handler =
        new StatefulFunctions()
            .withStatefulFunction(named("status"))
            .withStatefulFunction(named("header"))
            .requestReplyHandler();
    Undertow.builder()
        .addHttpListener(Integer.parseInt(arguments[0]), "127.0.0.1")
        .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, MAX_BODY)
        .setHandler(
            exchange ->
                exchange
                    .getRequestReceiver()
                    .receiveFullBytes(
                        (received, body) ->
                            received.dispatch(SameThreadExecutor.INSTANCE, () -> answer(received, handler, body))))
        .build()
        .start();
  }
}
