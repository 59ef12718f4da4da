/* proto_vendor.c: the .proto files that need no reference because the vendor's registry and clients know them:
 * confluent/meta.proto, confluent/type/decimal.proto, google/type/…. Written anew with the names and numbers that stand
 * on the wire, nothing else of them. */
#include "schema/proto.h"

#include <string.h>

#define PROTO3(package, body) "syntax = \"proto3\";\npackage " package ";\n" body

static const struct {
    const char *name, *text;
} vendor[] = {
    /* extension 1088 of each kind of options: docs/wire.md 6 */
    {PROTO_META_IMPORT,
     PROTO3("confluent", "import \"google/protobuf/descriptor.proto\";\n"
                         "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }\n"
                         "extend google.protobuf.FileOptions { Meta file_meta = 1088; }\n"
                         "extend google.protobuf.MessageOptions { Meta message_meta = 1088; }\n"
                         "extend google.protobuf.FieldOptions { Meta field_meta = 1088; }\n"
                         "extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }\n"
                         "extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }\n")},
    {"confluent/type/decimal.proto",
     PROTO3("confluent.type", "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }\n")},
    {"google/type/calendar_period.proto",
     PROTO3("google.type", "enum CalendarPeriod { CALENDAR_PERIOD_UNSPECIFIED = 0; DAY = 1; WEEK = 2; FORTNIGHT = 3; "
                           "MONTH = 4; QUARTER = 5; HALF = 6; YEAR = 7; }\n")},
    {"google/type/color.proto", PROTO3("google.type", "import \"google/protobuf/wrappers.proto\";\n"
                                                      "message Color { float red = 1; float green = 2; float blue = 3; "
                                                      "google.protobuf.FloatValue alpha = 4; }\n")},
    {"google/type/date.proto",
     PROTO3("google.type", "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }\n")},
    {"google/type/datetime.proto",
     PROTO3("google.type", "import \"google/protobuf/duration.proto\";\n"
                           "message DateTime { int32 year = 1; int32 month = 2; int32 day = 3; int32 hours = 4; "
                           "int32 minutes = 5; int32 seconds = 6; int32 nanos = 7; oneof time_offset { "
                           "google.protobuf.Duration utc_offset = 8; TimeZone time_zone = 9; } }\n"
                           "message TimeZone { string id = 1; string version = 2; }\n")},
    {"google/type/dayofweek.proto",
     PROTO3("google.type", "enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3; "
                           "THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7; }\n")},
    {"google/type/decimal.proto", PROTO3("google.type", "message Decimal { string value = 1; }\n")},
    {"google/type/expr.proto",
     PROTO3("google.type", "message Expr { string expression = 1; string title = 2; string description = 3; "
                           "string location = 4; }\n")},
    {"google/type/fraction.proto",
     PROTO3("google.type", "message Fraction { int64 numerator = 1; int64 denominator = 2; }\n")},
    {"google/type/interval.proto", PROTO3("google.type", "import \"google/protobuf/timestamp.proto\";\n"
                                                         "message Interval { google.protobuf.Timestamp start_time = 1; "
                                                         "google.protobuf.Timestamp end_time = 2; }\n")},
    {"google/type/latlng.proto",
     PROTO3("google.type", "message LatLng { double latitude = 1; double longitude = 2; }\n")},
    {"google/type/money.proto",
     PROTO3("google.type", "message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }\n")},
    {"google/type/month.proto",
     PROTO3("google.type", "enum Month { MONTH_UNSPECIFIED = 0; JANUARY = 1; FEBRUARY = 2; MARCH = 3; APRIL = 4; "
                           "MAY = 5; JUNE = 6; JULY = 7; AUGUST = 8; SEPTEMBER = 9; OCTOBER = 10; NOVEMBER = 11; "
                           "DECEMBER = 12; }\n")},
    {"google/type/phone_number.proto",
     PROTO3("google.type", "message PhoneNumber { message ShortCode { string region_code = 1; string number = 2; } "
                           "oneof kind { string e164_number = 1; ShortCode short_code = 2; } string extension = 3; "
                           "}\n")},
    {"google/type/postal_address.proto",
     PROTO3("google.type", "message PostalAddress { int32 revision = 1; string region_code = 2; "
                           "string language_code = 3; string postal_code = 4; string sorting_code = 5; "
                           "string administrative_area = 6; string locality = 7; string sublocality = 8; "
                           "repeated string address_lines = 9; repeated string recipients = 10; "
                           "string organization = 11; }\n")},
    {"google/type/quaternion.proto",
     PROTO3("google.type", "message Quaternion { double x = 1; double y = 2; double z = 3; double w = 4; }\n")},
    {"google/type/timeofday.proto",
     PROTO3("google.type", "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; "
                           "int32 nanos = 4; }\n")},
};

bool sch_proto_vendor(size_t i, proto_source *out)
{
    if (i >= sizeof vendor / sizeof *vendor)
        return false;
    *out = (proto_source){vendor[i].name, vendor[i].text, strlen(vendor[i].text)};
    return true;
}

bool sch_proto_is_vendor(const char *name)
{
    for (size_t i = 0; i < sizeof vendor / sizeof *vendor; i++)
        if (!strcmp(name, vendor[i].name))
            return true;
    return !strncmp(name, "google/protobuf/", strlen("google/protobuf/"));
}
