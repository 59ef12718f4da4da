// matrix.go: the vendor's Go client, as it is, runs the steps of a scenario against a registry. usage: driver matrix SCENARIO.json RESULTS.json
// (the form of both: ../../matrix/python_driver.py)
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"syscall"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rules/encryption"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/jsonschema"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

type body struct {
	SchemaType, Schema string
	Metadata           *schemaregistry.Metadata
	RuleSet            *schemaregistry.RuleSet
}

type step struct {
	Do, Subject, Topic, Format, Text, Set, Message, Wire, Framing string
	Headers                                                       map[string]string
	Body                                                          body
	Value                                                         any
	Values                                                        []any
	Count, Rounds                                                 int
}

type result map[string]any

type matrixClient struct {
	registry schemaregistry.Client
	rules    map[string]string
}

func (c matrixClient) schema(s step) schemaregistry.SchemaInfo {
	return schemaregistry.SchemaInfo{Schema: s.Body.Schema, SchemaType: s.Body.SchemaType, Metadata: s.Body.Metadata, RuleSet: s.Body.RuleSet}
}

// What writes a record, with headers where the schema is named in one.
type headerSerializer interface {
	serializer
	SerializeWithHeaders(topic string, msg interface{}) ([]kafka.Header, []byte, error)
}

func (c matrixClient) writer(s step) (headerSerializer, error) {
	conf := serde.SerializerConfig{UseSchemaID: -1, UseLatestVersion: true, RuleConfig: c.rules}
	var w headerSerializer
	var base *serde.BaseSerializer
	var err error
	switch s.Format {
	case "AVRO":
		var a *avrov2.Serializer
		a, err = avrov2.NewSerializer(c.registry, serde.ValueSerde, &avrov2.SerializerConfig{SerializerConfig: conf})
		if err == nil {
			w, base = a, &a.BaseSerializer
		}
	case "JSON":
		var j *jsonschema.Serializer
		j, err = jsonschema.NewSerializer(c.registry, serde.ValueSerde, &jsonschema.SerializerConfig{SerializerConfig: conf})
		if err == nil {
			w, base = j, &j.BaseSerializer
		}
	default:
		var p *protobuf.Serializer
		p, err = protobuf.NewSerializer(c.registry, serde.ValueSerde, &protobuf.SerializerConfig{SerializerConfig: conf})
		if err == nil {
			w, base = p, &p.BaseSerializer
		}
	}
	if err == nil && s.Framing == "guid" {
		base.SchemaIDSerializer = serde.HeaderSchemaIDSerializer
	}
	return w, err
}

func (c matrixClient) write(s step) (any, error) {
	w, err := c.writer(s)
	if err != nil {
		return nil, err
	}
	headers, wire, err := w.SerializeWithHeaders(s.Topic, given(w, s, s.Value))
	named := map[string]string{}
	for _, h := range headers {
		named[h.Key] = hex.EncodeToString(h.Value)
	}
	return result{"wire": hex.EncodeToString(wire), "headers": named}, err
}

// A value as the serializer takes it.
func given(w serializer, s step, value any) any {
	switch s.Format {
	case "AVRO":
		return avroStruct(w.(*avrov2.Serializer), givenCase{Text: s.Text}, withBytes(value, false))
	case "JSON":
		return jsonStruct(value)
	}
	return message(givenCase{Set: s.Set, Message: s.Message, Value: value})
}

type reading func(topic string, headers []kafka.Header, wire []byte) (any, error)

// Records of the step's topic as the client's own values.
func (c matrixClient) reader(s step) (reading, error) {
	conf := serde.DeserializerConfig{UseLatestVersion: true, RuleConfig: c.rules}
	switch s.Format {
	case "AVRO":
		return c.avroReader(s, conf)
	case "JSON":
		r, err := jsonschema.NewDeserializer(c.registry, serde.ValueSerde, &jsonschema.DeserializerConfig{DeserializerConfig: conf})
		if err != nil {
			return nil, err
		}
		r.MessageFactory = func(subject, name string) (any, error) { return &map[string]any{}, nil }
		return r.DeserializeWithHeaders, nil
	}
	r, err := protobuf.NewDeserializer(c.registry, serde.ValueSerde, &protobuf.DeserializerConfig{DeserializerConfig: conf})
	if err != nil {
		return nil, err
	}
	empty := proto.Clone(message(givenCase{Set: s.Set, Message: s.Message, Value: map[string]any{}}))
	r.MessageFactory = func(subject, name string) (any, error) { return empty, nil }
	return r.DeserializeWithHeaders, nil
}

