// driver.go: runs cases through the vendor's Go client over its own mock registry, once with values as structs (column go) and once as maps (go-map).
// usage: driver IN.json OUT.json, or driver matrix …: matrix.go    IN and OUT: javascript_driver.js; OUT holds one such object a column.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rules/encryption"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rules/encryption/localkms"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/jsonschema"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type tags map[string][]string

type reference struct {
	Name, Subject, Text, Source string
	Version                     int
	Tags                        tags
}

type givenCase struct {
	Name, Format, Text, Source, Message, Set string
	Refs                                     []reference
	Tags                                     tags
	Rules                                    []schemaregistry.Rule
	Value                                    any
}

type outcome struct {
	Wire       string `json:"wire,omitempty"`
	Error      string `json:"error,omitempty"`
	Unmeasured string `json:"unmeasured,omitempty"`
}

var secrets = map[string]string{"secret": "a secret of the interop tests"}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func isBytes(v map[string]any) ([]byte, bool) {
	text, ok := v["$hex"].(string)
	if !ok || len(v) != 1 {
		return nil, false
	}
	raw, err := hex.DecodeString(text)
	must(err)
	return raw, true
}

// {"$hex": "01"} as bytes; of Protobuf as base64, which its JSON form wants.
func withBytes(v any, inBase64 bool) any {
	switch x := v.(type) {
	case map[string]any:
		if raw, ok := isBytes(x); ok {
			if inBase64 {
				return base64.StdEncoding.EncodeToString(raw)
			}
			return raw
		}
		out := map[string]any{}
		for k, e := range x {
			out[k] = withBytes(e, inBase64)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = withBytes(e, inBase64)
		}
		return out
	}
	return v
}

// ---- values as structs ----

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	return names
}

// A JSON value as structs of its own shape.
func jsonStruct(v any) any {
	switch x := v.(type) {
	case map[string]any:
		names, fields, values := sorted(x), []reflect.StructField{}, []any{}
		for i, n := range names {
			values = append(values, jsonStruct(x[n]))
			t := reflect.TypeOf(values[i])
			if t == nil {
				t = reflect.TypeFor[any]()
			}
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: t, Tag: reflect.StructTag(fmt.Sprintf("json:%q", n))})
		}
		p := reflect.New(reflect.StructOf(fields))
		for i, e := range values {
			if e != nil {
				p.Elem().Field(i).Set(reflect.ValueOf(e))
			}
		}
		return p.Interface()
	case []any:
		return slice(x, jsonStruct)
	}
	return v
}

// []T where all elements have the type T, else []any.
func slice(x []any, of func(any) any) any {
	t := reflect.TypeFor[any]()
	values := make([]any, len(x))
	for i, e := range x {
		values[i] = of(e)
		if i == 0 && values[i] != nil {
			t = reflect.TypeOf(values[i])
		} else if reflect.TypeOf(values[i]) != t {
			t = reflect.TypeFor[any]()
		}
	}
	s := reflect.MakeSlice(reflect.SliceOf(t), len(x), len(x))
	for i, e := range values {
		if e != nil {
			s.Index(i).Set(reflect.ValueOf(e))
		}
	}
	return s.Interface()
}

// Avro schemas by name, for structs.
type avroNames map[string]map[string]any

func (names avroNames) add(schema any, space string) {
	switch t := schema.(type) {
	case []any:
		for _, b := range t {
			names.add(b, space)
		}
	case map[string]any:
		if ns, ok := t["namespace"].(string); ok {
			space = ns
		}
		if n, ok := t["name"].(string); ok {
			names[n] = t
			names[space+"."+n] = t
		}
		for _, part := range []string{"items", "values"} {
			names.add(t[part], space)
		}
		fields, _ := t["fields"].([]any)
		for _, f := range fields {
			names.add(f.(map[string]any)["type"], space)
		}
	}
}

func (names avroNames) typeOf(schema any, depth int) reflect.Type {
	if depth > 8 {
		panic("a recursive record has no struct type here")
	}
	switch t := schema.(type) {
	case string:
		if known, ok := names[t]; ok {
			return names.typeOf(known, depth+1)
		}
		return map[string]reflect.Type{"string": reflect.TypeFor[string](), "enum": reflect.TypeFor[string](), "bytes": reflect.TypeFor[[]byte](),
			"int": reflect.TypeFor[int](), "long": reflect.TypeFor[int64](), "double": reflect.TypeFor[float64]()}[t]
	case []any:
		return names.unionType(t, depth)
	case map[string]any:
		switch t["type"] {
		case "record":
			fields := []reflect.StructField{}
			for i, f := range t["fields"].([]any) {
				field := f.(map[string]any)
				fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: names.typeOf(field["type"], depth+1),
					Tag: reflect.StructTag(fmt.Sprintf("avro:%q", field["name"]))})
			}
			return reflect.StructOf(fields)
		case "array":
			return reflect.SliceOf(names.typeOf(t["items"], depth+1))
		case "map":
			return reflect.MapOf(reflect.TypeFor[string](), names.typeOf(t["values"], depth+1))
		}
		return names.typeOf(t["type"], depth+1)
	}
	panic("no struct type")
}

