//! bench.rs: how many records a second of CPU time the client writes and reads: the step `bench` of ../../../matrix/python_driver.py. Where it cannot read
//! what it wrote, "read" is why.
use std::ffi::c_long;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use schema_registry_client::serdes::config::{DeserializerConfig, SchemaSelector, SerializerConfig};
use serde_json::{Value, json};

use super::*;

unsafe extern "C" {
    /// Of the C library, which is linked anyway: the process's CPU time in microseconds, as POSIX has it.
    fn clock() -> c_long;
}

fn cpu_seconds() -> f64 {
    (unsafe { clock() }) as f64 / 1e6
}

/// The record of ../../../../bench/peers.
#[derive(Clone, PartialEq, prost::Message)]
struct Customer {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(int64, tag = "2")]
    ts: i64,
    #[prost(string, tag = "3")]
    full_name: String,
    #[prost(string, tag = "4")]
    email: String,
    #[prost(string, tag = "5")]
    iban: String,
    #[prost(bytes = "vec", tag = "6")]
    doc_hash: Vec<u8>,
    #[prost(string, tag = "7")]
    country: String,
    #[prost(string, tag = "8")]
    segment: String,
    #[prost(double, tag = "9")]
    balance: f64,
    #[prost(int32, tag = "10")]
    visits: i32,
    #[prost(string, tag = "11")]
    note: String,
    #[prost(string, repeated, tag = "12")]
    labels: Vec<String>,
}

fn customer(v: &Value) -> Customer {
    let owned = |name| text(v, name).to_string();
    Customer {
        id: owned("id"),
        ts: v["ts"].as_i64().expect("ts"),
        full_name: owned("full_name"),
        email: owned("email"),
        iban: owned("iban"),
        doc_hash: bytes_of(&v["doc_hash"]).expect("bytes"),
        country: owned("country"),
        segment: owned("segment"),
        balance: v["balance"].as_f64().expect("balance"),
        visits: v["visits"].as_i64().expect("visits") as i32,
        note: owned("note"),
        labels: v["labels"].as_array().expect("labels").iter().map(|l| l.as_str().expect("text").to_string()).collect(),
    }
}

/// Its writer and reader are kept, as an application keeps them.
enum Serdes<'a> {
    Avro(AvroSerializer<'a, SchemaRegistryClient>, AvroDeserializer<'a, SchemaRegistryClient>, Value),
    Json(JsonSerializer<'a, SchemaRegistryClient>, JsonDeserializer<'a, SchemaRegistryClient>),
    Protobuf(ProtobufSerializer<'a, SchemaRegistryClient>, ProtobufDeserializer<'a, SchemaRegistryClient>, MessageDescriptor),
}

/// What the client takes.
enum Given {
    Avro(Avro),
    Json(Value),
    Protobuf(Customer),
}

type Failure = Box<dyn std::error::Error>;

