// The command interpreter on the Go SDK of Apache Flink Stateful Functions; ../README.md says what the commands do.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/flink-statefun/statefun-sdk-go/v3/pkg/statefun"
)

type Order struct {
	ID       int64     `json:"id"`
	Commands []Command `json:"commands"`
	Sender   string    `json:"sender,omitempty"`
	Number   *int64    `json:"number,omitempty"`
	Root     string    `json:"root,omitempty"`
}

type Command struct {
	Kind    string `json:"kind"`
	State   string `json:"state,omitempty"`
	Amount  string `json:"amount,omitempty"`
	To      string `json:"to,omitempty"`
	Target  string `json:"target,omitempty"`
	Message *Order `json:"message,omitempty"`
	Delay   *int64 `json:"delay,omitempty"`
	Token   string `json:"token,omitempty"`
}

type Journal struct {
	Messages   int64            `json:"messages"`
	Digest     int64            `json:"digest"`
	Sent       map[string]int64 `json:"sent"`
	Seen       map[string]int64 `json:"seen"`
	Totals     map[string]int64 `json:"totals"`
	Roots      []string         `json:"roots"`
	Violations []string         `json:"violations"`
}

type Count struct {
	Count int64 `json:"count"`
}

const modulus = 1 << 30

var (
	messageType = statefun.MakeJsonType(statefun.TypeNameFrom("conformance/Message"))
	journalSpec = statefun.ValueSpec{
		Name: "journal", ValueType: statefun.MakeJsonType(statefun.TypeNameFrom("conformance/Journal")),
	}
	scratchSpec = statefun.ValueSpec{Name: "scratch", ValueType: statefun.StringType}
	valueSpecs  = map[string]statefun.ValueSpec{
		"bool":   {Name: "bool", ValueType: statefun.BoolType},
		"int":    {Name: "int", ValueType: statefun.Int32Type},
		"long":   {Name: "long", ValueType: statefun.Int64Type},
		"float":  {Name: "float", ValueType: statefun.Float32Type},
		"double": {Name: "double", ValueType: statefun.Float64Type},
		"string": {Name: "string", ValueType: statefun.StringType},
		"json":   {Name: "json", ValueType: statefun.MakeJsonType(statefun.TypeNameFrom("conformance/Count"))},
	}
	failed sync.Map
)

// instance carries out the commands of one message.
type instance struct {
	statefun.Context
	name    string
	order   Order
	journal Journal
	records int
}

func interpret(ctx statefun.Context, message statefun.Message) error {
	self := ctx.Self()
	here := &instance{Context: ctx, name: self.FunctionType.String() + "/" + self.Id}
	if err := message.As(messageType, &here.order); err != nil {
		return err
	}
	here.journal = Journal{
		Sent: map[string]int64{}, Seen: map[string]int64{}, Totals: map[string]int64{},
		Roots: []string{}, Violations: []string{},
	}
	ctx.Storage().Get(journalSpec, &here.journal)
	here.noteArrival()
	for _, command := range here.order.Commands {
		if err := here.carryOut(command); err != nil {
			return err
		}
	}
	ctx.Storage().Set(journalSpec, here.journal)
	return nil
}

func (i *instance) noteArrival() {
	i.journal.Messages++
	i.journal.Digest = (i.journal.Digest + i.order.ID) % modulus
	if i.order.Root != "" {
		i.journal.Roots = append(i.journal.Roots, i.order.Root)
	}
	if i.order.Number == nil {
		return
	}
	last, known := i.journal.Seen[i.order.Sender]
	if !known {
		last = -1
	}
	number := *i.order.Number
	if number <= last || (i.order.Root == "" && number != last+1) {
		i.violation("%s sent %d after %d", i.order.Sender, number, last)
	}
	i.journal.Seen[i.order.Sender] = number
}

func (i *instance) carryOut(command Command) error {
	switch command.Kind {
	case "add":
		return i.add(command)
	case "replace":
		i.replace(command.State)
	case "scratch":
		i.scratch()
	case "verify":
		i.verify()
	case "egress":
		return i.egress(command.To)
	case "send":
		i.send(command)
	case "after":
		delay := time.Duration(*command.Delay) * time.Millisecond
		i.SendAfterWithCancellationToken(delay, token(command), builder(command.Target, *command.Message))
	case "cancel":
		i.CancelDelayedMessage(token(command))
	case "sleep":
		time.Sleep(time.Duration(*command.Delay) * time.Millisecond)
	case "fail":
		if _, before := failed.LoadOrStore(i.order.ID, true); !before {
			return fmt.Errorf("message %d fails once, as it was told to", i.order.ID)
		}
	default:
		return fmt.Errorf("unknown command %q", command.Kind)
	}
	return nil
}