// A nullable string or record is a pointer, any other union an interface.
func (names avroNames) unionType(branches []any, depth int) reflect.Type {
	var other []any
	for _, b := range branches {
		if b != "null" {
			other = append(other, b)
		}
	}
	if len(other) == 1 && len(branches) == 2 {
		if t := names.typeOf(other[0], depth+1); t.Kind() == reflect.Struct || t.Kind() == reflect.String {
			return reflect.PointerTo(t)
		}
	}
	return reflect.TypeFor[any]()
}

func (names avroNames) set(to reflect.Value, schema, v any) {
	if v == nil {
		return
	}
	if known, ok := schema.(string); ok && names[known] != nil {
		schema = names[known]
	}
	if branches, ok := schema.([]any); ok {
		names.setUnion(to, branches, v)
		return
	}
	t, _ := schema.(map[string]any)
	switch x := v.(type) {
	case map[string]any:
		if t["type"] == "map" {
			to.Set(reflect.MakeMap(to.Type()))
			for k, e := range x {
				item := reflect.New(to.Type().Elem()).Elem()
				names.set(item, t["values"], e)
				to.SetMapIndex(reflect.ValueOf(k), item)
			}
			return
		}
		for i, f := range t["fields"].([]any) {
			field := f.(map[string]any)
			names.set(to.Field(i), field["type"], x[field["name"].(string)])
		}
	case []any:
		to.Set(reflect.MakeSlice(to.Type(), len(x), len(x)))
		for i, e := range x {
			names.set(to.Index(i), t["items"], e)
		}
	case float64: // a number of JSON
		if to.Kind() == reflect.Float64 {
			to.SetFloat(x)
		} else {
			to.SetInt(int64(x))
		}
	default:
		to.Set(reflect.ValueOf(v))
	}
}

func (names avroNames) fits(schema, v any) bool {
	if known, ok := schema.(string); ok && names[known] != nil {
		schema = names[known]
	}
	if s, ok := schema.(string); ok {
		switch v.(type) {
		case string:
			return s == "string"
		case []byte:
			return s == "bytes"
		}
		return false
	}
	t := schema.(map[string]any)
	x, isMap := v.(map[string]any)
	_, isList := v.([]any)
	if t["type"] == "array" || !isMap {
		return t["type"] == "array" && isList || t["type"] == "string" && !isMap && !isList
	}
	for k := range x {
		found := t["type"] == "map"
		fields, _ := t["fields"].([]any)
		for _, f := range fields {
			found = found || f.(map[string]any)["name"] == k
		}
		if !found {
			return false
		}
	}
	return true
}

func (names avroNames) setUnion(to reflect.Value, branches []any, v any) {
	for _, b := range branches {
		if b == "null" || !names.fits(b, v) {
			continue
		}
		p := reflect.New(names.typeOf(b, 0))
		names.set(p.Elem(), b, v)
		if to.Kind() == reflect.Pointer || p.Elem().Kind() == reflect.Struct {
			to.Set(p)
		} else {
			to.Set(p.Elem())
		}
		return
	}
	panic("no branch of the union")
}

// Unions are resolved by the names of Go types.
func (names avroNames) register(s *avrov2.Serializer) {
	for name, schema := range names {
		if schema["type"] == "record" && name[0] != '.' {
			s.RegisterType(name, reflect.New(names.typeOf(schema, 0)).Elem().Interface())
		}
	}
}

func avroStruct(s *avrov2.Serializer, c givenCase, v any) any {
	names := avroNames{}
	var schema any
	for _, r := range c.Refs {
		var ref any
		must(json.Unmarshal([]byte(r.Text), &ref))
		names.add(ref, "")
	}
	must(json.Unmarshal([]byte(c.Text), &schema))
	names.add(schema, "")
	names.register(s)
	if branches, ok := schema.([]any); ok {
		p := reflect.New(reflect.TypeFor[any]()).Elem()
		names.setUnion(p, branches, v)
		return p.Interface()
	}
	p := reflect.New(names.typeOf(schema, 0))
	names.set(p.Elem(), schema, v)
	return p.Interface()
}

