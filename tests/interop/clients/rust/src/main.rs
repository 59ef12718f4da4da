//! main.rs: the community's Rust client, as it is, runs the steps of a scenario against a registry. usage: driver SCENARIO.json RESULTS.json
//! (the form of both: ../../../matrix/python_driver.py). Protobuf messages are read into the types below, since the client wants compiled ones.
mod bench;

use std::collections::HashMap;
use std::sync::Arc;

use apache_avro::types::Value as Avro;
use base64::Engine;
use prost_reflect::{DescriptorPool, DynamicMessage};
use schema_registry_client::rest::client_config::ClientConfig;
use schema_registry_client::rest::dek_registry_client::DekRegistryClient;
use schema_registry_client::rest::models::Schema;
use schema_registry_client::rest::schema_registry_client::{Client, SchemaRegistryClient};
use schema_registry_client::rules::encryption::encrypt_executor::{EncryptionExecutor, FakeClock, FieldEncryptionExecutor};
use schema_registry_client::rules::encryption::localkms::local_driver::LocalKmsDriver;
use schema_registry_client::serdes::avro::{AvroDeserializer, AvroSerializer};
use schema_registry_client::serdes::config::{DeserializerConfig, SchemaSelector, SerializerConfig};
use schema_registry_client::serdes::json::{JsonDeserializer, JsonSerializer};
use schema_registry_client::serdes::protobuf::{ProtobufDeserializer, ProtobufSerializer};
use schema_registry_client::serdes::rule_registry::RuleRegistry;
use schema_registry_client::serdes::serde::{SerdeFormat, SerdeHeader, SerdeHeaders, SerdeType, SerializationContext, header_schema_id_serializer};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