func (i *instance) add(command Command) error {
	amount, err := strconv.ParseInt(command.Amount, 10, 64)
	if err != nil {
		return err
	}
	value, _ := i.read(command.State)
	value += amount
	if command.State == "bool" {
		value %= 2
	}
	i.write(command.State, value)
	i.journal.Totals[command.State] = value
	return nil
}

func (i *instance) replace(name string) {
	value, exists := i.read(name)
	i.Storage().Remove(valueSpecs[name])
	if _, left := i.read(name); left {
		i.violation("%s is there after its removal", name)
	}
	if exists {
		i.write(name, value)
	}
}

func (i *instance) scratch() {
	var found string
	if i.Storage().Get(scratchSpec, &found) {
		i.violation("scratch holds %s", found)
	}
	i.Storage().Set(scratchSpec, i.name)
	if !i.Storage().Get(scratchSpec, &found) || found != i.name {
		i.violation("scratch does not hold what was written")
	}
	i.Storage().Remove(scratchSpec)
}

func (i *instance) verify() {
	for name, total := range i.journal.Totals {
		if value, exists := i.read(name); !exists || value != total {
			i.violation("%s is %d and must be %d", name, value, total)
		}
	}
}

func (i *instance) egress(to string) error {
	text := fmt.Sprintf("%s %d %d", i.name, i.order.ID, i.records)
	target := statefun.TypeNameFrom("conformance/" + to)
	i.records++
	switch to {
	case "generic":
		i.SendEgress(statefun.GenericEgressBuilder{Target: target, Value: text, ValueType: statefun.StringType})
	case "kafka":
		i.SendEgress(statefun.KafkaEgressBuilder{Target: target, Topic: "topic", Key: i.name, Value: text})
	case "kinesis":
		i.SendEgress(statefun.KinesisEgressBuilder{
			Target: target, Stream: "stream", PartitionKey: i.name, Value: text, ExplicitHashKey: "7",
		})
	default:
		return fmt.Errorf("unknown egress %q", to)
	}
	return nil
}

func (i *instance) send(command Command) {
	number, known := i.journal.Sent[command.Target]
	if known {
		number++
	}
	i.journal.Sent[command.Target] = number
	order := *command.Message
	order.Sender, order.Number = i.name, &number
	i.Send(builder(command.Target, order))
}

func (i *instance) violation(format string, values ...interface{}) {
	i.journal.Violations = append(i.journal.Violations, fmt.Sprintf(format, values...))
}

// read gives a state as an integer, and whether it has a value.
func (i *instance) read(name string) (int64, bool) {
	spec, storage := valueSpecs[name], i.Storage()
	switch name {
	case "bool":
		var value bool
		exists := storage.Get(spec, &value)
		if value {
			return 1, exists
		}
		return 0, exists
	case "int":
		var value int32
		exists := storage.Get(spec, &value)
		return int64(value), exists
	case "long":
		var value int64
		exists := storage.Get(spec, &value)
		return value, exists
	case "float":
		var value float32
		exists := storage.Get(spec, &value)
		return int64(value), exists
	case "double":
		var value float64
		exists := storage.Get(spec, &value)
		return int64(value), exists
	case "string":
		var text string
		exists := storage.Get(spec, &text)
		if !exists {
			return 0, false
		}
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		return value, true
	default:
		var value Count
		exists := storage.Get(spec, &value)
		return value.Count, exists
	}
}

func (i *instance) write(name string, value int64) {
	spec, storage := valueSpecs[name], i.Storage()
	switch name {
	case "bool":
		storage.Set(spec, value == 1)
	case "int":
		storage.Set(spec, int32(value))
	case "long":
		storage.Set(spec, value)
	case "float":
		storage.Set(spec, float32(value))
	case "double":
		storage.Set(spec, float64(value))
	case "string":
		storage.Set(spec, strconv.FormatInt(value, 10))
	default:
		storage.Set(spec, Count{Count: value})
	}
}

func builder(target string, order Order) statefun.MessageBuilder {
	cut := strings.LastIndex(target, "/")
	address := statefun.Address{FunctionType: statefun.TypeNameFrom(target[:cut]), Id: target[cut+1:]}
	return statefun.MessageBuilder{Target: address, Value: order, ValueType: messageType}
}

func token(command Command) statefun.CancellationToken {
	made, err := statefun.NewCancellationToken(command.Token)
	if err != nil {
		panic(err)
	}
	return made
}

func main() {
	specs := []statefun.ValueSpec{journalSpec, scratchSpec}
	for _, spec := range valueSpecs {
		specs = append(specs, spec)
	}
	functions := statefun.StatefulFunctionsBuilder()
	err := functions.WithSpec(statefun.StatefulFunctionSpec{
		FunctionType: statefun.TypeNameFrom("go/instance"),
		States:       specs,
		Function:     statefun.StatefulFunctionPointer(interpret),
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], functions.AsHandler()))
}