func (c matrixClient) read(s step) (any, error) {
	wire, err := hex.DecodeString(s.Wire)
	must(err)
	r, err := c.reader(s)
	if err != nil {
		return nil, err
	}
	headers := []kafka.Header{}
	for name, value := range s.Headers {
		raw, err := hex.DecodeString(value)
		must(err)
		headers = append(headers, kafka.Header{Key: name, Value: raw})
	}
	value, err := r(s.Topic, headers, wire)
	switch s.Format {
	case "AVRO":
		return result{"value": ofStruct(reflect.ValueOf(value))}, err
	case "JSON":
		return result{"value": value}, err
	}
	if err != nil {
		return nil, err
	}
	return result{"value": ofMessage(value.(*dynamicpb.Message).ProtoReflect())}, nil
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// Records a second of CPU time, writing and reading. Values are made anew for each round: the client writes into them.
func (c matrixClient) bench(s step) (any, error) {
	w, err := c.writer(s)
	if err != nil {
		return nil, err
	}
	r, err := c.reader(s)
	if err != nil {
		return nil, err
	}
	var write, read []float64
	for turn := 0; turn <= s.Rounds; turn++ { // the first fills the caches
		values, wires := []any{}, [][]byte{}
		for i := 0; i < s.Count; i++ {
			values = append(values, given(w, s, s.Values[i%len(s.Values)]))
		}
		runtime.GC()
		start := cpuSeconds()
		for _, v := range values {
			wire, err := w.Serialize(s.Topic, v)
			if err != nil {
				return nil, err
			}
			wires = append(wires, wire)
		}
		write = append(write, float64(s.Count)/(cpuSeconds()-start))
		start = cpuSeconds()
		for _, wire := range wires {
			if _, err := r(s.Topic, nil, wire); err != nil {
				return nil, err
			}
		}
		read = append(read, float64(s.Count)/(cpuSeconds()-start))
	}
	return result{"write": write[1:], "read": read[1:]}, nil
}

func (c matrixClient) avroReader(s step, conf serde.DeserializerConfig) (reading, error) {
	var schema any
	must(json.Unmarshal([]byte(s.Text), &schema))
	names := avroNames{}
	names.add(schema, "")
	r, err := avrov2.NewDeserializer(c.registry, serde.ValueSerde, &avrov2.DeserializerConfig{DeserializerConfig: conf})
	if err != nil {
		return nil, err
	}
	r.MessageFactory = func(subject, name string) (any, error) { return reflect.New(names.typeOf(schema, 0)).Interface(), nil }
	return r.DeserializeWithHeaders, nil
}

func hexOf(raw []byte) any { return map[string]string{"$hex": hex.EncodeToString(raw)} }

// A value of the types that avroNames makes, by the names in the schema.
func ofStruct(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Invalid:
		return nil
	case reflect.Pointer, reflect.Interface:
		return ofStruct(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := 0; i < v.NumField(); i++ {
			out[v.Type().Field(i).Tag.Get("avro")] = ofStruct(v.Field(i))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = ofStruct(v.MapIndex(k))
		}
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return hexOf(v.Bytes())
		}
		out := []any{}
		for i := 0; i < v.Len(); i++ {
			out = append(out, ofStruct(v.Index(i)))
		}
		return out
	}
	return v.Interface()
}

// Every field of a message by its name in the schema.
func ofMessage(m protoreflect.Message) any {
	one := func(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
		if f.Kind() == protoreflect.MessageKind {
			return ofMessage(v.Message())
		}
		if raw, ok := v.Interface().([]byte); ok {
			return hexOf(raw)
		}
		return v.Interface()
	}
	out, fields := map[string]any{}, m.Descriptor().Fields()
	for i := 0; i < fields.Len(); i++ {
		f := fields.Get(i)
		if !f.IsList() {
			out[string(f.Name())] = one(f, m.Get(f))
			continue
		}
		list := []any{}
		for j := 0; j < m.Get(f).List().Len(); j++ {
			list = append(list, one(f, m.Get(f).List().Get(j)))
		}
		out[string(f.Name())] = list
	}
	return out
}

// A panic of the client is its outcome.
func (c matrixClient) run(s step) (out any) {
	defer func() {
		if p := recover(); p != nil {
			out = result{"error": fmt.Sprint("panic: ", p)}
		}
	}()
	var err error
	switch s.Do {
	case "register":
		var id int
		id, err = c.registry.Register(s.Subject, c.schema(s), false)
		out = result{"id": id}
	case "lookup":
		var found schemaregistry.SchemaMetadata
		found, err = c.registry.GetIDFullResponse(s.Subject, c.schema(s), false)
		out = result{"id": found.ID, "version": found.Version}
	case "latest":
		var found schemaregistry.SchemaMetadata
		found, err = c.registry.GetLatestSchemaMetadata(s.Subject)
		out = result{"id": found.ID, "version": found.Version, "guid": found.GUID}
	case "bench":
		out, err = c.bench(s)
	case "write":
		out, err = c.write(s)
	case "read":
		out, err = c.read(s)
	}
	if err != nil {
		return result{"error": err.Error()}
	}
	return out
}

type lateClock int

func (days lateClock) NowUnixMilli() int64 { return time.Now().AddDate(0, 0, -int(days)).UnixMilli() }

func runMatrix(scenario, results string) {
	text, err := os.ReadFile(scenario)
	must(err)
	var given struct {
		URL, Secret, User, CA, Certificate, Key string
		DaysBack                                int `json:"days_back"`
		Steps                                   []step
	}
	must(json.Unmarshal(text, &given))
	encryption.RegisterExecutorWithClock(lateClock(given.DaysBack))
	encryption.RegisterFieldExecutorWithClock(lateClock(given.DaysBack))
	conf := schemaregistry.NewConfig(given.URL)
	if given.User != "" {
		conf.BasicAuthCredentialsSource, conf.BasicAuthUserInfo = "USER_INFO", given.User
	}
	conf.SslCaLocation, conf.SslCertificateLocation, conf.SslKeyLocation = given.CA, given.Certificate, given.Key
	registry, err := schemaregistry.NewClient(conf)
	must(err)
	c, out := matrixClient{registry, map[string]string{"secret": given.Secret}}, []any{}
	for _, s := range given.Steps {
		out = append(out, c.run(s))
	}
	text, err = json.Marshal(out)
	must(err)
	must(os.WriteFile(results, text, 0o644))
}