// ---- one case ----

func metadata(t tags) *schemaregistry.Metadata {
	if t == nil {
		return nil
	}
	return &schemaregistry.Metadata{Tags: t}
}

func register(client schemaregistry.Client, topic string, c givenCase) {
	refs := []schemaregistry.Reference{}
	text := func(packed, source string) string {
		if c.Format == "PROTOBUF" {
			return source
		}
		return packed
	}
	for _, r := range c.Refs {
		_, err := client.Register(r.Subject, schemaregistry.SchemaInfo{Schema: text(r.Text, r.Source), SchemaType: c.Format, Metadata: metadata(r.Tags)}, false)
		must(err)
		refs = append(refs, schemaregistry.Reference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	_, err := client.Register(topic+"-value", schemaregistry.SchemaInfo{Schema: text(c.Text, c.Source), SchemaType: c.Format, References: refs,
		Metadata: metadata(c.Tags), RuleSet: &schemaregistry.RuleSet{DomainRules: c.Rules}}, false)
	must(err)
}

func message(c givenCase) proto.Message {
	raw, err := base64.StdEncoding.DecodeString(c.Set)
	must(err)
	set := &descriptorpb.FileDescriptorSet{}
	must(proto.Unmarshal(raw, set))
	files, err := protodesc.NewFiles(set)
	must(err)
	found, err := files.FindDescriptorByName(protoreflect.FullName(c.Message))
	must(err)
	m := dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))
	text, err := json.Marshal(withBytes(c.Value, true))
	must(err)
	must(protojson.Unmarshal(text, m))
	return m
}

type serializer interface {
	Serialize(topic string, msg interface{}) ([]byte, error)
}

func serializerOf(client schemaregistry.Client, format string) serializer {
	conf := serde.SerializerConfig{UseSchemaID: -1, UseLatestVersion: true, RuleConfig: secrets}
	switch format {
	case "AVRO":
		s, err := avrov2.NewSerializer(client, serde.ValueSerde, &avrov2.SerializerConfig{SerializerConfig: conf})
		must(err)
		return s
	case "JSON":
		s, err := jsonschema.NewSerializer(client, serde.ValueSerde, &jsonschema.SerializerConfig{SerializerConfig: conf})
		must(err)
		return s
	}
	s, err := protobuf.NewSerializer(client, serde.ValueSerde, &protobuf.SerializerConfig{SerializerConfig: conf})
	must(err)
	return s
}

// A panic of the client is its outcome.
func run(client schemaregistry.Client, c givenCase, structs bool) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome{Error: fmt.Sprint("panic: ", p)}
			if strings.Contains(out.Error, "dynamicpb.emptyList") { // generated code has no such lists
				out = outcome{Unmeasured: "an unset repeated field of a dynamic message"}
			}
		}
	}()
	topic := fmt.Sprint(c.Name, "-structs-", structs)
	register(client, topic, c)
	s := serializerOf(client, c.Format)
	var value any
	switch {
	case c.Format == "PROTOBUF":
		value = message(c)
	case !structs:
		value = withBytes(c.Value, false)
		if m, ok := value.(map[string]any); ok && c.Format == "AVRO" {
			value = &m
		} else if c.Format == "AVRO" {
			return outcome{Unmeasured: "a root array as []any: what comes out depends on how it is handed over"}
		}
	case c.Format == "AVRO":
		value = avroStruct(s.(*avrov2.Serializer), c, withBytes(c.Value, false))
	default:
		value = jsonStruct(withBytes(c.Value, false))
	}
	wire, err := s.Serialize(topic, value)
	if err != nil {
		return outcome{Error: err.Error()}
	}
	return outcome{Wire: hex.EncodeToString(wire)}
}

func main() {
	localkms.Register()
	encryption.Register()
	if len(os.Args) == 4 && os.Args[1] == "matrix" {
		runMatrix(os.Args[2], os.Args[3])
		return
	}
	client, err := schemaregistry.NewClient(schemaregistry.NewConfig("mock://"))
	must(err)
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var cases []givenCase
	must(json.Unmarshal(text, &cases))
	runs := map[string]map[string]outcome{"go": {}, "go-map": {}}
	for _, c := range cases {
		runs["go"][c.Name] = run(client, c, true)
		runs["go-map"][c.Name] = run(client, c, false)
	}
	text, err = json.Marshal(runs)
	must(err)
	must(os.WriteFile(os.Args[2], text, 0o644))
}
