/* aws_profile.c: AWS's profile files. */
#include "runtime/kms/aws_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config.h"

void aws_profile_free(aws_profile *p)
{
    aws_credentials_free(&p->keys);
    fl_secret_free(&p->role_arn);
    fl_secret_free(&p->session_name);
    fl_secret_free(&p->external_id);
    fl_secret_free(&p->token_file);
}

/* Both files' texts; one that is not there is empty. */
typedef struct files {
    fl_secret credentials, config;
} files;

static rt_code read_one(const kms_remote *r, const char *variable, const char *usual, fl_secret *out, rt_error *err)
{
    fl_secret named = kms_env(r, variable), home = kms_env(r, "HOME");
    char path[4096];
    rt_error why;
    *out = (fl_secret){0};
    int n = named.bytes  ? snprintf(path, sizeof path, "%s", (char *)named.bytes)
            : home.bytes ? snprintf(path, sizeof path, "%s/.aws/%s", (char *)home.bytes, usual)
                         : 0;
    fl_secret_free(&named);
    fl_secret_free(&home);
    if (n <= 0 || (size_t)n >= sizeof path || !fl_exists(path))
        return RT_OK;
    return rt_config_read_secret(path, out, &why) == RT_OK ? RT_OK : kms_fail(r, err, "AWS profiles: %s", why.message);
}

static void files_free(files *f)
{
    fl_secret_free(&f->credentials);
    fl_secret_free(&f->config);
}

static rt_code files_read(const kms_remote *r, files *f, rt_error *err)
{
    *f = (files){0};
    rt_code code = read_one(r, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &f->credentials, err);
    if (code == RT_OK)
        code = read_one(r, "AWS_CONFIG_FILE", "config", &f->config, err);
    if (code != RT_OK)
        files_free(f);
    return code;
}

static const char *blanks(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
        s++;
    return s;
}

static const char *trimmed_end(const char *s, const char *end)
{
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return end;
}

/* "[profile NAME]" in config, "[NAME]" in credentials and for the default one. s is at '['. */
static bool heads(const char *s, const char *end, bool config, const char *name)
{
    const char *close = memchr(s, ']', (size_t)(end - s)), *from = blanks(s + 1, end);
    if (!close)
        return false;
    if (config && close - from > 8 && !memcmp(from, "profile", 7) && (from[7] == ' ' || from[7] == '\t'))
        from = blanks(from + 7, close);
    else if (config && strcmp(name, "default") != 0)
        return false;
    close = trimmed_end(from, close);
    return (size_t)(close - from) == strlen(name) && !memcmp(from, name, strlen(name));
}

/* "key = value" of this key; *value to *to is its value. */
static bool is_key(const char *s, const char *end, const char *key, const char **value, const char **to)
{
    const char *equals = memchr(s, '=', (size_t)(end - s));
    if (!equals)
        return false;
    const char *stop = trimmed_end(s, equals);
    *value = blanks(equals + 1, end);
    *to = trimmed_end(*value, end);
    return (size_t)(stop - s) == strlen(key) && !memcmp(s, key, strlen(key));
}

/* The value of a key in a section; key NULL: *out is empty, and the result says whether the section is there. The last
 * of two equal keys counts. */
static bool lookup(const fl_secret *text, bool config, const char *name, const char *key, fl_secret *out)
{
    bool inside = false, found = false;
    const char *s = (char *)text->bytes, *end = s ? s + text->len : s;
    for (const char *next; s < end; s = next) {
        const char *line_end = memchr(s, '\n', (size_t)(end - s)), *value, *to;
        line_end = line_end ? line_end : end;
        next = line_end < end ? line_end + 1 : end;
        const char *first = blanks(s, line_end);
        if (first < line_end && *first == '[') {
            inside = heads(first, line_end, config, name);
            found = found || (inside && !key);
        } else if (inside && key && first == s && is_key(s, line_end, key, &value, &to) && to > value) {
            fl_secret_free(out);
            *out = KMS_JOIN(&(fl_secret){(uint8_t *)value, (size_t)(to - value)});
            found = true;
        }
    }
    return found;
}