#[derive(Clone, PartialEq, prost::Message)]
struct Person {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    email: String,
    #[prost(bytes = "vec", tag = "4")]
    photo: Vec<u8>,
    #[prost(int32, tag = "5")]
    age: i32,
    #[prost(string, tag = "6")]
    note: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Strings {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    note: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Home {
    #[prost(string, tag = "1")]
    street: String,
    #[prost(string, tag = "2")]
    city: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Stay {
    #[prost(string, tag = "1")]
    street: String,
    #[prost(int32, tag = "2")]
    year: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Deep {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    home: Option<Home>,
    #[prost(message, repeated, tag = "3")]
    past: Vec<Stay>,
    #[prost(string, repeated, tag = "4")]
    phones: Vec<String>,
}

fn text<'a>(v: &'a Value, name: &str) -> &'a str {
    v[name].as_str().unwrap_or_default()
}

fn bytes_of(v: &Value) -> Option<Vec<u8>> {
    v.get("$hex").and_then(Value::as_str).map(|h| hex::decode(h).expect("hex"))
}

fn hex_of(raw: &[u8]) -> Value {
    json!({ "$hex": hex::encode(raw) })
}

/// A value as the client wants it: by its schema.
fn to_avro(schema: &Value, v: &Value) -> Avro {
    match schema {
        Value::Array(branches) => {
            let at = branches.iter().position(|b| (b == "null") == v.is_null()).expect("a branch");
            Avro::Union(at as u32, Box::new(to_avro(&branches[at], v)))
        }
        Value::Object(t) => match text(schema, "type") {
            "record" => Avro::Record(
                t["fields"].as_array().expect("fields").iter().map(|f| (text(f, "name").to_string(), to_avro(&f["type"], &v[text(f, "name")]))).collect(),
            ),
            "array" => Avro::Array(v.as_array().expect("array").iter().map(|x| to_avro(&t["items"], x)).collect()),
            "enum" => {
                let at = t["symbols"].as_array().expect("symbols").iter().position(|s| s == v).expect("a symbol");
                Avro::Enum(at as u32, v.as_str().expect("text").to_string())
            }
            "map" => Avro::Map(v.as_object().expect("map").iter().map(|(k, x)| (k.clone(), to_avro(&t["values"], x))).collect()),
            _ => to_avro(&t["type"], v),
        },
        _ => match schema.as_str().expect("a type") {
            "null" => Avro::Null,
            "int" => Avro::Int(v.as_i64().expect("int") as i32),
            "long" => Avro::Long(v.as_i64().expect("long")),
            "double" => Avro::Double(v.as_f64().expect("double")),
            "bytes" => Avro::Bytes(bytes_of(v).expect("bytes")),
            _ => Avro::String(v.as_str().expect("string").to_string()),
        },
    }
}

fn of_avro(v: Avro) -> Value {
    match v {
        Avro::Union(_, inner) => of_avro(*inner),
        Avro::Record(fields) => Value::Object(fields.into_iter().map(|(k, x)| (k, of_avro(x))).collect()),
        Avro::Map(entries) => Value::Object(entries.into_iter().map(|(k, x)| (k, of_avro(x))).collect()),
        Avro::Array(items) => Value::Array(items.into_iter().map(of_avro).collect()),
        Avro::Bytes(raw) => hex_of(&raw),
        Avro::Int(n) => json!(n),
        Avro::String(s) => json!(s),
        Avro::Null => Value::Null,
        other => json!(format!("{other:?}")),
    }
}

fn in_base64(v: &Value) -> Value {
    if let Some(raw) = bytes_of(v) {
        return json!(base64::engine::general_purpose::STANDARD.encode(raw));
    }
    match v {
        Value::Object(m) => Value::Object(m.iter().map(|(k, x)| (k.clone(), in_base64(x))).collect()),
        Value::Array(a) => Value::Array(a.iter().map(in_base64).collect()),
        other => other.clone(),
    }
}

struct Driver {
    registry: SchemaRegistryClient,
    rules: RuleRegistry,
    config: HashMap<String, String>,
}

type Outcome = Result<Value, Box<dyn std::error::Error>>;

impl Driver {
    fn new(scenario: &Value) -> Driver {
        LocalKmsDriver::register();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis() as i64;
        let clock = FakeClock::new(now - scenario["days_back"].as_i64().unwrap_or(0) * DAY_MS);
        let rules = RuleRegistry::new();
        rules.register_executor(FieldEncryptionExecutor::<DekRegistryClient>::new(clock.clone()));
        rules.register_executor(EncryptionExecutor::<DekRegistryClient>::new(clock));
        let registry = SchemaRegistryClient::new(ClientConfig::new(vec![text(scenario, "url").to_string()]));
        Driver { registry, rules, config: HashMap::from([("secret".to_string(), text(scenario, "secret").to_string())]) }
    }

    fn context(&self, step: &Value) -> SerializationContext {
        let serde_format = match text(step, "format") {
            "AVRO" => SerdeFormat::Avro,
            "JSON" => SerdeFormat::Json,
            _ => SerdeFormat::Protobuf,
        };
        let given = step["headers"].as_object().map(|named| named.iter()).into_iter().flatten();
        let headers = given.map(|(k, v)| SerdeHeader { key: k.clone(), value: v.as_str().map(|h| hex::decode(h).expect("hex")) }).collect();
        SerializationContext { topic: text(step, "topic").to_string(), serde_type: SerdeType::Value, serde_format, headers: Some(SerdeHeaders::new(headers)) }
    }

    async fn write(&self, step: &Value) -> Outcome {
        let (ctx, rules) = (self.context(step), Some(self.rules.clone()));
        let mut conf = SerializerConfig::new(false, Some(SchemaSelector::LatestVersion), false, false, self.config.clone());
        if text(step, "framing") == "guid" {
            conf.schema_id_serializer = header_schema_id_serializer;
        }
        let wire = match text(step, "format") {
            "AVRO" => {
                let schema: Value = serde_json::from_str(text(step, "text"))?;
                AvroSerializer::new(&self.registry, None, rules, conf)?.serialize(&ctx, to_avro(&schema, &step["value"])).await?
            }
            "JSON" => JsonSerializer::new(&self.registry, None, rules, conf)?.serialize(&ctx, step["value"].clone()).await?,
            _ => {
                let set = base64::engine::general_purpose::STANDARD.decode(text(step, "set"))?;
                let kind = DescriptorPool::decode(set.as_slice())?.get_message_by_name(text(step, "message")).ok_or("no such message")?;
                let message = DynamicMessage::deserialize(kind.clone(), in_base64(&step["value"]))?;
                ProtobufSerializer::new(&self.registry, rules, conf)?.serialize_with_message_desc(&ctx, &message, &kind).await?
            }
        };
        let named = ctx.headers.iter().flat_map(|h| h.iter()).map(|h| (h.key, json!(hex::encode(h.value.unwrap_or_default()))));
        Ok(json!({ "wire": hex::encode(wire), "headers": Value::Object(named.collect()) }))
    }

    async fn read(&self, step: &Value) -> Outcome {
        let (ctx, rules, wire) = (self.context(step), Some(self.rules.clone()), hex::decode(text(step, "wire"))?);
        let conf = DeserializerConfig::new(Some(SchemaSelector::LatestVersion), false, self.config.clone());
        let value = match text(step, "format") {
            "AVRO" => of_avro(AvroDeserializer::new(&self.registry, rules, conf)?.deserialize(&ctx, &wire).await?.value),
            "JSON" => JsonDeserializer::new(&self.registry, rules, conf)?.deserialize(&ctx, &wire).await?,
            _ => {
                let reader = ProtobufDeserializer::new(&self.registry, rules, conf)?;
                match text(step, "message") {
                    "matrix.Strings" => {
                        let s: Strings = reader.deserialize(&ctx, &wire).await?;
                        json!({"id": s.id, "name": s.name, "note": s.note})
                    }
                    "matrix.Person" => {
                        let p: Person = reader.deserialize(&ctx, &wire).await?;
                        json!({"id": p.id, "name": p.name, "email": p.email, "photo": hex_of(&p.photo), "age": p.age, "note": p.note})
                    }
                    _ => {
                        let d: Deep = reader.deserialize(&ctx, &wire).await?;
                        let past: Vec<Value> = d.past.iter().map(|s| json!({"street": s.street, "year": s.year})).collect();
                        let home = d.home.unwrap_or_default();
                        json!({"id": d.id, "home": {"street": home.street, "city": home.city}, "past": past, "phones": d.phones})
                    }
                }
            }
        };
        Ok(json!({ "value": value }))
    }

    async fn run(&self, step: &Value) -> Outcome {
        let subject = text(step, "subject");
        let schema = || serde_json::from_value::<Schema>(step["body"].clone());
        match text(step, "do") {
            "register" => Ok(json!({ "id": self.registry.register_schema(subject, &schema()?, false).await?.id })),
            "lookup" => {
                let found = self.registry.get_by_schema(subject, &schema()?, false, false).await?;
                Ok(json!({"id": found.id, "version": found.version}))
            }
            "latest" => {
                let found = self.registry.get_latest_version(subject, None).await?;
                Ok(json!({"id": found.id, "version": found.version, "guid": found.guid}))
            }
            "write" => self.write(step).await,
            "read" => self.read(step).await,
            other => Err(format!("no such step: {other}").into()),
        }
    }
}

/// What came of a task: a panic of the client is its outcome.
fn told(ended: Result<Result<Value, String>, tokio::task::JoinError>) -> Value {
    match ended {
        Ok(Ok(value)) => value,
        Ok(Err(e)) => json!({ "error": e }),
        Err(e) => {
            let panic = e.into_panic();
            let words = panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|s| s.to_string()));
            json!({ "error": format!("panic: {}", words.unwrap_or_default()) })
        }
    }
}

/// One step as a task of its own.
async fn outcome(driver: &Arc<Driver>, step: &Value) -> Value {
    if text(step, "do") == "bench" {
        return bench::bench(driver, step).await;
    }
    let (driver, step) = (driver.clone(), step.clone());
    told(tokio::spawn(async move { driver.run(&step).await.map_err(|e| e.to_string()) }).await)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let scenario: Value = serde_json::from_str(&std::fs::read_to_string(&arguments[1])?)?;
    std::panic::set_hook(Box::new(|_| ())); // its words are in the results
    let (driver, mut results) = (Arc::new(Driver::new(&scenario)), Vec::new());
    for step in scenario["steps"].as_array().ok_or("no steps")? {
        results.push(outcome(&driver, step).await);
    }
    std::fs::write(&arguments[2], serde_json::to_string(&results)?)?;
    Ok(())
}