impl<'a> Serdes<'a> {
    fn new(driver: &'a Driver, step: &Value) -> Result<Serdes<'a>, Failure> {
        let (client, rules) = (&driver.registry, || Some(driver.rules.clone()));
        let write = SerializerConfig::new(false, Some(SchemaSelector::LatestVersion), false, false, driver.config.clone());
        let read = DeserializerConfig::new(Some(SchemaSelector::LatestVersion), false, driver.config.clone());
        Ok(match text(step, "format") {
            "AVRO" => Serdes::Avro(
                AvroSerializer::new(client, None, rules(), write)?,
                AvroDeserializer::new(client, rules(), read)?,
                serde_json::from_str(text(step, "text"))?,
            ),
            "JSON" => Serdes::Json(JsonSerializer::new(client, None, rules(), write)?, JsonDeserializer::new(client, rules(), read)?),
            _ => {
                let set = base64::engine::general_purpose::STANDARD.decode(text(step, "set"))?;
                let kind = DescriptorPool::decode(set.as_slice())?.get_message_by_name(text(step, "message")).ok_or("no such message")?;
                Serdes::Protobuf(ProtobufSerializer::new(client, rules(), write)?, ProtobufDeserializer::new(client, rules(), read)?, kind)
            }
        })
    }

    fn made(&self, v: &Value) -> Given {
        match self {
            Serdes::Avro(_, _, schema) => Given::Avro(to_avro(schema, v)),
            Serdes::Json(..) => Given::Json(v.clone()),
            Serdes::Protobuf(..) => Given::Protobuf(customer(v)),
        }
    }

    async fn write(&self, ctx: &SerializationContext, given: Given) -> Result<Vec<u8>, Failure> {
        Ok(match (self, given) {
            (Serdes::Avro(w, ..), Given::Avro(v)) => w.serialize(ctx, v).await?,
            (Serdes::Json(w, _), Given::Json(v)) => w.serialize(ctx, v).await?,
            (Serdes::Protobuf(w, _, kind), Given::Protobuf(v)) => w.serialize_with_message_desc(ctx, &v, kind).await?,
            _ => unreachable!("made by these serdes"),
        })
    }

    async fn read(&self, ctx: &SerializationContext, wire: &[u8]) -> Result<(), Failure> {
        match self {
            Serdes::Avro(_, r, _) => drop(r.deserialize(ctx, wire).await?),
            Serdes::Json(_, r) => drop(r.deserialize(ctx, wire).await?),
            Serdes::Protobuf(_, r, _) => drop(r.deserialize::<Customer>(ctx, wire).await?),
        }
        Ok(())
    }
}

impl Driver {
    fn counts(step: &Value) -> (usize, u64) {
        (step["count"].as_u64().expect("count") as usize, step["rounds"].as_u64().expect("rounds"))
    }

    /// Records a second of each round but the first, which fills the caches; and, in hexadecimal, what it wrote last.
    pub async fn bench_write(&self, step: &Value) -> Outcome {
        let (serdes, ctx, (count, rounds)) = (Serdes::new(self, step)?, self.context(step), Self::counts(step));
        let values = step["values"].as_array().ok_or("no values")?;
        let (mut rates, mut wires) = (Vec::new(), Vec::new());
        for turn in 0..=rounds {
            let given: Vec<Given> = (0..count).map(|i| serdes.made(&values[i % values.len()])).collect();
            wires.clear();
            let start = cpu_seconds();
            for v in given {
                wires.push(serdes.write(&ctx, v).await?);
            }
            if turn > 0 {
                rates.push(count as f64 / (cpu_seconds() - start));
            }
        }
        Ok(json!({ "rates": rates, "wires": wires.iter().map(hex::encode).collect::<Vec<_>>() }))
    }

    pub async fn bench_read(&self, step: &Value, wires: &Value) -> Outcome {
        let (serdes, ctx, (count, rounds)) = (Serdes::new(self, step)?, self.context(step), Self::counts(step));
        let texts = wires.as_array().ok_or("no wires")?.iter().map(|w| hex::decode(w.as_str().unwrap_or_default()));
        let (wires, mut rates) = (texts.collect::<Result<Vec<_>, _>>()?, Vec::new());
        for turn in 0..=rounds {
            let start = cpu_seconds();
            for wire in &wires {
                serdes.read(&ctx, wire).await?;
            }
            if turn > 0 {
                rates.push(count as f64 / (cpu_seconds() - start));
            }
        }
        Ok(json!(rates))
    }
}

/// Both, each as a task of its own: where one fails, or panics, that is what it says in place of its rates.
pub async fn bench(driver: &Arc<Driver>, step: &Value) -> Value {
    let (writer, given) = (driver.clone(), step.clone());
    let wrote = told(tokio::spawn(async move { writer.bench_write(&given).await.map_err(|e| e.to_string()) }).await);
    if wrote.get("error").is_some() {
        return wrote;
    }
    let (reader, given, wires) = (driver.clone(), step.clone(), wrote["wires"].clone());
    let read = told(tokio::spawn(async move { reader.bench_read(&given, &wires).await.map_err(|e| e.to_string()) }).await);
    json!({ "write": wrote["rates"], "read": read.get("error").unwrap_or(&read) })
}