static bool has_section(const files *f, const char *name)
{
    return lookup(&f->credentials, false, name, NULL, NULL) || lookup(&f->config, true, name, NULL, NULL);
}

/* The credentials file goes before the config file. */
static fl_secret value(const files *f, const char *name, const char *key)
{
    fl_secret s = {0};
    if (!lookup(&f->credentials, false, name, key, &s))
        lookup(&f->config, true, name, key, &s);
    return s;
}

/* Keys whose credentials flec does not get, and those that it takes. */
static const char *const others[] = {"credential_process", "sso_session",   "sso_start_url",
                                     "sso_account_id",     "login_session", "credential_source"};
static const char *const taken[] = {"aws_access_key_id", "role_arn", "web_identity_token_file"};

/* The first of these keys that a profile has, or NULL. */
static const char *first_of(const files *f, const char *name, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fl_secret s = value(f, name, keys[i]);
        bool there = s.bytes != NULL;
        fl_secret_free(&s);
        if (there)
            return keys[i];
    }
    return NULL;
}

bool aws_profile_has_identity(const kms_remote *r, const char *name)
{
    files f;
    bool there = files_read(r, &f, NULL) != RT_OK || /* what is wrong is said when it is read */ (
                                                         first_of(&f, name, taken, sizeof taken / sizeof taken[0]) ||
                                                         first_of(&f, name, others, sizeof others / sizeof others[0]));
    files_free(&f);
    return there;
}

static rt_code refuse_others(const kms_remote *r, const files *f, const char *name, rt_error *err)
{
    const char *key = first_of(f, name, others, sizeof others / sizeof others[0]);
    return key ? kms_fail(r, err,
                          "AWS profile %s takes its credentials by %s, which flec does not do: put keys into the "
                          "environment, as `aws configure export-credentials` prints them",
                          name, key)
               : RT_OK;
}

static rt_code read_keys(const kms_remote *r, const files *f, const char *name, aws_credentials *out, rt_error *err)
{
    out->id = value(f, name, "aws_access_key_id");
    out->secret = value(f, name, "aws_secret_access_key");
    out->token = value(f, name, "aws_session_token");
    return out->id.bytes && out->secret.bytes
               ? RT_OK
               : kms_fail(r, err, "AWS profile %s has no aws_access_key_id and aws_secret_access_key", name);
}

static rt_code read_profile(const kms_remote *r, const files *f, const char *name, aws_profile *out, rt_error *err)
{
    rt_code code =
        has_section(f, name) ? refuse_others(r, f, name, err) : kms_fail(r, err, "there is no AWS profile %s", name);
    if (code != RT_OK)
        return code;
    out->role_arn = value(f, name, "role_arn");
    out->session_name = value(f, name, "role_session_name");
    out->external_id = value(f, name, "external_id");
    out->token_file = value(f, name, "web_identity_token_file");
    if (out->token_file.bytes)
        return out->role_arn.bytes
                   ? RT_OK
                   : kms_fail(r, err, "AWS profile %s has a web_identity_token_file and no role_arn", name);
    fl_secret source = value(f, name, "source_profile");
    if (out->role_arn.bytes && source.bytes)
        code = refuse_others(r, f, (char *)source.bytes, err);
    if (code == RT_OK)
        code = read_keys(r, f, out->role_arn.bytes && source.bytes ? (char *)source.bytes : name, &out->keys, err);
    fl_secret_free(&source);
    return code;
}

rt_code aws_profile_read(const kms_remote *r, const char *name, aws_profile *out, rt_error *err)
{
    files f;
    *out = (aws_profile){0};
    rt_code code = files_read(r, &f, err);
    if (code == RT_OK)
        code = read_profile(r, &f, name, out, err);
    files_free(&f);
    return code;
}
