/* converter.h: what decides whether a connector's records are encrypted: Connect's handling of converters, emulated
 * from the connector's generated file alone. The rows and their sources are in docs/connect-emulation.md. Not emulated:
 * transformations, and the compatibility of a schema that the connector derives with the registered one. */
#ifndef FLEC_RUNTIME_TESTING_CONVERTER_H
#define FLEC_RUNTIME_TESTING_CONVERTER_H

#include "runtime/testing/world.h"

typedef enum {
    RT_CONV_REGISTRY, /* a registry converter: the rules run */
    RT_CONV_PLAIN,    /* a converter for this primitive format: bytes pass */
    RT_CONV_JSON,     /* JsonConverter without registry, the worker's own too: no rule runs */
    RT_CONV_TEXT,     /* StringConverter on a side with a schema: no rule runs */
    RT_CONV_BYTES     /* ByteArrayConverter on a side with a schema */
} rt_conversion;

typedef struct rt_converter { /* one side */
    rt_conversion kind;
    const char *broken; /* why every record fails, NULL */
    const rt_plan_side *side;
    rt_subject subject; /* of the registry kind */
    rt_codec_options options;
    rt_client client; /* the KEKs that its parameters open */
    rt_codec *codec;  /* opened with the first record */
} rt_converter;

typedef struct rt_connector {
    const rt_plan_connector *plan;
    const fl_json *config;
    const char *not_csfle; /* why the file is no CSFLE configuration (the founding five lines), NULL */
    const char *no_start;  /* why the connector does not start, NULL */
    bool reads_topic;      /* a sink: is the topic among those it reads? */
    bool tolerant;         /* errors.tolerance=all */
    const char *dead_letters;
    rt_converter side[2];
} rt_connector;

/* Reads connect/NAME.json below the build directory. RT_BAD_INPUT: it is no JSON object of texts. */
rt_code rt_connector_open(rt_connector *c, rt_world *w, const rt_plan_connector *plan, const rt_plan_topic *topic,
                          rt_error *err);
void rt_connector_close(rt_connector *c);

/* A source's side: plain (encoded) to wire. A sink's side: wire to what the task gets. Null stays null. Memory in the
 * world's arena. */
rt_code rt_convert_write(rt_connector *c, rt_world *w, int side, rt_bytes plain, rt_bytes *wire, rt_error *err);
rt_code rt_convert_read(rt_connector *c, rt_world *w, int side, rt_bytes wire, rt_bytes *got, rt_error *err);

#endif
