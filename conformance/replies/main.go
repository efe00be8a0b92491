// The functions of tests/protocol/application.py on the Go SDK of Apache Flink Stateful Functions, so that both can be
// asked the same. What a message tells of itself in Python's own words (`golden/facts`) is left out.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/apache/flink-statefun/statefun-sdk-go/v3/pkg/statefun"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// bytesType is the text of simple_type("golden/blob", bytes, bytes).
type bytesType struct{}

func (bytesType) GetTypeName() statefun.TypeName { return statefun.TypeNameFrom("golden/blob") }

func (bytesType) Serialize(writer io.Writer, data interface{}) error {
	_, err := writer.Write(data.([]byte))
	return err
}

func (bytesType) Deserialize(reader io.Reader, receiver interface{}) (err error) {
	*receiver.(*[]byte), err = io.ReadAll(reader)
	return err
}

// backwardsType is text from its end to its beginning.
type backwardsType struct{}

func (backwardsType) GetTypeName() statefun.TypeName {
	return statefun.TypeNameFrom("golden/backwards")
}

func (backwardsType) Serialize(writer io.Writer, data interface{}) error {
	_, err := io.WriteString(writer, backwards(data.(string)))
	return err
}

func (backwardsType) Deserialize(reader io.Reader, receiver interface{}) error {
	data, err := io.ReadAll(reader)
	*receiver.(*string) = backwards(string(data))
	return err
}

func backwards(text string) string {
	runes := []rune(text)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

var (
	jsonType = statefun.MakeJsonType(statefun.TypeNameFrom("golden/json"))
	types    = map[string]statefun.SimpleType{
		"bool":           statefun.BoolType,
		"int":            statefun.Int32Type,
		"long":           statefun.Int64Type,
		"float":          statefun.Float32Type,
		"double":         statefun.Float64Type,
		"string":         statefun.StringType,
		"json":           jsonType,
		"blob":           bytesType{},
		"moment":         statefun.MakeProtobufType(&timestamppb.Timestamp{}),
		"moment_of_ours": statefun.MakeProtobufTypeWithTypeName(statefun.TypeNameFrom("golden/google.protobuf.Timestamp")),
		"backwards":      backwardsType{},
	}
	kinds = map[string]string{
		"flag": "bool", "small": "int", "large": "long", "rough": "float", "exact": "double", "text": "string",
		"plain": "json", "raw": "blob", "since": "moment", "mirrored": "backwards",
	}
	expirations = map[string]statefun.Expiration{
		"small": statefun.ExpireAfterCall(5 * time.Minute),
		"large": statefun.ExpireAfterWrite(1500 * time.Millisecond),
	}
)

func specOf(name string) statefun.ValueSpec {
	return statefun.ValueSpec{Name: name, ValueType: types[kinds[name]], Expiration: expirations[name]}
}

// script carries out the operations of a message. An error ends it as a panic, which the SDK answers like one returned.
func script(ctx statefun.Context, message statefun.Message) error {
	var operations [][]json.RawMessage
	if err := message.As(jsonType, &operations); err != nil {
		return err
	}
	for _, operation := range operations {
		var name string
		decode(operation[0], &name)
		carryOut(ctx, message, name, operation[1:])
	}
	return nil
}

func carryOut(ctx statefun.Context, message statefun.Message, name string, arguments []json.RawMessage) {
	switch name {
	case "send":
		ctx.Send(built(arguments))
	case "forward":
		ctx.Send(statefun.MessageBuilder{
			Target: address(arguments), Value: message.RawValue(), ValueType: rawType{message.ValueTypeName()},
		})
	case "send_after":
		sendAfter(ctx, milliseconds(arguments[0]), text(arguments[1]), built(arguments[2:]))
	case "send_after_without_token":
		sendAfter(ctx, milliseconds(arguments[0]), "", built(arguments[1:]))
	case "cancel":
		ctx.CancelDelayedMessage(token(text(arguments[0])))
	case "store":
		state := text(arguments[0])
		ctx.Storage().Set(specOf(state), native(kinds[state], arguments[1]))
	case "assign_none":
		ctx.Storage().Set(specOf(text(arguments[0])), nil)
	case "remove":
		ctx.Storage().Remove(specOf(text(arguments[0])))
	case "read":
		read(ctx, text(arguments[0]))
	case "echo":
		if value := read(ctx, text(arguments[0])); value != nil {
			target := statefun.Address{FunctionType: statefun.TypeNameFrom("golden/echo"), Id: "echo"}
			valueType := types[kinds[text(arguments[0])]]
			ctx.Send(statefun.MessageBuilder{Target: target, Value: value, ValueType: valueType})
		}
	case "change_in_place":
		if list, isList := read(ctx, "plain").([]interface{}); isList {
			_ = append(list, "changed")
		}
	case "addresses":
		tellAddresses(ctx)
	case "fail":
		panic(fmt.Errorf("%s", text(arguments[0])))
	default:
		sendRecord(ctx, name, arguments)
	}
}

func sendRecord(ctx statefun.Context, name string, arguments []json.RawMessage) {
	switch name {
	case "kafka":
		record := statefun.KafkaEgressBuilder{
			Target: statefun.TypeNameFrom("golden/kafka"), Topic: "topic", Key: text(arguments[0]),
		}
		record.Value, record.ValueType = valueOf(arguments[1], arguments[2])
		ctx.SendEgress(record)
	case "kafka_bytes":
		ctx.SendEgress(statefun.KafkaEgressBuilder{
			Target: statefun.TypeNameFrom("golden/kafka"), Topic: "bytes", Key: text(arguments[0]),
			Value: native("blob", arguments[1]),
		})
	case "kinesis":
		record := statefun.KinesisEgressBuilder{
			Target: statefun.TypeNameFrom("golden/kinesis"), Stream: "stream",
			PartitionKey: text(arguments[0]), ExplicitHashKey: text(arguments[1]),
		}
		record.Value, record.ValueType = valueOf(arguments[2], arguments[3])
		ctx.SendEgress(record)
	case "egress":
		kind := text(arguments[1])
		ctx.SendEgress(statefun.GenericEgressBuilder{
			Target: statefun.TypeNameFrom(text(arguments[0])), Value: native(kind, arguments[2]), ValueType: types[kind],
		})
	default:
		panic(fmt.Errorf("unknown operation %q", name))
	}
}

// rawType passes bytes on under the typename that they came with.
type rawType struct{ name statefun.TypeName }

func (r rawType) GetTypeName() statefun.TypeName { return r.name }

func (r rawType) Serialize(writer io.Writer, data interface{}) error {
	return bytesType{}.Serialize(writer, data)
}

func (r rawType) Deserialize(reader io.Reader, receiver interface{}) error {
	return bytesType{}.Deserialize(reader, receiver)
}

func counter(ctx statefun.Context, _ statefun.Message) error {
	spec := statefun.ValueSpec{Name: "seen", ValueType: statefun.Int32Type}
	var seen int32
	ctx.Storage().Get(spec, &seen)
	seen++
	ctx.Storage().Set(spec, seen)
	if caller := ctx.Caller(); caller != nil {
		ctx.Send(statefun.MessageBuilder{Target: *caller, Value: seen})
	}
	return nil
}

// primitives answers with the value of the message.
func primitives(ctx statefun.Context, message statefun.Message) error {
	var value interface{}
	switch {
	case message.IsBool():
		value = message.AsBool()
	case message.IsInt32():
		value = message.AsInt32()
	case message.IsInt64():
		value = message.AsInt64()
	case message.IsFloat32():
		value = message.AsFloat32()
	case message.IsFloat64():
		value = message.AsFloat64()
	case message.IsString():
		value = message.AsString()
	default:
		return nil
	}
	target := statefun.Address{FunctionType: statefun.TypeNameFrom("golden/echo"), Id: "echo"}
	ctx.Send(statefun.MessageBuilder{Target: target, Value: value})
	return nil
}

// read gives a state, nil if it has no value.
func read(ctx statefun.Context, name string) interface{} {
	spec, storage := specOf(name), ctx.Storage()
	switch kinds[name] {
	case "bool":
		return found[bool](storage, spec)
	case "int":
		return found[int32](storage, spec)
	case "long":
		return found[int64](storage, spec)
	case "float":
		return found[float32](storage, spec)
	case "double":
		return found[float64](storage, spec)
	case "blob":
		return found[[]byte](storage, spec)
	case "json":
		return found[interface{}](storage, spec)
	case "moment":
		moment := &timestamppb.Timestamp{}
		if !storage.Get(spec, moment) {
			return nil
		}
		return moment
	default:
		return found[string](storage, spec)
	}
}

func found[T any](storage statefun.AddressScopedStorage, spec statefun.ValueSpec) interface{} {
	var value T
	if !storage.Get(spec, &value) {
		return nil
	}
	return value
}

func tellAddresses(ctx statefun.Context) {
	self := ctx.Self()
	tell(ctx, []interface{}{parts(&self), parts(ctx.Caller())})
	tell(ctx, []string{self.FunctionType.String(), self.Id})
}

func parts(address *statefun.Address) interface{} {
	if address == nil {
		return nil
	}
	name := address.FunctionType
	return []string{name.GetNamespace(), name.GetType(), address.Id, name.String()}
}

func tell(ctx statefun.Context, facts interface{}) {
	data, err := json.Marshal(facts)
	check(err)
	ctx.SendEgress(statefun.GenericEgressBuilder{
		Target: statefun.TypeNameFrom("golden/facts"), Value: string(data), ValueType: statefun.StringType,
	})
}

func sendAfter(ctx statefun.Context, delay time.Duration, cancellation string, message statefun.MessageBuilder) {
	if cancellation == "" {
		ctx.SendAfter(delay, message)
	} else {
		ctx.SendAfterWithCancellationToken(delay, token(cancellation), message)
	}
}

func token(text string) statefun.CancellationToken {
	made, err := statefun.NewCancellationToken(text)
	check(err)
	return made
}

func built(arguments []json.RawMessage) statefun.MessageBuilder {
	kind := text(arguments[2])
	return statefun.MessageBuilder{
		Target: address(arguments), Value: native(kind, arguments[3]), ValueType: types[kind],
	}
}

func address(arguments []json.RawMessage) statefun.Address {
	return statefun.Address{FunctionType: statefun.TypeNameFrom(text(arguments[0])), Id: text(arguments[1])}
}

// valueOf gives what an egress is handed: a value with its type, or one alone.
func valueOf(kind, data json.RawMessage) (interface{}, statefun.SimpleType) {
	if name := text(kind); name != "" {
		return native(name, data), types[name]
	}
	var value interface{}
	decode(data, &value)
	number, isNumber := value.(float64)
	if !isNumber || strings.ContainsAny(string(data), ".e") {
		return value, nil
	}
	if number < math.MinInt32 || number > math.MaxInt32 {
		return int64(number), nil
	}
	return int32(number), nil
}

// native gives the value of a type from what JSON can carry.
func native(kind string, data json.RawMessage) interface{} {
	switch kind {
	case "bool":
		return decoded[bool](data)
	case "int":
		return decoded[int32](data)
	case "long":
		return decoded[int64](data)
	case "float":
		return float32(decoded[float64](data))
	case "double":
		return decoded[float64](data)
	case "json":
		return decoded[interface{}](data)
	case "blob":
		value, err := hex.DecodeString(text(data))
		check(err)
		return value
	case "moment", "moment_of_ours":
		return &timestamppb.Timestamp{Seconds: decoded[int64](data)}
	default:
		return text(data)
	}
}

// text is empty for null.
func text(data json.RawMessage) string { return decoded[string](data) }

func milliseconds(data json.RawMessage) time.Duration {
	return time.Duration(decoded[int64](data)) * time.Millisecond
}

func decoded[T any](data json.RawMessage) T {
	var value T
	decode(data, &value)
	return value
}

func decode(data json.RawMessage, receiver interface{}) { check(json.Unmarshal(data, receiver)) }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var specs []statefun.ValueSpec
	for name := range kinds {
		specs = append(specs, specOf(name))
	}
	seen := []statefun.ValueSpec{{Name: "seen", ValueType: statefun.Int32Type}}
	functions := statefun.StatefulFunctionsBuilder()
	for _, spec := range []statefun.StatefulFunctionSpec{
		{FunctionType: statefun.TypeNameFrom("golden/script"), States: specs, Function: statefun.StatefulFunctionPointer(script)},
		{FunctionType: statefun.TypeNameFrom("golden/nested/script.async"), States: specs, Function: statefun.StatefulFunctionPointer(script)},
		{FunctionType: statefun.TypeNameFrom("golden/counter"), States: seen, Function: statefun.StatefulFunctionPointer(counter)},
		{FunctionType: statefun.TypeNameFrom("golden/primitives"), Function: statefun.StatefulFunctionPointer(primitives)},
	} {
		check(functions.WithSpec(spec))
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], functions.AsHandler()))
}
